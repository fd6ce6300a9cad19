"""Which tags stand in the tag table before its filter, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from PySide6.QtCore import QObject, QTimer, Signal

from app.model.plant import Tag, WatchList
from app.search.ordering import Ordering
from widgets.workbench import Workbench

AT_ONCE: Final = 10_000
"""Tags; so many are sorted without steps, in some 50 ms at the most."""
STEP_EVERY_MS: Final = 12
STEP_S: Final = 0.006

SortKey = Callable[[Tag], Any]
"""Numbers, texts or pairs of them, one kind a column."""


class TagOrder(QObject):
    """Very many tags are sorted in steps, so that the window stays alive; until they are, they stand as they stood before.

    Signals:
        sorted: Such a sort is done.
    """

    sorted = Signal()

    def __init__(self, workbench: Workbench, parent: QObject) -> None:
        super().__init__(parent)
        self._workbench = workbench
        self.shown_list = ""
        self._key: SortKey | None = None
        self._descending = self._moves = False
        self._made_for: object = None
        self._ids: list[str] = []
        self._sorting: Ordering[Tag] | None = None
        self._steps = QTimer(self, interval=STEP_EVERY_MS)
        self._steps.timeout.connect(self._on_step)

    @property
    def is_sorting(self) -> bool:
        return self._sorting is not None

    def sort(self, key: SortKey | None, *, descending: bool, moves: bool) -> None:
        """Sort by this; None is the order of the project, or of the watch list. ``moves``: of values, which are others every time."""
        self._key, self._descending, self._moves = key, descending, moves
        self._made_for = None

    def ids(self) -> list[str] | None:
        """Those of the list that is shown, in order; None for all tags in the order of the project. The same list while nothing changed.

        Few tags are sorted by their values as those are now; very many as they were when they were sorted.
        """
        project = self._workbench.project
        chosen = project.get(WatchList, self.shown_list)
        if chosen is None and self._key is None:
            self._leave()
            return None
        made_for = (project, project.revision, self.shown_list, self._key, self._descending)
        tags = list(project.all(Tag).values()) if chosen is None else [tag for id_ in chosen.tags if (tag := project.get(Tag, id_))]
        if self._made_for == made_for and not (self._moves and len(tags) <= AT_ONCE):
            return self._ids
        self._made_for = made_for
        self._leave()
        if self._key is None:
            self._ids = [tag.id for tag in tags]
        elif len(tags) <= AT_ONCE:
            self._ids = [tag.id for tag in sorted(tags, key=self._key, reverse=self._descending)]
        else:
            self._ids = self._as_before(tags)
            self._sorting = Ordering(tags, self._key, descending=self._descending)
            self._steps.start()
        return self._ids

    def _as_before(self, tags: Sequence[Tag]) -> list[str]:
        wanted = dict.fromkeys(tag.id for tag in tags)
        kept = dict.fromkeys(id_ for id_ in self._ids if id_ in wanted)
        return list(kept | wanted)

    def _on_step(self) -> None:
        if self._sorting is not None and self._sorting.step(STEP_S):
            self._ids = [tag.id for tag in self._sorting.result]
            self._leave()
            self.sorted.emit()

    def _leave(self) -> None:
        self._steps.stop()
        self._sorting = None
