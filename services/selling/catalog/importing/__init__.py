"""Products out of a file: bytes → text → table → products as wanted → rows, chunk by chunk."""
