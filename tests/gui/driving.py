"""How tests use the window: they wait for what becomes visible, drag with real events, and find rows by their names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QCoreApplication, QEvent, QItemSelectionModel, QMimeData, QModelIndex, QPoint, Qt
from PySide6.QtGui import QAction, QContextMenuEvent, QDragEnterEvent, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QAbstractItemView, QApplication, QDialog, QMenu, QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from app.edits.endpoints import add_endpoint
from app.edits.tags import TagDraft, add_tags
from app.model.plant import Tag
from app.plant.process import Plant
from widgets.look import ConnectionChip, MessageBar
from widgets.main_window import MainWindow
from widgets.map_mode import MapMode
from widgets.models.address_space import AddressSpaceModel, TreeNode
from widgets.modes.connect import ConnectMode
from widgets.modes.plot import PlotMode
from widgets.panels.endpoints import EndpointsPanel
from widgets.plots.grid import PlotGrid
from widgets.tag_table import TagTable
from widgets.workbench import Workbench

FILLER = ("Objects", "Plant1", "Packaging", "Line4", "Filler1")
LINE = "urn:tagloom:plant:line"
WAIT_MS = 20_000
"""A deadline, not a duration: reached only when something is broken."""


def line_address(identifier: str) -> str:
    return f"nsu={LINE};s={identifier}"


class Driver:
    def __init__(self, window: MainWindow, qtbot: QtBot) -> None:
        self.window, self._qtbot = window, qtbot

    @property
    def workbench(self) -> Workbench:
        return self.window.workbench

    # Parts of the window

    @property
    def endpoints(self) -> EndpointsPanel:
        panel = self.window.docks()["endpoints"].widget()
        assert isinstance(panel, EndpointsPanel)
        return panel

    @property
    def tags(self) -> TagTable:
        mode = self.window.mode_widget("connect")
        assert isinstance(mode, ConnectMode)
        return mode.tags

    @property
    def connect_mode(self) -> ConnectMode:
        mode = self.window.mode_widget("connect")
        assert isinstance(mode, ConnectMode)
        return mode

    @property
    def map(self) -> MapMode:
        mode = self.window.mode_widget("map")
        assert isinstance(mode, MapMode)
        return mode

    @property
    def plots(self) -> PlotGrid:
        mode = self.window.mode_widget("plot")
        assert isinstance(mode, PlotMode)
        return mode.grid

    # Waiting

    def until(self, condition: Callable[[], object], what: str = "it never became so", timeout_ms: int = WAIT_MS) -> None:
        """Let Qt run until it holds. ``what`` is said when it never does."""

        def holds() -> None:
            assert condition(), what

        self._qtbot.waitUntil(holds, timeout=timeout_ms)

    def run(self, duration_ms: int) -> None:
        """Let Qt run for a while: only to see that something does *not* happen."""
        self._qtbot.wait(duration_ms)

    # The plant

    def add(self, name: str, url: str) -> str:
        """An endpoint of the project, not connected; its id."""
        edit = add_endpoint(self.workbench.project, name, url)
        self.workbench.do(edit)
        return edit.changes[0].id

    def add_opcua(self, plant: Plant, name: str = "filler-opcua") -> str:
        return self.add(name, plant.opcua_url)

    def add_modbus(self, plant: Plant, name: str = "meter-modbus", *, unit: int | None = 3) -> str:
        return self.add(name, plant.modbus_url + (f"?unit={unit}" if unit is not None else ""))

    def connect(self, *endpoints: str) -> None:
        for endpoint in endpoints:
            self.workbench.live.connect(endpoint)
        for endpoint in endpoints:
            self.until(lambda id_=endpoint: self.phase(id_) == "connected", f"{endpoint} was not connected")  # type: ignore[misc]  # mypy cannot infer a lambda with a default

    def phase(self, endpoint: str) -> str:
        return self.workbench.live.state(endpoint).phase

    def add_tags(self, endpoint: str, *addresses: str, names: Sequence[str] = (), type_: str = "float32") -> list[str]:
        """Tags of these addresses; their ids."""
        drafts = [
            TagDraft(address=address, name=names[place] if names else address.rsplit("/", 1)[-1], type=type_)
            for place, address in enumerate(addresses)
        ]
        self.workbench.do(add_tags(self.workbench.project, endpoint, drafts))
        return [self.workbench.project.tags_at(endpoint, address)[0].id for address in addresses]

    def names(self) -> set[str]:
        """Of all tags of the project."""
        return {tag.name for tag in self.workbench.project.all(Tag).values()}

    # The tree

    def expand(self, *names: str) -> QModelIndex:
        """Expand level by level as a person does, waiting for each; the index of the last."""
        model, index = self.endpoints.model, QModelIndex()
        for name in names:
            self.until(lambda above=index, name=name: self._child(model, above, name), f"no row {name!r} in the tree")  # type: ignore[misc]  # mypy cannot infer a lambda with a default
            index = self._child(model, index, name) or QModelIndex()
            self.endpoints.tree.expand(index)
        return index

    def _child(self, model: AddressSpaceModel, above: QModelIndex, name: str) -> QModelIndex | None:
        rows = (model.index(row, 0, above) for row in range(model.rowCount(above)))
        return next((index for index in rows if model.node(index).name == name), None)

    def children(self, index: QModelIndex) -> list[TreeNode]:
        """The rows below, once they were read."""
        model = self.endpoints.model
        self.until(lambda: model.node(index).state == "read" and model.node(index).token is None, "the children never came")
        return [model.node(model.index(row, 0, index)) for row in range(model.rowCount(index))]

    # Hands

    def choose(self, view: QAbstractItemView, *indexes: QModelIndex) -> None:
        """Select rows, the last one current."""
        model = view.selectionModel()
        model.clearSelection()
        flags = QItemSelectionModel.SelectionFlag
        for index in indexes:
            model.select(index, flags.Select | flags.Rows)
        model.setCurrentIndex(indexes[-1], flags.NoUpdate)
        view.setFocus()

    def press(self, widget: QWidget, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        """A key, through shortcuts as from a keyboard."""
        self.window.activateWindow()
        widget.setFocus()
        self._qtbot.keyClick(widget, key, modifier)

    def drag(self, view: QAbstractItemView, indexes: Sequence[QModelIndex], target: QWidget, at: QPoint | None = None) -> bool:
        """Drag rows of a view onto a widget, by the events that Qt sends; whether it may be dropped there."""
        data = view.model().mimeData(list(indexes))
        return self.drop(data, target, at)

    def drop(self, data: QMimeData, target: QWidget, at: QPoint | None = None) -> bool:
        at = at or target.rect().center()
        actions = Qt.DropAction.CopyAction | Qt.DropAction.MoveAction
        left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        enter = QDragEnterEvent(at, actions, data, left, none)
        QApplication.sendEvent(target, enter)
        if not enter.isAccepted():
            return False
        move = QDragMoveEvent(at, actions, data, left, none)
        QApplication.sendEvent(target, move)
        if not move.isAccepted():
            return False
        QApplication.sendEvent(target, QDropEvent(at.toPointF(), actions, data, left, none))
        return True

    def menu(self, view: QAbstractItemView, index: QModelIndex) -> dict[str, Callable[[], None]]:
        """The context menu of a row, opened: what it offers, by title without its key. One of the entries is to be called."""
        view.scrollTo(index)
        at = view.visualRect(index).center()
        if not view.selectionModel().isRowSelected(index.row(), index.parent()):
            self._qtbot.mouseClick(view.viewport(), Qt.MouseButton.RightButton, pos=at)
        event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, view.viewport().mapToGlobal(at))
        QApplication.sendEvent(view.viewport(), event)
        self.until(lambda: isinstance(QApplication.activePopupWidget(), QMenu), "no context menu")
        menu = QApplication.activePopupWidget()
        assert isinstance(menu, QMenu)

        def click(action: QAction) -> None:
            """As a click does: the menu closes, and is gone when the entry has done its work."""
            menu.close()
            action.trigger()
            QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)

        return {title: partial(click, action) for title, action in _entries(menu) if action.isEnabled()}

    def dialog(self, kind: type[QDialog] | None = None) -> QDialog:
        """The dialog that is open above the window."""

        def found() -> list[QDialog]:
            dialogs = [widget for widget in QApplication.topLevelWidgets() if isinstance(widget, QDialog) and widget.isVisible()]
            return [dialog for dialog in dialogs if kind is None or isinstance(dialog, kind)]

        self.until(lambda: found(), "no dialog opened")
        return found()[-1]

    def answer(self, button: QMessageBox.StandardButton) -> None:
        """Press a button of the question that is open."""
        box = self.dialog(QMessageBox)
        assert isinstance(box, QMessageBox)
        pressed = box.button(button)
        assert pressed is not None, "the question has no such button"
        pressed.click()

    def chip(self, endpoint: str) -> str:
        """What the status bar says of an endpoint."""
        name = self.workbench.endpoints()[endpoint].name
        chips = self.window.statusBar().findChildren(ConnectionChip)
        return next(chip.accessibleName() for chip in chips if chip.property("name") == name)

    def errors(self) -> str:
        """What the message bar of the window says, "" when it is hidden."""
        centre = self.window.centralWidget()
        assert centre is not None
        bars = centre.findChildren(MessageBar, options=Qt.FindChildOption.FindDirectChildrenOnly)
        return "\n".join(bar.details() for bar in bars if bar.isVisible())


def _entries(menu: QMenu) -> list[tuple[str, QAction]]:
    found: list[tuple[str, QAction]] = []
    for action in menu.actions():
        below = action.menu()
        if isinstance(below, QMenu):
            found += [(f"{action.text()}/{title}", entry) for title, entry in _entries(below)]
        elif not action.isSeparator():
            found.append((action.text().split("\t")[0], action))
    return found
