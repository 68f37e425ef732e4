"""Every SQL statement of the house. A method is named for its question; it may flush, never commit.

Order in which rows are locked, to keep two transactions from waiting for each other:
tenants → tenant_bells → marketplace_jobs → channel_orders → products → channel_listings →
ebay_connections → etsy_accounts → order_polls.
"""
