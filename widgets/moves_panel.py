"""Find what moves: look at a part of a machine, act on it, and see what changed. Asks the device only while it is seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDockWidget, QHBoxLayout, QMainWindow, QMenu, QStackedWidget, QTableView, QVBoxLayout, QWidget

from widgets.keys import on_key
from widgets.look import ColumnFit, ElidedLabel, EmptyState, button, calm_table, icon, set_kind
from widgets.models.moved import MovedModel
from widgets.moves_part import WatchedPart
from widgets.moving import Moving
from widgets.node_menu import driver_of
from widgets.node_tags import tags_from_nodes
from widgets.register_tags import tags_from_words
from widgets.seen import is_seen
from widgets.workbench import Workbench

HIDDEN_MS: Final = 300
"""Out of sight for so long is hidden; docks that are laid out anew hide for a moment."""
LEAST_PX: Final = 260
"""As high the panel becomes when it is asked for: a ranking of two rows helps nobody."""


class MovesPanel(QWidget):
    """What it looks at follows the selection in the tree, until *Start watching*."""

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self._workbench = workbench
        self.moving = Moving(workbench, self)
        self.part = WatchedPart(workbench)
        self.model = MovedModel()
        self._hidden = QTimer(self, singleShot=True, interval=HIDDEN_MS)
        self._hidden.timeout.connect(self._on_hidden)
        self._build_table()
        self._build()
        self._connect()
        self._refresh()

    # Building

    def _build_table(self) -> None:
        self.view = QTableView()
        calm_table(self.view, "What moved, ranked")
        self.view.setModel(self.model)
        ColumnFit(self.view, [(3, 14), (6, 18), (2, 10), (2, 10), (1, 8), (4, 22)])
        self.view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self._empty = EmptyState("record", "")
        self._pages = QStackedWidget()
        self._pages.addWidget(self._empty)
        self._pages.addWidget(self.view)

    def _build(self) -> None:
        self.watch = button("Start watching", "eye", kind="primary")
        self.act = button("Start", "play")
        self.act.setMinimumWidth(96)
        self._act_label = ElidedLabel("Now act on the machine:", "dim")
        self.add = button("Add as tags", "add", tip="Add the selected rows as tags (Return)")
        self.show_in = button("Show", "right", tip="Go to the selected row in the address space")
        self.plot = button("Plot", "plot-add", tip="Add the selected rows as tags, and plot them")
        self.state = ElidedLabel("")
        self.state.setAccessibleName("How far it is")
        self.warning = ElidedLabel("", "warn")
        bar = QHBoxLayout()
        bar.setSpacing(8)
        bar.addWidget(self.part, 1)
        for tool in (self.watch, self._act_label, self.act):
            bar.addWidget(tool)
        said = QHBoxLayout()
        said.setSpacing(8)
        for words in (self.state, self.warning):
            said.addWidget(words)
        said.addStretch(1)
        for tool in (self.add, self.show_in, self.plot):
            said.addWidget(tool)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 4)
        layout.setSpacing(4)
        layout.addLayout(bar)
        layout.addLayout(said)
        layout.addWidget(self._pages, 1)

    def _connect(self) -> None:
        self.part.changed.connect(self._refresh)
        self.watch.clicked.connect(self._on_watch)
        self.act.clicked.connect(self._on_act)
        self.add.clicked.connect(lambda: self._as_tags(self._said))
        self.plot.clicked.connect(lambda: self._as_tags(self._workbench.plot_asked.emit))
        self.show_in.clicked.connect(self._on_show)
        self.moving.changed.connect(self._refresh)
        self.view.selectionModel().selectionChanged.connect(lambda *_: self._enable())
        self.view.customContextMenuRequested.connect(self._on_menu)
        self.view.doubleClicked.connect(lambda _: self._on_show())
        on_key(self.view, "Return", self.add.click)
        on_key(self.view, "Ctrl+C", self._copy)
        on_key(self.view, "Space", self.act.click)
        self._workbench.staleness_ticked.connect(self._on_tick)
        self._workbench.moves_asked.connect(self._on_asked)
        self._workbench.selection_changed.connect(self._on_selected)
        self._workbench.endpoint_changed.connect(lambda _: self._refresh())

    # Which part

    def _on_asked(self, endpoint: str, nodes: Sequence[str], names: Sequence[str]) -> None:
        self._come_to_front()
        if self.moving.is_watching:
            self._workbench.said.emit("Stop watching first, then choose another part")
        else:
            self.part.choose(endpoint, nodes, names)
        self.watch.setFocus()

    def _come_to_front(self) -> None:
        dock, window = self.parentWidget(), self.window()
        if isinstance(dock, QDockWidget):
            dock.show()
            dock.raise_()
            if isinstance(window, QMainWindow) and dock.height() < LEAST_PX and not dock.isFloating():
                window.resizeDocks([dock], [LEAST_PX], Qt.Orientation.Vertical)

    def _on_selected(self) -> None:
        selection = self._workbench.selection
        if not is_seen(self) or self.moving.is_watching:
            return
        if selection.kind == "node":
            self.part.choose(selection.endpoint, selection.ids, selection.names)
        elif selection.kind == "endpoint" and selection.ids:
            self.part.choose(selection.ids[0])

    # Watching

    def _on_watch(self) -> None:
        if self.moving.is_watching:
            self.moving.end()
        elif self.part.is_modbus:
            first, last = self.part.registers
            self.moving.watch_registers(self.part.endpoint, self.part.unit.value(), str(self.part.table.currentData()), first, last)
        else:
            self.moving.watch_nodes(self.part.endpoint, self.part.nodes, self.part.name)

    def _on_act(self) -> None:
        if self.moving.phase == "acting":
            self.moving.end_acting()
        else:
            self.moving.begin_acting()

    def _on_tick(self) -> None:
        if self.moving.is_watching and not is_seen(self) and not self._hidden.isActive():
            self._hidden.start()

    def _on_hidden(self) -> None:
        if self.moving.is_watching and not is_seen(self):
            self.moving.end("Watching has ended: this panel was out of sight")

    # What is shown

    def _refresh(self) -> None:
        if self.moving.ranking != self.model.rows:
            self.model.set_ranking(self.moving.ranking, self.moving.paths)
        self.state.setText(self.moving.words())
        self.warning.setText(self.moving.warning())
        self.warning.setVisible(bool(self.warning.text()))
        self._pages.setCurrentIndex(1 if self.model.rows else 0)
        if not self.model.rows:
            self._empty.set_words(*self._what_next())
        self._enable()

    def _connected(self) -> bool:
        return bool(self.part.endpoint) and self._workbench.live.state(self.part.endpoint).phase == "connected"

    def _what_next(self) -> tuple[str, str]:
        """For the empty table: where the person is, and the next step."""
        if not self.part.endpoint:
            return "No endpoint yet", "Add one, connect, then find here which of its values a movement of the machine changes."
        match self.moving.phase:
            case "gathering":
                return "Looking for what can be watched…", ""
            case "learning":
                return (
                    "Leave the machine alone for a moment",
                    "So that what moves by itself is known. Then press Start and act on the machine.",
                )
            case "acting":
                return "Act on the machine now", "What changes appears here at once, what you moved first. Press Stop when it is done."
            case "acted":
                return "Nothing changed", "Start again, or stop watching and choose another part."
        if not self._connected():
            return "Not connected", "Connect this endpoint, then start watching."
        part = "Give a range of registers" if self.part.is_modbus else "Select a part of the address space in the tree"
        return "Which value is it?", f"{part}, start watching, act on the machine: what changed then is listed, most telling first."

    def _enable(self) -> None:
        watching, live = self.moving.is_watching, self._workbench.live
        self.part.setEnabled(not watching)
        self.watch.setText("Stop watching" if watching else "Start watching")
        self.watch.setIcon(icon("eye-off" if watching else "eye", "text" if watching else "on_accent"))
        self.watch.setEnabled(watching or (self._connected() and not live.paused))
        self.watch.setToolTip("Reading is paused" if live.paused else "")
        set_kind(self.watch, "" if watching else "primary")
        acting = self.moving.phase == "acting"
        self.act.setText("Stop" if acting else "Start")
        self.act.setIcon(icon("stop" if acting else "play", "on_accent" if watching else "text"))
        self.act.setAccessibleName("Stop: the machine has moved" if acting else "Start: I act on the machine now")
        self.act.setToolTip(f"{self.act.accessibleName()} (Space)")
        self.act.setEnabled(acting or self.moving.can_act)
        set_kind(self.act, "primary" if watching else "")
        self._act_label.setEnabled(self.act.isEnabled())
        chosen = bool(self.view.selectionModel().selectedRows())
        held = self._workbench.endpoint(self.moving.endpoint) is not None
        for tool in (self.add, self.plot, self.show_in):
            tool.setEnabled(chosen and held)

    # What is done with it

    def addresses(self) -> list[str]:
        """Of the selected rows, best first."""
        rows = sorted(index.row() for index in self.view.selectionModel().selectedRows())
        return [self.model.rows[row].address for row in rows]

    def _said(self, tags: list[str]) -> None:
        self._workbench.said.emit(f"{len(tags)} {'tag' if len(tags) == 1 else 'tags'} in the table")

    def _as_tags(self, on_tags: Callable[[list[str]], None]) -> None:
        endpoint, addresses = self.moving.endpoint, self.addresses()
        if not addresses or self._workbench.endpoint(endpoint) is None:
            return
        make = tags_from_words if driver_of(self._workbench, endpoint) == "modbus" else tags_from_nodes
        make(self._workbench, endpoint, addresses, on_tags)

    def _on_show(self) -> None:
        addresses = self.addresses()
        if addresses:
            self._workbench.node_asked.emit(self.moving.endpoint, addresses[0])

    def _copy(self) -> None:
        rows = sorted(index.row() for index in self.view.selectionModel().selectedRows())
        lines = ("\t".join((*self.model.cells(self.model.rows[row]), self.model.rows[row].address)) for row in rows)
        QGuiApplication.clipboard().setText("\n".join(lines))

    def _on_menu(self, at: QPoint) -> None:
        if not self.view.indexAt(at).isValid():
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for title, name, slot in (
            ("Add as tags\tReturn", "add", self.add.click),
            ("Plot", "plot-add", self.plot.click),
            ("Show in the address space", "right", self.show_in.click),
        ):
            menu.addAction(icon(name), title).triggered.connect(partial(slot))
        menu.addSeparator()
        menu.addAction(icon("copy"), "Copy rows\tCtrl+C").triggered.connect(self._copy)
        menu.popup(self.view.viewport().mapToGlobal(at))
