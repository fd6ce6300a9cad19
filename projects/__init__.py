"""Example projects: documentation, demo and test data at once."""
