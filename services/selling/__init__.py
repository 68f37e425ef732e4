"""What a shop does: keep stock, list it, follow it."""
