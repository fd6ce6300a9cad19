"""Endpoint: take a snapshot, look at one, back to the device."""

from __future__ import annotations

from pathlib import Path

from app.drivers import is_offline
from widgets.dialogs import show_take_snapshot
from widgets.files import ask_for_file
from widgets.main_window import MainWindow
from widgets.registry import Action
from widgets.workbench import Workbench


def _endpoint(workbench: Workbench) -> str:
    """The selected one, or that of the selected node or tag; the only one there is where nothing is selected."""
    selection = workbench.selection
    chosen = selection.ids[0] if selection.kind == "endpoint" and selection.ids else selection.endpoint
    if not chosen and selection.kind == "tag" and selection.ids and (tag := workbench.tag(selection.ids[0])) is not None:
        chosen = tag.endpoint
    if not chosen and len(workbench.endpoints()) == 1:
        chosen = next(iter(workbench.endpoints()))
    return chosen if workbench.endpoint(chosen) is not None else ""


def _take(window: MainWindow) -> None:
    workbench = window.workbench
    root = workbench.selection.ids[0] if workbench.selection.kind == "node" and workbench.selection.ids else ""
    show_take_snapshot(window, workbench, _endpoint(workbench), root)


def _open(window: MainWindow) -> None:
    from widgets.snapshots import FILES, open_snapshot

    workbench, endpoint = window.workbench, _endpoint(window.workbench)

    def chosen(path: Path) -> None:
        open_snapshot(workbench, path, endpoint)

    ask_for_file(window, workbench, "Open snapshot", FILES, chosen)


def _back(window: MainWindow) -> None:
    from widgets.snapshots import back_to_device

    back_to_device(window.workbench, _endpoint(window.workbench))


def _can_take(workbench: Workbench) -> bool:
    endpoint = _endpoint(workbench)
    state = workbench.live.state(endpoint)
    return bool(endpoint) and state.phase == "connected" and not state.held and state.as_of_ns is None


def _is_on_snapshot(workbench: Workbench) -> bool:
    endpoint = _endpoint(workbench)
    return bool(endpoint) and is_offline(workbench.live.url_of(endpoint))


ACTIONS = [
    Action("endpoint.take_snapshot", "Take snapshot…", "Endpoint", _take, "", "image", 60, _can_take,
           keywords="offline save address space registers copy"),
    Action("endpoint.open_snapshot", "Open snapshot…", "Endpoint", _open, "", "folder-open", 61, keywords="offline laptop without plant"),
    Action("endpoint.back_to_device", "Back to the live device", "Endpoint", _back, "", "link", 62, _is_on_snapshot,
           keywords="snapshot close online"),
]  # fmt: skip
