"""Checks: one file per rule family, found because it ends in ``RULES``."""
