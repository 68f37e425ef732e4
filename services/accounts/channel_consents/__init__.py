"""Consents that are under way at a marketplace, and tokens that came of them."""
