"""The roof: knows every room, puts them together and opens the doors."""
