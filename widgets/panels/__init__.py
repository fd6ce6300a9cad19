"""Docks: one file each, found because it ends in ``PANEL``."""
