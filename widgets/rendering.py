"""Renders a project for a gateway target beside the window's thread, and hands the result over in it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal

from app.errors import UserError
from app.gateways.base import Exporter, Options, Rendered
from app.model.project import Project, ProjectInfo

POLL_MS: Final = 20
Outcome = Rendered | Exception


class Rendering(QObject):
    """One rendering at a time; a newer request makes an older result void.

    The thread computes a pure function of a copy of the project (its elements are frozen, its indexes belong to one thread)
    and puts the result into a queue. It never holds this object, or any other one of Qt.

    Signals:
        done: A Rendered, or a UserError.
    """

    done = Signal(object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._running: queue.SimpleQueue[Outcome] | None = None
        self._next: tuple[Exporter, Project, Options] | None = None
        self._poll = QTimer(self, interval=POLL_MS)
        self._poll.timeout.connect(self._on_poll)

    @property
    def busy(self) -> bool:
        return self._running is not None

    def start(self, exporter: Exporter, project: Project, options: Options) -> None:
        """Begin, or begin as soon as what runs has ended; its result is then not told."""
        copy = Project(project.info, (element for element in project.elements() if not isinstance(element, ProjectInfo)))
        self._next = (exporter, copy, options)
        if self._running is None:
            self._begin()

    def _begin(self) -> None:
        assert self._next is not None
        exporter, project, options = self._next
        self._next = None
        self._running = queue.SimpleQueue()
        work = _work(exporter, project, options, self._running)
        threading.Thread(target=work, name=f"render {exporter.key}", daemon=True).start()
        self._poll.start()

    def _on_poll(self) -> None:
        assert self._running is not None
        try:
            outcome = self._running.get_nowait()
        except queue.Empty:
            return
        self._running = None
        self._poll.stop()
        if self._next is not None:
            self._begin()
        elif isinstance(outcome, Rendered | UserError):
            self.done.emit(outcome)
        else:
            assert isinstance(outcome, Exception)
            raise outcome  # a bug: the crash dialog shows it


def _work(exporter: Exporter, project: Project, options: Options, out: queue.SimpleQueue[Outcome]) -> Callable[[], None]:
    def run() -> None:
        try:
            out.put(exporter.render(project, options))
        except Exception as error:
            out.put(error)

    return run
