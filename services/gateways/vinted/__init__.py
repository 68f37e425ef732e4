"""Vinted, which has no public API: it is asked by the seller's own browser."""
