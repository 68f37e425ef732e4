"""Between requests that are rows and the seller's browser that makes them."""
