"""Looks when the main window has been painted and the event loop has nothing left to do. Imported when there is a window: what it imports
is part of the start that is measured, and has to be imported by the window."""

from __future__ import annotations

import os
import sys
import time

from PySide6.QtCore import QAbstractEventDispatcher, QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication, QMainWindow

AFTER_MS = 1000
BEAT_MS = 5


class Watch(QObject):
    """Costs a call for each event of one widget, and for each sleep."""

    def __init__(self, window: QMainWindow) -> None:
        super().__init__(window)
        self._painted = self._ready = False
        self._beat_s = self._late_s = 0.0
        self._beat = QTimer(self, interval=BEAT_MS, timerType=Qt.TimerType.PreciseTimer)
        self._beat.timeout.connect(self._on_beat)
        window.installEventFilter(self)
        QAbstractEventDispatcher.instance().aboutToBlock.connect(self._on_about_to_block)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self._painted |= event.type() == QEvent.Type.Paint
        return False

    def _on_about_to_block(self) -> None:
        if self._painted and not self._ready:
            self._ready = True
            self._beat_s = time.monotonic()
            self._at = {"monotonic_s": self._beat_s, "cpu_s": time.process_time(), "modules": len(sys.modules)}
            self._beat.start()
            QTimer.singleShot(AFTER_MS, self, self._end)

    def _on_beat(self) -> None:
        now_s = time.monotonic()
        self._late_s = max(self._late_s, now_s - self._beat_s - BEAT_MS / 1000)
        self._beat_s = now_s

    def _end(self) -> None:
        import json

        print(json.dumps({**self._at, "late_ms": self._late_s * 1000}), flush=True)
        os._exit(0)  # what follows is the end of the program, which nobody times


def watch_the_window() -> None:
    """Of which there is one, shown and not painted yet."""
    Watch(next(widget for widget in QApplication.topLevelWidgets() if isinstance(widget, QMainWindow)))
