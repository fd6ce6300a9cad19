"""The window on the factory's project, with readings that a test sets: no server is needed to see what is made of a value."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QTableView, QWidget

from app.model.values import Quality, Sample, Value
from app.runtime.state import Reading
from tests.factory import line4_project
from widgets.main_window import MainWindow
from widgets.workbench import Workbench

NOW_NS = 1_772_000_000_000_000_000
SetReading = Callable[..., None]


@pytest.fixture
def line4(window: MainWindow) -> Workbench:
    """A workbench on the packaging line; nothing is connected."""
    window.workbench.new(line4_project())
    return window.workbench


@pytest.fixture
def set_reading(line4: Workbench, monkeypatch: pytest.MonkeyPatch) -> SetReading:
    """``set_reading(tag, value, stale=False, quality=GOOD)``: what the live project says of a tag from then on."""
    known: dict[str, Reading] = {}
    monkeypatch.setattr(line4.live, "reading", lambda tag: known.get(tag, Reading(problem="not connected")))

    def put(tag: str, value: Value, *, stale: bool = False, quality: Quality = Quality.GOOD) -> None:
        held = line4.tag(tag)
        assert held is not None
        sample = Sample(value, held.type, quality, 0, NOW_NS, NOW_NS + 1_000_000, NOW_NS + 2_000_000)
        known[tag] = Reading(sample, stale, 90.0 if stale else 0.1, 0.1, 250.0, "")
        line4.tags_changed.emit({tag})

    return put


def type_into(widget: QWidget, text: str) -> None:
    """Replace what is in a line as a person does."""
    widget.setFocus()
    QTest.keySequence(widget, "Ctrl+A")
    QTest.keyClicks(widget, text) if text else QTest.keyClick(widget, Qt.Key.Key_Delete)


def click(widget: QWidget) -> None:
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton, pos=QPoint(widget.width() // 2, widget.height() // 2))


def cells(view: QTableView, column: int) -> list[str]:
    model = view.model()
    return [str(model.index(row, column).data() or "") for row in range(model.rowCount())]
