"""Finding one's way in the address space: back, forward, go to, read everything below."""

from __future__ import annotations

from widgets.dialogs import show_go_to
from widgets.main_window import MainWindow
from widgets.panels.endpoints import EndpointsPanel
from widgets.registry import Action
from widgets.workbench import Workbench


def _panel(window: MainWindow) -> EndpointsPanel:
    """The tree, shown: going somewhere out of sight helps nobody."""
    dock = window.docks()["endpoints"]
    dock.show()
    dock.raise_()
    panel = dock.widget()
    assert isinstance(panel, EndpointsPanel)
    return panel


def _back(window: MainWindow) -> None:
    _panel(window).navigator.back()


def _forward(window: MainWindow) -> None:
    _panel(window).navigator.forward()


def _go_to(window: MainWindow) -> None:
    show_go_to(window, window.workbench, _panel(window).navigator)


def _browse_below(window: MainWindow) -> None:
    panel = _panel(window)
    if panel.can_browse_below():
        panel.browse_below()


def _any_endpoint(workbench: Workbench) -> bool:
    return bool(workbench.endpoints())


def _something_connected(workbench: Workbench) -> bool:
    selection = workbench.selection
    endpoint = selection.ids[0] if selection.kind == "endpoint" and selection.ids else selection.endpoint
    return bool(endpoint) and workbench.live.state(endpoint).phase == "connected"


ACTIONS = [
    Action("node.back", "Back", "Endpoint", _back, "Alt+Left", "chevron-left", 50, _any_endpoint, keywords="previous node history"),
    Action("node.forward", "Forward", "Endpoint", _forward, "Alt+Right", "chevron-right", 51, _any_endpoint, keywords="next node history"),
    Action("node.go_to", "Go to node…", "Endpoint", _go_to, "Ctrl+G", "right", 52, _any_endpoint, keywords="nodeid nsu path address"),
    Action("node.browse_below", "Browse everything below…", "Endpoint", _browse_below, "", "search", 53, _something_connected,
           keywords="crawl cache all nodes"),
]  # fmt: skip
