"""Statements on the catalogues in `product_attributes`."""
