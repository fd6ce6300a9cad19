"""References: everything that the selected node refers to, and that refers to it."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QHideEvent, QShowEvent
from PySide6.QtWidgets import QMenu, QStackedWidget, QTableView, QVBoxLayout, QWidget

from app.drivers.opcua.questions import Reference, ReferencePage, References
from app.errors import UserError
from app.runtime.state import Reply
from widgets.keys import on_key
from widgets.look import ColumnFit, ElidedLabel, EmptyState, calm_table, icon
from widgets.models.references import ReferencesModel, cells, is_elsewhere
from widgets.node_menu import driver_of
from widgets.workbench import Workbench

REST_MS: Final = 150
"""The selection must rest so long: arrow keys through a tree ask nothing of the server on the way."""

MOST: Final = 5000


class ReferencesPanel(QWidget):
    """Asks only while it is seen; a node selected meanwhile is asked about when it is seen again."""

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self._workbench = workbench
        self._wanted: tuple[str, str] = ("", "")
        self._shown: tuple[str, str] = ("", "")
        self._token: int | None = None
        self.model = ReferencesModel()
        self._timer = QTimer(self, singleShot=True, interval=REST_MS)
        self._timer.timeout.connect(self._load)
        self._build()
        workbench.selection_changed.connect(self._on_selection_changed)
        workbench.endpoint_changed.connect(self._on_endpoint_changed)
        workbench.project_replaced.connect(self._on_selection_changed)
        workbench.reread_asked.connect(self._on_reread)
        self._say("Nothing selected", "Select a node of an address space.")

    def _build(self) -> None:
        self.view = QTableView()
        calm_table(self.view, "References of the selected node")
        self.view.setModel(self.model)
        ColumnFit(self.view, [(3, 14), (1, 9), (4, 14), (2, 9), (3, 12)])
        self.view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.view.customContextMenuRequested.connect(self._on_menu)
        self.view.doubleClicked.connect(lambda index: self._go(self.model.rows[index.row()]))
        on_key(self.view, "Return", self._go_to_selected)
        on_key(self.view, "Ctrl+C", self._copy_rows)
        on_key(self.view, "F5", self._on_reread)
        self.note = ElidedLabel("", "dim")
        shown = QWidget()
        column = QVBoxLayout(shown)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.view, 1)
        column.addWidget(self.note)
        self._words = EmptyState("link", "")
        self._pages = QStackedWidget()
        self._pages.addWidget(self._words)
        self._pages.addWidget(shown)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 4)
        layout.addWidget(self._pages)

    # When it is read

    def _on_selection_changed(self) -> None:
        selection = self._workbench.selection
        self._wanted = (selection.endpoint, selection.ids[0]) if selection.kind == "node" and selection.ids else ("", "")
        if not self._wanted[1]:
            if selection.kind not in ("tag", "attribute", "asset"):  # those leave the node that was shown in view
                self._forget()
                self._shown = ("", "")
                self._say("Nothing selected", "Select a node of an address space.")
        elif self._wanted != self._shown:
            self._timer.start()

    def _on_endpoint_changed(self, endpoint: str) -> None:
        if endpoint == self._wanted[0] and self._pages.currentIndex() == 0 and self._token is None:
            self._shown = ("", "")
            self._timer.start()

    def _on_reread(self) -> None:
        if self._wanted[1]:
            self._shown = ("", "")
            self._timer.start()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        if self._token is not None:  # half of the answer is no answer
            self._forget()
            self._shown = ("", "")

    def _load(self) -> None:
        if not self.isVisible() or self._wanted == self._shown or not self._wanted[1]:
            return
        endpoint, node = self._shown = self._wanted
        self._forget()
        self.model.clear()
        if driver_of(self._workbench, endpoint) != "opcua":
            self._say("No references", "Units and tables of a Modbus device do not refer to anything.")
        elif self._workbench.live.state(endpoint).phase != "connected":
            self._say("Not connected", "References are read from the server: connect the endpoint.")
        else:
            self._say("Reading references…")
            token = self._workbench.live.ask(endpoint, References(node=node))
            self._token = self._workbench.ask(token, self._on_reply)

    def _forget(self) -> None:
        if self._token is not None:
            self._workbench.forget(self._token)
            self._token = None

    def _on_reply(self, reply: Reply) -> None:
        if reply.done:
            self._token = None
        result = reply.result
        if isinstance(result, UserError):
            self._say(result.what, ". ".join(filter(None, (result.why, result.fix))))
            return
        assert isinstance(result, ReferencePage)
        self.model.add(result.references)
        count = len(self.model.rows)
        if count > MOST and not reply.done:
            self._forget()
            self._end(f"the first {count:,}; the node has more")
        elif reply.done or result.trouble:
            self._end(result.trouble)
        else:
            self._pages.setCurrentIndex(1)
            self.note.setText(f"{count:,} references, reading…")

    def _end(self, why: str) -> None:
        count = len(self.model.rows)
        if not count:
            self._say("No references", why or "The server names none for this node.")
            return
        self._pages.setCurrentIndex(1)
        self.note.setText(" · ".join(filter(None, (f"{count:,} reference{'' if count == 1 else 's'}", why))))

    def _say(self, sentence: str, hint: str = "") -> None:
        self._words.set_words(sentence, hint)
        self._pages.setCurrentIndex(0)

    # What is done

    def selected(self) -> list[Reference]:
        return [self.model.rows[index.row()] for index in self.view.selectionModel().selectedRows()]

    def _go_to_selected(self) -> None:
        rows = self.selected()
        if rows:
            self._go(rows[0])

    def _go(self, row: Reference) -> None:
        if is_elsewhere(row):
            self._workbench.said.emit(f"{row.name} is on another server: connect to that server to see it")
        else:
            self._workbench.node_asked.emit(self._shown[0], row.target)

    def _copy_rows(self) -> None:
        rows = self.selected()
        _to_clipboard("\n".join("\t".join((*cells(row), row.target)) for row in rows))

    def _on_menu(self, at: QPoint) -> None:
        index = self.view.indexAt(at)
        if not index.isValid():
            return
        row = self.model.rows[index.row()]
        rows = self.selected() or [row]
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        go = menu.addAction(icon("right"), "Go to node\tReturn")
        go.setEnabled(not is_elsewhere(row))
        go.triggered.connect(lambda: self._go(row))
        menu.addSeparator()
        menu.addAction(icon("copy"), "Copy rows\tCtrl+C").triggered.connect(self._copy_rows)
        menu.addAction("Copy id of the node").triggered.connect(lambda: _to_clipboard("\n".join(one.target for one in rows)))
        menu.addAction("Copy id of the reference type").triggered.connect(lambda: _to_clipboard("\n".join(one.type for one in rows)))
        menu.popup(self.view.viewport().mapToGlobal(at))


def _to_clipboard(text: str) -> None:
    QGuiApplication.clipboard().setText(text)
