"""Marketplaces' call quotas: spent by all processes together, never more than allowed."""
