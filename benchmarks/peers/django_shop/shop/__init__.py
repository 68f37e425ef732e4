"""What a shop keeps."""
