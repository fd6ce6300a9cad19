"""Finding rows by words that stand anywhere in them, as fast as a person types."""
