"""What the details panel shows, one file per kind of selection."""
