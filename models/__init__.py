"""Tables, the states a row can be in, and pure rules about one row."""
