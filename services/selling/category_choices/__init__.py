"""Where a shop itself says that a category of ours belongs on a marketplace."""
