"""Modes: the job from left to right, one file each, found because it ends in ``MODE``."""
