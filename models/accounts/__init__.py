"""Schema `public`: who people are, which shops exist, what is due."""
