"""What belongs to this person on this computer, and not to a project: settings, recent files, caches, logs."""
