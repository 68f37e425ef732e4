"""Etsy, from outside: the Open API v3."""
