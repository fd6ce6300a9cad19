"""References: everything that the selected node refers to, and that refers to it."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from widgets.registry import Panel
from widgets.workbench import Workbench


def _build(workbench: Workbench) -> QWidget:
    from widgets.references_panel import ReferencesPanel

    return ReferencesPanel(workbench)


PANEL = Panel("references", "References", "bottom", _build, 15)
