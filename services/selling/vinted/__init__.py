"""Products on Vinted."""
