"""Endpoint: find what moves; scan."""

from __future__ import annotations

from widgets.dialogs import show_scan
from widgets.main_window import MainWindow
from widgets.node_menu import driver_of
from widgets.registry import Action
from widgets.workbench import Workbench


def _endpoint(workbench: Workbench) -> str:
    """The selected one, or the one of the selected node; the only one there is where nothing is selected."""
    selection = workbench.selection
    chosen = selection.ids[0] if selection.kind == "endpoint" and selection.ids else selection.endpoint
    if chosen or len(workbench.endpoints()) != 1:
        return chosen
    return next(iter(workbench.endpoints()))


def _find_what_moves(window: MainWindow) -> None:
    workbench = window.workbench
    selection = workbench.selection
    window.show_mode("connect")
    endpoint = _endpoint(workbench) or next(iter(workbench.endpoints()))
    if selection.kind == "node":
        workbench.moves_asked.emit(endpoint, list(selection.ids), list(selection.names))
    else:
        workbench.moves_asked.emit(endpoint, [], [])


def _scan(window: MainWindow) -> None:
    show_scan(window, window.workbench, _endpoint(window.workbench))


def _any_endpoint(workbench: Workbench) -> bool:
    return bool(workbench.endpoints())


def _is_modbus(workbench: Workbench) -> bool:
    endpoint = _endpoint(workbench)
    return workbench.endpoint(endpoint) is not None and driver_of(workbench, endpoint) == "modbus"


ACTIONS = [
    Action("endpoint.moves", "Find what moves…", "Endpoint", _find_what_moves, "Ctrl+Shift+M", "record", 40, _any_endpoint,
           keywords="which tag changes act machine watch"),
    Action("endpoint.scan", "Scan…", "Endpoint", _scan, "", "search", 41, _is_modbus,
           keywords="modbus unit ids registers sunspec identify discover"),
]  # fmt: skip
