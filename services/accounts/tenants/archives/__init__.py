"""One shop in one file that a person can read: for sleeping shops, exports, and moves."""
