"""A local eBay: OAuth consent, the selling APIs, and faults on demand."""
