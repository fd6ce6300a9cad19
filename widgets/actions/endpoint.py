"""Endpoint: add, connect, disconnect, pause."""

from __future__ import annotations

from widgets.dialogs import show_add_endpoint, show_edit_endpoint
from widgets.main_window import MainWindow
from widgets.registry import Action
from widgets.workbench import Workbench


def _selected(workbench: Workbench) -> str:
    return (
        workbench.selection.ids[0] if workbench.selection.kind == "endpoint" and workbench.selection.ids else workbench.selection.endpoint
    )


def _any_off(workbench: Workbench) -> bool:
    return any(workbench.live.state(id_).phase in ("off", "stopped") for id_ in workbench.endpoints())


def _any_on(workbench: Workbench) -> bool:
    return any(workbench.live.state(id_).phase not in ("off", "stopped") for id_ in workbench.endpoints())


def _pause(window: MainWindow) -> None:
    live = window.workbench.live
    live.pause(not live.paused)
    window.workbench.said.emit("Reading is paused: nothing is asked of any device" if live.paused else "Reading goes on")


def _add(window: MainWindow) -> None:
    show_add_endpoint(window, window.workbench)


def _edit(window: MainWindow) -> None:
    show_edit_endpoint(window, window.workbench, _selected(window.workbench))


def _has_endpoint(workbench: Workbench) -> bool:
    return workbench.endpoint(_selected(workbench)) is not None


def _connect_all(window: MainWindow) -> None:
    window.workbench.live.connect_all()


def _disconnect_all(window: MainWindow) -> None:
    window.workbench.live.disconnect_all()


def _is_paused(workbench: Workbench) -> bool:
    return workbench.live.paused


_EDIT_WORDS = "address security user password settings reach as"

ACTIONS = [
    Action("endpoint.add", "Add endpoint…", "Endpoint", _add, "Ctrl+E", "add", 10),
    Action("endpoint.edit", "Edit connection…", "Endpoint", _edit, "", "settings", 11, _has_endpoint, keywords=_EDIT_WORDS),
    Action("endpoint.connect_all", "Connect", "Endpoint", _connect_all, "Ctrl+R", "link", 20, _any_off, keywords="all go online"),
    Action("endpoint.disconnect_all", "Disconnect", "Endpoint", _disconnect_all, "", "unlink", 21, _any_on, keywords="all offline"),
    Action("endpoint.pause", "Pause all reading", "Endpoint", _pause, "Ctrl+Shift+P", "pause", 30, checked=_is_paused),
]
