"""What a person should know, told once and kept until it was read."""
