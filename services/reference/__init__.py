"""What is true for every shop: catalogues of values, and how marketplaces call them."""
