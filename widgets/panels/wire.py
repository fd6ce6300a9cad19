"""Wire: what is sent and what comes back, with its meaning; and a raw request to a Modbus device. Watches only while it is visible."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from widgets.registry import Panel
from widgets.workbench import Workbench


def _build(workbench: Workbench) -> QWidget:
    from widgets.wire_panel import WirePanel

    return WirePanel(workbench)


PANEL = Panel("wire", "Wire", "bottom", _build, 30)
