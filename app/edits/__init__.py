"""The one form of change. Window, command line and tests change a project through these only."""

from app.edits.edit import Edit, create, delete, replace
from app.edits.editor import Editor

__all__ = ["Edit", "Editor", "create", "delete", "replace"]
