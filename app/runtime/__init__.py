"""Runs connectors, keeps the newest values and their freshness, for the window and the command line alike."""
