"""A sandbox Etsy: Open API v3."""
