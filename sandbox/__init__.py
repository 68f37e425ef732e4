"""Marketplaces to practise on: servers that keep state and answer as the real ones do."""
