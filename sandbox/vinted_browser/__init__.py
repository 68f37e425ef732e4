"""A browser without a window: a person at Vinted, with the extension that works for StoFlow."""
