"""What should not be in the way of the first picture: done when the event loop has nothing left to do, however long that takes."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QAbstractEventDispatcher, QObject


class _Once(QObject):
    def __init__(self, parent: QObject, slot: Callable[[], object]) -> None:
        super().__init__(parent)
        self._slot: Callable[[], object] | None = slot
        self._dispatcher = QAbstractEventDispatcher.instance()
        self._dispatcher.aboutToBlock.connect(self._on_about_to_block)

    def _on_about_to_block(self) -> None:
        self._dispatcher.aboutToBlock.disconnect(self._on_about_to_block)
        slot, self._slot = self._slot, None
        self.deleteLater()
        if slot is not None:
            slot()


def once_idle(parent: QObject, slot: Callable[[], object]) -> None:
    """Call the slot, which is short, when the loop is about to wait for the first time from now on. Never, when the parent goes before.

    A timer of a few milliseconds, begun before the loop, comes before the window is painted on a machine that is busy with other things.
    """
    _Once(parent, slot)
