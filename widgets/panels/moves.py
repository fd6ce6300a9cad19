"""Find what moves: look at a part of a machine, act on it, and see what changed. Asks the device only while it is seen."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from widgets.registry import Panel
from widgets.workbench import Workbench


def _build(workbench: Workbench) -> QWidget:
    from widgets.moves_panel import MovesPanel

    return MovesPanel(workbench)


PANEL = Panel("moves", "Find what moves", "bottom", _build, 25)
