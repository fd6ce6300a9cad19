"""Reads a list without the window standing still: its form in a thread, its rows a little at a time."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal

from app.errors import UserError
from app.taglists.base import Context
from app.taglists.reading import Reading, Source, read_source

POLL_MS: Final = 20
SMALL: Final = 16_000
"""Bytes up to which a list is read at once: a few milliseconds."""
SLICE_S: Final = 0.012
"""So long rows are read before the window gets its turn."""


class ListReader(QObject):
    """One list at a time; a newer request makes an older one void.

    The thread computes a pure function of bytes and puts the result into a queue. It never holds this object, or any other one of Qt.

    Signals:
        opened: The Source, with its columns as recognised.
        read: The TagList of one of its tables.
        went_on: (rows done, rows in all) while rows are read.
        failed: A UserError.
    """

    opened = Signal(object)
    read = Signal(object)
    went_on = Signal(int, int)
    failed = Signal(object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._running: queue.SimpleQueue[Source | Exception] | None = None
        self._poll = QTimer(self, interval=POLL_MS)
        self._poll.timeout.connect(self._on_poll)
        self._reading: Reading | None = None
        self._steps: Iterator[int] | None = None
        self._turn = QTimer(self, interval=0)
        self._turn.timeout.connect(self._on_turn)

    @property
    def busy(self) -> bool:
        return self._running is not None or self._steps is not None

    def open(self, data: bytes, name: str) -> None:
        self._running = queue.SimpleQueue()
        work = _work(data, name, self._running)
        if len(data) <= SMALL:
            work()
            self._on_poll()
            return
        threading.Thread(target=work, name="read list", daemon=True).start()
        self._poll.start()

    def interpret(self, source: Source, at: int, context: Context) -> None:
        """Read the rows of one table; small ones are done when this returns."""
        self._turn.stop()
        self._reading = Reading(source, at, context)
        self._steps = self._reading.steps()
        self._on_turn()
        if self._steps is not None:
            self._turn.start()

    def stop(self) -> None:
        """What runs is told to nobody."""
        self._running, self._steps, self._reading = None, None, None
        self._poll.stop()
        self._turn.stop()

    def _on_poll(self) -> None:
        if self._running is None:
            return
        try:
            outcome = self._running.get_nowait()
        except queue.Empty:
            return
        self._running = None
        self._poll.stop()
        if isinstance(outcome, Source):
            self.opened.emit(outcome)
        elif isinstance(outcome, UserError):
            self.failed.emit(outcome)
        else:
            raise outcome  # a bug: the crash dialog shows it

    def _on_turn(self) -> None:
        reading, steps = self._reading, self._steps
        if reading is None or steps is None:
            self._turn.stop()
            return
        until_s = time.monotonic() + SLICE_S
        done = 0
        for done in steps:
            if time.monotonic() > until_s:
                self.went_on.emit(done, reading.count)
                return
        self._steps = None
        self._turn.stop()
        self.read.emit(reading.result())


def _work(data: bytes, name: str, out: queue.SimpleQueue[Source | Exception]) -> Callable[[], None]:
    def run() -> None:
        try:
            out.put(read_source(data, name))
        except Exception as error:
            out.put(error)

    return run
