"""Review states of everything that is reviewed, kept while it holds: a digest costs about 50 µs, and there may be 50,000."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal

from app.edits import Edit
from app.model.mapping import Delivery, Mapping
from app.model.plant import Tag
from app.model.reviewing import Approval
from app.review.approval import ReviewState, review_state
from widgets.workbench import Workbench

SLICE_S: Final = 0.02
"""Time that one slice of recounting may take of the window's thread."""

_NOT_REVIEWED: Final = frozenset({"comment", "suppression", "watchlist", "tagloom"})
"""Kinds that no closure holds (``app.review.approval``)."""


class ReviewStates(QObject):
    """One per workbench: ``states_of``.

    Signals:
        changed: States of some elements may be other ones now.
    """

    changed = Signal()

    def __init__(self, workbench: Workbench) -> None:
        super().__init__(workbench)
        self._workbench = workbench
        self._known: dict[str, ReviewState] = {}
        self._slice = QTimer(self, singleShot=True, interval=0)
        self._slice.timeout.connect(self._on_slice)
        workbench.edited.connect(self._on_edited)
        workbench.project_replaced.connect(self._on_project_replaced)

    def state(self, id_: str) -> ReviewState:
        """State of a mapping or delivery, from memory where it is known."""
        if id_ not in self._known:
            self._known[id_] = review_state(self._workbench.project, id_)
        return self._known[id_]

    def ids(self) -> list[str]:
        """Everything that is reviewed: mappings, then deliveries."""
        project = self._workbench.project
        return [*project.all(Mapping), *project.all(Delivery)]

    def counts(self) -> Counter[ReviewState]:
        """How many are in each state, of those known within one slice; the rest follows, with ``changed``."""
        deadline = time.monotonic() + SLICE_S
        found: Counter[ReviewState] = Counter()
        for id_ in self.ids():
            if id_ in self._known or time.monotonic() < deadline:
                found[self.state(id_)] += 1
            elif not self._slice.isActive():
                self._slice.start()
        return found

    def _on_slice(self) -> None:
        deadline = time.monotonic() + SLICE_S
        for id_ in self.ids():
            self.state(id_)
            if time.monotonic() >= deadline:
                self._slice.start()
                return
        self.changed.emit()
        self._workbench.findings_changed.emit()  # the rail asks every mode for its count then

    def _on_project_replaced(self) -> None:
        self._known.clear()
        self.changed.emit()

    def _on_edited(self, edit: Edit) -> None:
        touched = touched_by(self._workbench, edit)
        if touched is None:
            self._known.clear()
        else:
            for id_ in touched:
                self._known.pop(id_, None)
        self.changed.emit()


def touched_by(workbench: Workbench, edit: Edit) -> set[str] | None:
    """Ids of mappings and deliveries whose closure an edit may have changed; None for all."""
    found: set[str] = set()
    for change in edit.changes:
        if change.kind in _NOT_REVIEWED:
            continue
        for element in (change.before, change.after):
            match element:
                case Mapping():
                    found.add(element.id)
                case Approval():
                    found.add(element.about)
                case Tag():
                    found.update(_ids(workbench.project.mappings_from(element.id)))
                case None:
                    continue
                case _:
                    return None
    return found


def _ids(mappings: Iterable[Mapping]) -> Iterable[str]:
    return (mapping.id for mapping in mappings)


def states_of(workbench: Workbench) -> ReviewStates:
    """The one of this workbench, made when first asked."""
    found = workbench.findChild(ReviewStates)
    return found if isinstance(found, ReviewStates) else ReviewStates(workbench)
