"""The shop on eBay: the account, what keeps a product from being listed, and the job handlers."""
