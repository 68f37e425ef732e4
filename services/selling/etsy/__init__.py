"""Products on Etsy."""
