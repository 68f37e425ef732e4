"""Listings that were on a channel before us become products."""
