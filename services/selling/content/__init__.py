"""What a seller's own words say, held against what each channel does not want to read."""
