"""Live listings beside our record: what differs, and whose word counts."""
