"""The window: assembles rail, modes, panels, menus and status bar. Rules and contents live in those."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDragMoveEvent, QDropEvent, QShowEvent
from PySide6.QtWidgets import QDockWidget, QHBoxLayout, QMainWindow, QSizePolicy, QStackedWidget, QToolBar, QVBoxLayout, QWidget

from app.errors import UserError
from widgets.connection_questions import ConnectionQuestions
from widgets.dialogs import ask_about_unsaved, show_import_file
from widgets.dock_layout import AREAS, DockLayout, Group, Layout, decode, encode
from widgets.idle import once_idle
from widgets.look import MessageBar, Rail, RailMode, button, label
from widgets.menus import Menus
from widgets.registry import Mode, Panel, modes, panels
from widgets.status_bar import StatusBar
from widgets.workbench import Workbench

BOTTOM_PX = 170
SETTLE_MS = 40
REST_MS = 25
"""Between two docks that are built although nobody has seen them yet."""


class _Modes(QStackedWidget):
    """As small as the mode that is shown can be; Qt's own keeps room for the widest of all pages."""

    def __init__(self) -> None:
        super().__init__()
        self.currentChanged.connect(lambda _: self.updateGeometry())

    def minimumSizeHint(self) -> QSize:
        current = self.currentWidget()
        return current.minimumSizeHint() if current is not None else QSize(0, 0)


class MainWindow(QMainWindow):
    """One window on one workbench."""

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self.workbench = workbench
        self.setObjectName("mainWindow")
        options = QMainWindow.DockOption
        self.setDockOptions(options.AllowTabbedDocks | options.AllowNestedDocks | options.GroupedDragging)
        self.setAcceptDrops(True)
        self._modes = {mode.key: mode for mode in modes()}
        self._built: dict[str, QWidget] = {}
        self._docks: dict[str, QDockWidget] = {}
        self._may_close = self._counted = self._complete = False
        self._build_top()
        self._build_rail()
        self._build_centre()
        self._build_docks()
        self._status = StatusBar(workbench, self)
        self.setStatusBar(self._status)
        self.menus = Menus(self)
        self._questions = ConnectionQuestions(workbench, self)
        self._connect()
        self.resize(1366, 768)
        self.show_mode(next(iter(self._modes)))
        self._stack.setFocus()
        self._on_project_replaced()
        self._on_saved_changed()

    # Building

    def _build_top(self) -> None:
        self._project_name = label("", "title")
        self._project_state = label("", "dim")
        self._find = button("Find a command, tag, asset…      Ctrl+K", "search", kind="quiet", tip="Find anything (Ctrl+K)")
        self._find.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._find.setMinimumWidth(340)
        self._read_only = button("READ-ONLY", "lock", kind="quiet", tip="Nothing in this window can write to a machine")
        row = QWidget()
        layout = QHBoxLayout(row)
        layout.setContentsMargins(12, 6, 12, 6)
        layout.addWidget(self._project_name)
        layout.addWidget(self._project_state)
        layout.addStretch(1)
        layout.addWidget(self._find)
        layout.addStretch(1)
        layout.addWidget(self._read_only)
        self._bar(row, "topBar", Qt.ToolBarArea.TopToolBarArea)

    def _build_rail(self) -> None:
        self._rail = Rail([RailMode(mode.key, mode.title, mode.icon, mode.title) for mode in self._modes.values()])
        self._bar(self._rail, "railBar", Qt.ToolBarArea.LeftToolBarArea)
        self._rail.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)

    def _bar(self, content: QWidget, name: str, area: Qt.ToolBarArea) -> None:
        bar = QToolBar(self)
        bar.setObjectName(name)
        bar.setMovable(False)
        bar.setFloatable(False)
        bar.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        bar.setContentsMargins(0, 0, 0, 0)
        if layout := bar.layout():
            layout.setContentsMargins(0, 0, 0, 0)
        content.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        bar.addWidget(content)
        self.addToolBar(area, bar)

    def _build_centre(self) -> None:
        self._messages = MessageBar()
        self._messages.hide()
        self._stack = _Modes()
        centre = QWidget()
        layout = QVBoxLayout(centre)
        layout.setContentsMargins(8, 0, 8, 0)
        layout.setSpacing(8)
        layout.addWidget(self._messages)
        layout.addWidget(self._stack, 1)
        self.setCentralWidget(centre)

    def _build_docks(self) -> None:
        self.setCorner(Qt.Corner.BottomLeftCorner, Qt.DockWidgetArea.BottomDockWidgetArea)
        self.setCorner(Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.BottomDockWidgetArea)
        self.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, self.tabPosition(Qt.DockWidgetArea.LeftDockWidgetArea).North)
        self._panels = {panel.key: panel for panel in panels()}
        for panel in self._panels.values():
            self._docks[panel.key] = self._dock(panel)
            self._docks[panel.key].hide()
        self._layout = DockLayout(self, self._docks)
        self.workbench.hold()
        self._rest = QTimer(self, interval=REST_MS)
        self._rest.timeout.connect(self._on_rest)
        once_idle(self, self._on_idle)

    def _dock(self, panel: Panel) -> QDockWidget:
        """Empty: what is seen is built before the window is painted, the rest after."""
        dock = QDockWidget(panel.title, self)
        dock.setObjectName(f"dock:{panel.key}")
        self.addDockWidget(AREAS[panel.area], dock)
        return dock

    def _fill(self, key: str) -> None:
        if self._docks[key].widget() is None:
            self._docks[key].setWidget(self._panels[key].build(self.workbench))

    def _on_idle(self) -> None:
        if not self._complete:
            self._rest.start()

    def _on_rest(self) -> None:
        """The counts of the rail, then one dock at a time, so that nobody notices; only then arrives what they have to hear of."""
        if not self._counted:
            self._counted = True
            self._refresh_counts()
            return
        empty = next((key for key, dock in self._docks.items() if dock.widget() is None), None)
        if empty is not None:
            self._fill(empty)
            return
        self._rest.stop()
        self._complete = True
        self.workbench.release()

    def _connect(self) -> None:
        self._rail.chosen.connect(self.show_mode)
        self._find.clicked.connect(lambda: self.menus.trigger("edit.find"))
        self._messages.dismissed.connect(self._messages.hide)
        self.workbench.failed.connect(self.show_error)
        self.workbench.said.connect(lambda text: self._status.showMessage(text, 6000))
        self.workbench.mode_asked.connect(self.show_mode)
        self.workbench.saved_changed.connect(self._on_saved_changed)
        self.workbench.findings_changed.connect(self._refresh_counts)
        self.workbench.project_replaced.connect(self._on_project_replaced)

    # Modes and layout

    @property
    def mode(self) -> str:
        """Key of the mode that is shown."""
        return self._rail.current

    def mode_keys(self) -> list[str]:
        """Keys of all modes, in the order of the job."""
        return list(self._modes)

    def show_mode(self, key: str) -> None:
        """Show a mode with its own layout; built when first shown, so that start-up pays only for what is seen."""
        mode = self._modes[key]
        current = self._stack.currentWidget()
        if current is not None and current.property("mode") != key:
            self._keep_layout(str(current.property("mode")))
        if key not in self._built:
            self._built[key] = mode.build(self.workbench)
            self._built[key].setProperty("mode", key)
            self._stack.addWidget(self._built[key])
        self._stack.setCurrentWidget(self._built[key])
        self._rail.choose(key)
        self._restore_layout(mode)
        if self._complete:
            self._refresh_counts()

    def mode_widget(self, key: str) -> QWidget:
        """The widget of a mode, built if need be; actions and tests reach into it."""
        if key not in self._built:
            self.show_mode(key)
        return self._built[key]

    def _keep_layout(self, mode: str) -> None:
        if self.isVisible():
            self.workbench.workspace.set_state(f"layout.{mode}", encode(self._layout.current()))

    def _restore_layout(self, mode: Mode) -> None:
        if not self.isVisible():
            return  # showEvent comes back here
        kept = decode(self.workbench.workspace.state(f"layout.{mode.key}"))
        layout = kept or self._default_layout(mode)
        for key in {group.current or group.docks[0] for group in layout.groups} | {loose.dock for loose in layout.floating}:
            if key in self._docks:
                self._fill(key)
        self._layout.apply(layout)
        QTimer.singleShot(SETTLE_MS, self, lambda: self._settle(mode, layout))

    def _settle(self, mode: Mode, layout: Layout) -> None:
        """Sizes of docks hold only once Qt has laid out what was shown, some events later."""
        if self.mode == mode.key:
            self._layout.resize(layout)

    def reset_layout(self) -> None:
        """Back to the default docks of this mode."""
        mode = self._modes[self.mode]
        self.workbench.workspace.set_state(f"layout.{mode.key}", "")
        self._restore_layout(mode)

    def _default_layout(self, mode: Mode) -> Layout:
        """The docks of each area as tabs, the first in front; on the right below each other."""
        groups: list[Group] = []
        for area, size in (("left", mode.side_px[0]), ("right", mode.side_px[1]), ("bottom", BOTTOM_PX)):
            keys = tuple(key for key in mode.panels if key in self._panels and self._panels[key].area == area)
            if area == "right":
                groups += [Group(area, (key,), size, key) for key in keys]
            elif keys:
                groups.append(Group(area, keys, size, keys[0]))
        return Layout(tuple(groups))

    def docks(self) -> dict[str, QDockWidget]:
        """All of them, built."""
        while not self._complete:
            self._on_rest()
        return dict(self._docks)

    # What changes

    def show_error(self, error: UserError) -> None:
        """Show without blocking; the next one replaces it."""
        self._messages.clear_actions()
        self._messages.show_error(error)
        self._messages.show()

    def _on_project_replaced(self) -> None:
        """A new project has no old errors; what a crash left of it is offered back."""
        self._messages.hide()
        recovered = self.workbench.recoverable
        if recovered is None:
            return
        self._messages.clear_actions()
        count = len(recovered.edits)
        words = f"{count} edit{'' if count == 1 else 's'} made after the last save can be brought back"
        self._messages.show_message(words, "warning", where=self.workbench.title, why="Tagloom ended unexpectedly the last time")
        self._messages.add_action("Bring back", "undo", primary=True).clicked.connect(self._on_bring_back)
        self._messages.add_action("Discard").clicked.connect(self._on_discard)
        self._messages.show()

    def _on_bring_back(self) -> None:
        self._messages.hide()
        try:
            self.workbench.take_recovered()
        except UserError as error:
            self.show_error(error)

    def _on_discard(self) -> None:
        self._messages.hide()
        self.workbench.drop_recovered()

    def _on_saved_changed(self) -> None:
        saved = self.workbench.editor.is_saved
        self._project_name.setText(self.workbench.title)
        self._project_state.setText("" if saved else "• unsaved changes")
        self.setWindowTitle(f"{self.workbench.title}{'' if saved else ' •'} — Tagloom")
        self.setWindowModified(False)

    def _refresh_counts(self) -> None:
        for mode in self._modes.values():
            self._rail.set_count(mode.key, mode.count(self.workbench) or 0)

    # Opening and closing

    def open_project(self, path: Path) -> None:
        """Open after asking about unsaved changes; errors are shown."""

        def go() -> None:
            try:
                self.workbench.open(path)
            except UserError as error:
                self.show_error(error)

        ask_about_unsaved(self, go)

    def open_snapshot(self, path: Path) -> None:
        """Of the endpoint of which it was taken, or of a new one; errors are shown."""
        from widgets.snapshots import open_snapshot

        try:
            open_snapshot(self.workbench, path)
        except UserError as error:
            self.show_error(error)

    def dragEnterEvent(self, event: QDragEnterEvent | QDragMoveEvent) -> None:
        from app.drivers.snapshot.lines import SUFFIX
        from app.taglists import suffixes

        if any(Path(url.toLocalFile()).suffix.lower() in (".tagloom", SUFFIX, *suffixes()) for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        self.dragEnterEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:
        from app.taglists import suffixes
        from widgets.snapshots import is_snapshot_file

        for url in event.mimeData().urls():
            if url.toLocalFile().endswith(".tagloom"):
                event.acceptProposedAction()
                self.open_project(Path(url.toLocalFile()))
                return
        for url in event.mimeData().urls():
            if is_snapshot_file(Path(url.toLocalFile())):
                event.acceptProposedAction()
                self.open_snapshot(Path(url.toLocalFile()))
                return
            if Path(url.toLocalFile()).suffix.lower() in suffixes():
                event.acceptProposedAction()
                show_import_file(self, self.workbench, Path(url.toLocalFile()))
                return

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not event.spontaneous():
            self._restore_layout(self._modes[self.mode])

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self._may_close and not self.workbench.editor.is_saved:
            event.ignore()
            ask_about_unsaved(self, self._close_now)
            return
        self._keep_layout(self.mode)
        self.workbench.workspace.set_state("window.geometry", bytes(self.saveGeometry().toBase64().data()).decode())
        self._rest.stop()
        self._complete = True
        self.workbench.shut_down()
        event.accept()

    def _close_now(self) -> None:
        self._may_close = True
        QTimer.singleShot(0, self.close)
