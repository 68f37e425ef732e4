"""Accounts at marketplaces that give us tokens: connected once, with tokens that stay good."""
