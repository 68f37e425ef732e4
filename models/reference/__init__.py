"""Schema `product_attributes`: catalogues shared by all tenants, read much and written rarely."""
