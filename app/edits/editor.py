"""Applies edits to a project, remembers them for undo and redo, and tells who listens."""

from __future__ import annotations

from collections.abc import Callable

from app.edits.edit import Edit
from app.model.project import Project

Listener = Callable[[Edit], None]


class Editor:
    """The only way a project changes. One thread owns it (in the window, Qt's).

    Listeners get each edit as it was applied, so an undone edit arrives as its inverse.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self._done: list[Edit] = []
        self._undone: list[Edit] = []
        self._saved_at: Edit | None = None
        self._listeners: list[Listener] = []

    def do(self, edit: Edit) -> None:
        """Apply; an edit without changes is ignored.

        Raises:
            ValueError: The edit was made for another state of the project.
        """
        if not edit.changes:
            return
        self.project.swap(edit.changes)
        self._done.append(edit)
        self._undone.clear()
        self._tell(edit)

    def undo(self) -> None:
        """Take back the newest edit; without one, nothing happens."""
        if self._done:
            edit = self._done.pop()
            self.project.swap(edit.inverse().changes)
            self._undone.append(edit)
            self._tell(edit.inverse())

    def redo(self) -> None:
        if self._undone:
            edit = self._undone.pop()
            self.project.swap(edit.changes)
            self._done.append(edit)
            self._tell(edit)

    @property
    def undo_name(self) -> str:
        """Name of the edit that ``undo`` would take back; "" without one."""
        return self._done[-1].name if self._done else ""

    @property
    def redo_name(self) -> str:
        return self._undone[-1].name if self._undone else ""

    @property
    def is_saved(self) -> bool:
        """Whether the project is what was last saved (or opened)."""
        return (self._done[-1] if self._done else None) is self._saved_at

    def mark_saved(self) -> None:
        self._saved_at = self._done[-1] if self._done else None

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` after every change; the result ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _tell(self, edit: Edit) -> None:
        for listener in tuple(self._listeners):
            listener(edit)
