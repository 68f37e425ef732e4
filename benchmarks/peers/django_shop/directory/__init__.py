"""Which shops there are."""
