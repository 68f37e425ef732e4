"""Products, their photos, and importing them."""
