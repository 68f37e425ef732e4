"""What StoFlow does, in words of the trade: no web framework, no settings, no SQL, no clock."""
