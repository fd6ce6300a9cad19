"""Snapshots: what an endpoint showed at a moment, kept in a file and looked at like the endpoint itself, but never as live."""
