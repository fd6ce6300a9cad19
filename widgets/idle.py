"""What should not be in the way of the first picture: done when the event loop has nothing left to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QAbstractEventDispatcher, QObject, QTimer

LATEST_MS: Final = 3_000


class _Once(QObject):
    def __init__(self, parent: QObject, slot: Callable[[], object]) -> None:
        super().__init__(parent)
        self._slot: Callable[[], object] | None = slot
        self._dispatcher = QAbstractEventDispatcher.instance()
        self._dispatcher.aboutToBlock.connect(self._on_time)
        QTimer.singleShot(LATEST_MS, self, self._on_time)

    def _on_time(self) -> None:
        slot, self._slot = self._slot, None
        if slot is not None:
            self._dispatcher.aboutToBlock.disconnect(self._on_time)
            self.deleteLater()
            slot()


def once_idle(parent: QObject, slot: Callable[[], object]) -> None:
    """Call the slot, which is short, when the loop is about to wait for the first time from now on. Never, when the parent goes before.

    A loop that never waits, as one that is turned by hand, calls it after ``LATEST_MS``.
    A timer of a few milliseconds, begun before the loop, comes before the window is painted on a machine that is busy with other things.
    """
    _Once(parent, slot)
