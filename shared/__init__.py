"""The foundation: words and mechanisms for every floor above, knowing none of them."""
