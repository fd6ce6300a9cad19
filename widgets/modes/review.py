"""Review: what is approved, what changed since, what nobody has looked at."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from widgets.registry import Mode
from widgets.review_states import states_of
from widgets.workbench import Workbench


def _build(workbench: Workbench) -> QWidget:
    from widgets.review_mode import ReviewMode

    return ReviewMode(workbench)


def _waiting(workbench: Workbench) -> int:
    """Changed, or never reviewed."""
    counts = states_of(workbench).counts()
    return counts["changed"] + counts["never reviewed"]


MODE = Mode("review", "Review", "review", 40, _build, _waiting, panels=("details", "problems", "log"))
