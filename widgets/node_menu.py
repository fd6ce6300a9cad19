"""What can be done with a row of the address space: the menu twin of every drag."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QInputDialog, QMenu, QWidget

from app.drivers import spec_for
from app.edits.endpoints import set_unit
from app.errors import UserError
from widgets.dialogs import remove_endpoint_asking, show_edit_endpoint, show_make_type, show_scan
from widgets.look import icon
from widgets.models.address_space import TreeNode
from widgets.node_tags import tags_from_nodes
from widgets.workbench import Workbench


def fill_node_menu(menu: QMenu, workbench: Workbench, nodes: Sequence[TreeNode], *, refresh: Callable[[], None]) -> None:
    """Entries for the selected rows; those of an endpoint when the first row is one."""
    first = nodes[0]
    if first.kind.startswith("endpoint-"):
        _endpoint_entries(menu, workbench, first.endpoint)
    elif first.is_node:
        _node_entries(menu, workbench, [node for node in nodes if node.is_node and node.endpoint == first.endpoint])
    menu.addSeparator()
    menu.addAction(icon("refresh"), "Refresh\tF5").triggered.connect(refresh)


def _endpoint_entries(menu: QMenu, workbench: Workbench, endpoint: str) -> None:
    live = workbench.live
    if live.state(endpoint).phase in ("off", "stopped"):
        menu.addAction(icon("link"), "Connect").triggered.connect(lambda: live.connect(endpoint))
    else:
        menu.addAction(icon("unlink"), "Disconnect").triggered.connect(lambda: live.disconnect(endpoint))
    menu.addAction(icon("record"), "Find what moves…").triggered.connect(lambda: workbench.moves_asked.emit(endpoint, [], []))
    if driver_of(workbench, endpoint) == "modbus":
        menu.addAction(icon("unit-id"), "Add unit id…").triggered.connect(lambda: ask_for_unit(menu.parentWidget(), workbench, endpoint))
        menu.addAction(icon("search"), "Scan…").triggered.connect(lambda: show_scan(menu.parentWidget(), workbench, endpoint))
    menu.addSeparator()
    menu.addAction(icon("settings"), "Edit connection…").triggered.connect(
        lambda: show_edit_endpoint(menu.parentWidget(), workbench, endpoint)
    )
    menu.addAction("Copy address").triggered.connect(lambda: QGuiApplication.clipboard().setText(live.url_of(endpoint)))
    menu.addAction(icon("remove"), "Remove endpoint…").triggered.connect(
        lambda: remove_endpoint_asking(menu.parentWidget(), workbench, endpoint)
    )


def driver_of(workbench: Workbench, endpoint: str) -> str:
    """Key of the driver, "" where no driver speaks the address."""
    try:
        return spec_for(workbench.live.spoken_url(endpoint)).key
    except UserError:
        return ""


def ask_for_unit(parent: QWidget | None, workbench: Workbench, endpoint: str) -> None:
    """Make one more unit id known: Modbus cannot be asked which there are."""
    known = {unit.number for unit in workbench.project.units_of(endpoint)}
    dialog = QInputDialog(parent)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setWindowTitle("Add unit id")
    dialog.setInputMode(QInputDialog.InputMode.IntInput)
    dialog.setIntRange(0, 255)
    dialog.setIntValue(next((number for number in range(1, 256) if number not in known), 1))
    dialog.setLabelText("Unit id of a device behind this connection:")
    dialog.setOkButtonText("Add")
    dialog.intValueSelected.connect(lambda number: workbench.attempt(lambda: set_unit(workbench.project, endpoint, number)))
    dialog.open()


def _node_entries(menu: QMenu, workbench: Workbench, nodes: list[TreeNode]) -> None:
    endpoint, ids = nodes[0].endpoint, [node.id for node in nodes]
    names = [node.name for node in nodes]
    if nodes[0].kind == "table":
        menu.addAction(icon("register-table"), "Show registers").triggered.connect(lambda: workbench.registers_asked.emit(endpoint, ids[0]))
        menu.addAction(icon("record"), "Find what moves here…").triggered.connect(
            lambda: workbench.moves_asked.emit(endpoint, ids[:1], names[:1])
        )
        return
    below = any(node.kind != "variable" for node in nodes)
    menu.addAction(
        icon("add"), "Add all variables below to the tag table\tReturn" if below else "Add to the tag table\tReturn"
    ).triggered.connect(lambda: tags_from_nodes(workbench, endpoint, ids, _said(workbench)))
    menu.addAction(icon("plot-add"), "Plot").triggered.connect(lambda: tags_from_nodes(workbench, endpoint, ids, workbench.plot_asked.emit))
    menu.addAction(icon("asset-type"), "Make asset type from this…").triggered.connect(
        lambda: show_make_type(menu.parentWidget(), workbench, endpoint, ids, nodes[0].name, nodes[0].path)
    )
    menu.addAction(icon("record"), "Find what moves below…").triggered.connect(lambda: workbench.moves_asked.emit(endpoint, ids, names))
    menu.addSeparator()
    for title, texts in (
        ("Copy id\tCtrl+C", ids),
        ("Copy browse path", [node.path for node in nodes]),
        ("Copy name", [node.name for node in nodes]),
    ):
        menu.addAction(title).triggered.connect(_copies(texts))


def _said(workbench: Workbench) -> Callable[[list[str]], None]:
    return lambda tags: workbench.said.emit(f"{len(tags)} {'tag' if len(tags) == 1 else 'tags'} in the table")


def _copies(texts: Sequence[str]) -> Callable[[], None]:
    return lambda: QGuiApplication.clipboard().setText("\n".join(texts))
