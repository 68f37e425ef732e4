"""The demo: two shops, three sandboxes, an API and a worker, and everything a seller would do."""
