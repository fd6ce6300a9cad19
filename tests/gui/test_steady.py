"""The window's interpreter: how long it is kept by others, and when the collector looks at what."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QObject, QTimer

from widgets.steady import SWITCH_S, keep_steady


@pytest.fixture
def as_before() -> Iterator[None]:
    switch_s, threshold = sys.getswitchinterval(), gc.get_threshold()
    yield
    sys.setswitchinterval(switch_s)
    gc.set_threshold(*threshold)


@pytest.mark.usefixtures("qapp", "as_before")
def test_that_the_collector_looks_at_all_objects_only_when_it_is_told_to() -> None:
    parent = QObject()
    keep_steady(parent)
    assert sys.getswitchinterval() == pytest.approx(SWITCH_S)
    gc.collect()
    before = gc.get_stats()[2]["collections"]
    kept: list[list[object]] = [[] for _ in range(400_000)]
    assert gc.get_stats()[2]["collections"] == before, "a frame waited for it"
    (timer,) = parent.findChildren(QTimer)
    timer.timeout.emit()
    assert gc.get_stats()[2]["collections"] == before + 1
    assert len(kept) == 400_000
