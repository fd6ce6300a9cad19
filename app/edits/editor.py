"""Applies edits to a project, remembers them for undo and redo, and tells who listens."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from app.edits.edit import Edit
from app.errors import UserError
from app.model.lines import first_fault
from app.model.project import Change, Project, kind_of
from app.model.references import dangling

Listener = Callable[[Edit], None]


class Editor:
    """The only way a project changes. One thread owns it (in the window, Qt's).

    Listeners get each edit as it was applied, so an undone edit arrives as its inverse. Whatever an editor lets in can be
    written to a file and read from it again.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self._done: list[Edit] = []
        self._undone: list[Edit] = []
        self._saved_at: Edit | None = None
        self._listeners: list[Listener] = []
        self._telling = False

    def do(self, edit: Edit) -> None:
        """Apply; an edit without changes is ignored.

        Raises:
            UserError: No file could hold the project afterwards: a reference to nothing, an id that is none, NaN, a secret.
            ValueError: The edit was made for another state of the project, which is a bug. Either way the project is as it was.
        """
        if not edit.changes:
            return
        for _, id_, _, after in edit.changes:
            if after is not None and (wrong := first_fault(after)):
                raise self._refused(edit, id_, wrong)
        self._swap(edit.changes)
        for _, id_, _, after in edit.changes:
            for element in self.project.referrers(id_) if after is None else (after,):
                if missing := dangling(element, self.project.kinds_of_ids()):
                    self._swap(edit.inverse().changes)
                    raise self._refused(edit, id_, f"{kind_of(element)} {element.id}: {missing[0]}" if after is None else missing[0])
        self._done.append(edit)
        self._undone.clear()
        self._tell(edit)

    def undo(self) -> None:
        """Take back the newest edit; without one, nothing happens."""
        if self._done:
            edit = self._done[-1]
            self._swap(edit.inverse().changes)
            self._undone.append(self._done.pop())
            self._tell(edit.inverse())

    def redo(self) -> None:
        if self._undone:
            edit = self._undone[-1]
            self._swap(edit.changes)
            self._done.append(self._undone.pop())
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
        """Call ``listener`` after every change; the result ends that. A listener must not itself change the project."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _swap(self, changes: Sequence[Change]) -> None:
        if self._telling:
            raise RuntimeError("a listener may not change the project: the others would hear of the two changes in the wrong order")
        self.project.swap(changes)

    def _refused(self, edit: Edit, id_: str, why: str) -> UserError:
        return UserError(f"Not done: {edit.name}", where=_name_of(edit, id_), why=why, fix="The project is as it was")

    def _tell(self, edit: Edit) -> None:
        """Every listener hears of it, even when one of them fails: they would show different projects otherwise."""
        failures: list[Exception] = []
        self._telling = True
        try:
            for listener in tuple(self._listeners):
                try:
                    listener(edit)
                except Exception as error:
                    failures.append(error)
        finally:
            self._telling = False
        if failures:
            raise failures[0] if len(failures) == 1 else ExceptionGroup("listeners failed", failures)


def _name_of(edit: Edit, id_: str) -> str:
    """What a person calls the element: its name where it has one, and what it is."""
    change = next(change for change in edit.changes if change.id == id_)
    name = getattr(change.after or change.before, "name", "") or id_
    return f"{change.kind} {name}"
