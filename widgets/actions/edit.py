"""Edit: undo, redo, find."""

from __future__ import annotations

from widgets.dialogs import show_find
from widgets.registry import Action
from widgets.workbench import Workbench


def _undo_text(workbench: Workbench) -> str:
    return f"Undo {workbench.editor.undo_name}".strip()


def _redo_text(workbench: Workbench) -> str:
    return f"Redo {workbench.editor.redo_name}".strip()


ACTIONS = [
    Action("edit.undo", "Undo", "Edit", lambda window: window.workbench.editor.undo(), "Ctrl+Z", "undo", 10,
           lambda workbench: bool(workbench.editor.undo_name), _undo_text),
    Action("edit.redo", "Redo", "Edit", lambda window: window.workbench.editor.redo(), "Ctrl+Y", "redo", 11,
           lambda workbench: bool(workbench.editor.redo_name), _redo_text),
    Action("edit.find", "Find anything…", "Edit", show_find, "Ctrl+K", "search", 20, keywords="go to command palette"),
]  # fmt: skip
