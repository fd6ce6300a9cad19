"""Message: topic and JSON of the selected asset, as a gateway would send it now."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from widgets.registry import Panel
from widgets.workbench import Workbench


def _build(workbench: Workbench) -> QWidget:
    from widgets.message_panel import MessagePanel

    return MessagePanel(workbench)


PANEL = Panel("message", "Message", "right", _build, 20)
