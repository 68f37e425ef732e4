"""How our categories, conditions and attributes are called on each marketplace."""
