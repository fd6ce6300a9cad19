"""Ctrl+K: any command, tag, asset, attribute, endpoint or node that was read, by a few letters of its name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDialog, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout

from app.model.itmodel import Asset, AssetType
from app.model.plant import Endpoint, Tag
from app.model.resolve import path_of
from app.workspace.database import KnownNode
from widgets.look import icon
from widgets.models.address_space import ICONS
from widgets.node_finder import NodeFinder

if TYPE_CHECKING:
    from widgets.main_window import MainWindow

SHOWN = 50
NODES = 20
NODES_FROM = 2
"""Letters; one alone would match nearly every node."""


class Hit(NamedTuple):
    """Something that can be found. ``text`` is matched, ``detail`` only shown."""

    text: str
    detail: str
    icon: str
    go: Callable[[], None]


def hits(window: MainWindow, query: str, nodes: Sequence[Hit] = ()) -> list[Hit]:
    """What matches every word of the query, commands first, then shorter names first, nodes of endpoints last; at most ``SHOWN``."""
    words = query.casefold().split()
    found = [hit for hit in _all(window) if all(word in hit.text.casefold() for word in words)]
    found += _tags(window, query)
    found.sort(key=lambda hit: (not hit.text.casefold().startswith(query.casefold()), len(hit.text)))
    return [*found[: SHOWN - min(len(nodes), NODES)], *nodes[:NODES]]


def _node(window: MainWindow, endpoint: str, node: KnownNode) -> Hit:
    """A node of the browse cache: whatever was read of any endpoint, connected or not."""
    held = window.workbench.endpoint(endpoint)
    detail = " · ".join(filter(None, (node.path if node.path != node.name else "", held.name if held else "")))
    return Hit(node.name, detail, ICONS.get(node.node_class, "object"), partial(_show_node, window, endpoint, node.id))


def _tags(window: MainWindow, query: str) -> list[Hit]:
    """By the index of all tags, which is not made for an empty query, and says nothing before it is complete."""
    workbench = window.workbench
    if query.strip():
        index = workbench.tag_index
        ids = index.best(query, SHOWN) if index.has_all else []
    else:
        ids = list(islice(workbench.project.all(Tag), SHOWN))
    tags = [tag for id_ in ids if (tag := workbench.tag(id_)) is not None]
    return [Hit(f"{tag.name} {tag.address}", "tag", "tag", partial(_show_tag, window, tag.id)) for tag in tags]


def _all(window: MainWindow) -> Iterator[Hit]:
    """All but tags and nodes."""
    workbench, project = window.workbench, window.workbench.project
    for action in window.menus.actions.values():
        if action.enabled(workbench):
            detail = " · ".join(filter(None, (action.menu.replace("/", " ▸ "), action.shortcut)))
            yield Hit(
                f"{action.title} {action.keywords}".strip(), detail, action.icon or "right", partial(window.menus.trigger, action.key)
            )
    for asset in project.all(Asset).values():
        yield Hit(path_of(project, asset), "asset", "asset", partial(_show, window, "map", "asset", asset.id))
    for type_ in project.all(AssetType).values():
        yield Hit(type_.name, "asset type", "asset-type", partial(_show, window, "map", "asset type", type_.id))
    for endpoint in project.all(Endpoint).values():
        yield Hit(endpoint.name, endpoint.addresses["default"], "connect", partial(_show, window, "connect", "endpoint", endpoint.id))


def _show(window: MainWindow, mode: str, kind: str, id_: str) -> None:
    window.show_mode(mode)
    window.workbench.select(kind, [id_])


def _show_node(window: MainWindow, endpoint: str, node: str) -> None:
    window.show_mode("connect")
    window.workbench.node_asked.emit(endpoint, node)


def _show_tag(window: MainWindow, tag: str) -> None:
    window.show_mode("connect")
    window.workbench.tag_asked.emit(tag)


class FindDialog(QDialog):
    """A field and a list; arrows choose, Enter goes."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.setWindowTitle("Find anything")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(620, 420)
        self.field = QLineEdit(placeholderText="A command, tag, asset, asset type, endpoint or node…")
        self.field.setAccessibleName("Find")
        self.rows = QListWidget()
        self.rows.setAccessibleName("Found")
        self._hits: list[Hit] = []
        self._finder = NodeFinder(window.workbench, self)
        self._finder.found.connect(lambda text, found, _: self._on_nodes_found(text, found))
        layout = QVBoxLayout(self)
        layout.addWidget(self.field)
        layout.addWidget(self.rows)
        self.field.textChanged.connect(self._on_text_changed)
        self.field.returnPressed.connect(self._go)
        self.field.installEventFilter(self)
        self.rows.itemActivated.connect(lambda _: self._go())
        self._on_text_changed("")

    def _on_text_changed(self, text: str) -> None:
        """Nodes are found in another thread and come a moment later."""
        self._show(hits(self._window, text), 0)
        if len(text.strip()) >= NODES_FROM:
            self._finder.ask(text, NODES)
        else:
            self._finder.stop()

    def _on_nodes_found(self, text: str, found: Sequence[tuple[str, KnownNode]]) -> None:
        if found:
            nodes = [_node(self._window, endpoint, node) for endpoint, node in found]
            self._show(hits(self._window, text, nodes), self.rows.currentRow())

    def _show(self, found: list[Hit], current: int) -> None:
        self._hits = found
        self.rows.clear()
        for hit in found:
            self.rows.addItem(QListWidgetItem(icon(hit.icon, "dim"), f"{hit.text}    {hit.detail}"))
        if found:
            self.rows.setCurrentRow(min(max(current, 0), len(found) - 1))

    def _go(self) -> None:
        row = self.rows.currentRow()
        if 0 <= row < len(self._hits):
            hit = self._hits[row]
            self.accept()
            hit.go()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Arrow keys in the field move through the list."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            step = 1 if event.key() == Qt.Key.Key_Down else -1
            self.rows.setCurrentRow(min(max(self.rows.currentRow() + step, 0), self.rows.count() - 1))
            return True
        return super().eventFilter(watched, event)


def show_find(window: MainWindow) -> None:
    dialog = FindDialog(window)
    dialog.open()
    dialog.field.setFocus()
