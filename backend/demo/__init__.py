"""The demo: two shops, the sandbox eBay, an API and a worker, and everything a seller would do."""
