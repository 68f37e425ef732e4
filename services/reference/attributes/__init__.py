"""Our catalogues: categories, conditions, departments, and the words that mean them."""
