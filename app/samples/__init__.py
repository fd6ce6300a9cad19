"""Samples over time: newest values, ring buffers, recordings."""
