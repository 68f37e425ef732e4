"""A sandbox Vinted: site and private API."""
