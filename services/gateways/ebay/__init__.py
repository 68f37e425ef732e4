"""eBay's REST APIs: typed clients over one transport."""
