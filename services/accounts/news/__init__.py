"""What happens in shops, for whoever watches them."""
