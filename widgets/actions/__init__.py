"""Commands of the window: one file per menu, found because it ends in ``ACTIONS``."""
