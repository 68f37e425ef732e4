"""HTTP of imports from channels."""
