"""Orders of every channel: taken over once, paid for in stock, followed up elsewhere."""
