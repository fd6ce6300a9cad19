"""Everything below a node is read for the search: slowly, counted, and ended with one click."""

from __future__ import annotations

from time import monotonic
from typing import Final

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.drivers.opcua.questions import CrawlBelow, FoundNode, FoundNodes
from app.errors import UserError
from app.runtime.state import Reply
from app.workspace.node_process import Row
from widgets.look import ElidedLabel, tool_button
from widgets.workbench import Workbench

SAY_EVERY_S: Final = 0.25
"""Replies come far more often than a person reads numbers."""


def _row(node: FoundNode) -> Row:
    return (node.id, node.name, node.path, node.node_class, node.type)


class Crawl(QObject):
    """One at a time. What is found goes into the workspace's cache as it comes, so that an ended one was not in vain.

    Signals:
        changed: Count, rate or state are new.
    """

    changed = Signal()

    def __init__(self, workbench: Workbench, parent: QObject) -> None:
        super().__init__(parent)
        self._workbench = workbench
        self._token: int | None = None
        self._begun_s = self._said_s = 0.0
        self._key = ""
        self.name = ""
        self.count = self.refused = 0
        self.words = ""
        workbench.project_replaced.connect(self.cancel)

    @property
    def running(self) -> bool:
        return self._token is not None

    def start(self, endpoint: str, node: str, name: str, *, per_s: int, limit: int) -> None:
        """Begin, unless one is running."""
        if self.running:
            return
        self.name, self.count, self.refused = name, 0, 0
        self._key, self._begun_s = self._workbench.cache_key(endpoint), monotonic()
        token = self._workbench.live.ask(endpoint, CrawlBelow(node=node, limit=limit, per_s=per_s))
        self._token = self._workbench.ask(token, lambda reply: self._on_reply(reply, limit))
        self._say(f"Reading below {name}…")

    def cancel(self) -> None:
        if self._token is not None:
            self._workbench.forget(self._token)
            self._end("cancelled")

    def _on_reply(self, reply: Reply, limit: int) -> None:
        result = reply.result
        if isinstance(result, UserError):
            self._end(f"{result.what}: {result.why}")
            return
        assert isinstance(result, FoundNodes)
        self._workbench.workspace.remember_nodes(self._key, result.nodes, _row)
        self.count += len(result.nodes)
        self.refused += result.refused
        if reply.done:
            self._end(f"ended at the limit of {limit:,}" if self.count >= limit else "")
            return
        now_s = monotonic()
        if now_s - self._said_s < SAY_EVERY_S:
            return
        self._said_s = now_s
        seconds = max(now_s - self._begun_s, 0.001)
        self._say(f"{self.count:,} nodes, {self.count / seconds:,.0f}/s, below {self.name}{self._refusals()}")

    def _end(self, why: str) -> None:
        self._token = None
        self._say(f"{self.count:,} nodes read below {self.name}{self._refusals()}{f' · {why}' if why else ''}")

    def _refusals(self) -> str:
        return f" · {self.refused:,} could not be read" if self.refused else ""

    def _say(self, words: str) -> None:
        self.words = words
        self.changed.emit()


class CrawlStrip(QWidget):
    """The line that says how far it is, with *Cancel* while it runs and *Close* after."""

    def __init__(self, crawl: Crawl) -> None:
        super().__init__()
        self._crawl = crawl
        self.text = ElidedLabel("", "dim")
        self.button = tool_button("close", "Cancel reading")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.text, 1)
        layout.addWidget(self.button)
        self.button.clicked.connect(self._on_clicked)
        crawl.changed.connect(self._on_changed)
        self.hide()

    def _on_changed(self) -> None:
        self.text.setText(self._crawl.words)
        self.text.setToolTip(self._crawl.words)
        title = "Cancel reading" if self._crawl.running else "Close this line"
        self.button.setToolTip(title)
        self.button.setAccessibleName(title)
        self.show()

    def _on_clicked(self) -> None:
        if self._crawl.running:
            self._crawl.cancel()
        else:
            self.hide()
