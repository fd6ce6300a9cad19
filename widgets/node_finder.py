"""Asks the browse cache in its own thread, and tells what it found in this one."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal

from app.workspace.node_cache import Found
from widgets.workbench import Workbench

POLL_MS: Final = 10


class NodeFinder(QObject):
    """One question at a time: a new one takes the place of the one before, whose answer nobody hears.

    Signals:
        found: (text that was asked for, list of (endpoint id, KnownNode), how many nodes are known).
    """

    found = Signal(str, object, int)

    def __init__(self, workbench: Workbench, parent: QObject) -> None:
        super().__init__(parent)
        self._workbench = workbench
        self._asked: Future[Found] | None = None
        self._text = ""
        self._endpoints: dict[str, str] = {}  # cache key → endpoint id
        self._poll = QTimer(self, interval=POLL_MS)
        self._poll.timeout.connect(self._on_poll)

    def ask(self, text: str, limit: int) -> None:
        """Look for every word of the text in names, paths and ids, at all endpoints."""
        self.stop()
        self._text = text
        self._endpoints = {self._workbench.cache_key(id_): id_ for id_ in self._workbench.endpoints()}
        self._asked = self._workbench.workspace.search_nodes(list(self._endpoints), text, limit)
        self._poll.start()

    def stop(self) -> None:
        self._poll.stop()
        if self._asked is not None:
            self._asked.cancel()
            self._asked = None

    @property
    def is_asking(self) -> bool:
        return self._asked is not None

    def _on_poll(self) -> None:
        if self._asked is not None and self._asked.done():
            result = self._asked.result()
            self.stop()
            self.found.emit(self._text, [(self._endpoints[key], node) for key, node in result.hits], result.known)
