"""One file per IT model format."""
