"""What has to be done again and again, once for the whole installation."""
