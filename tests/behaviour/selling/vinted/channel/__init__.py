"""Products, listings, orders and messages on Vinted, whoever carries the requests."""
