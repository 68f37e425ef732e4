"""What differs between listings and products, over HTTP."""
