"""The foundation: words and mechanisms that every floor above may use and that know none of them."""
