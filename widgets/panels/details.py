"""Details of whatever is selected. One view per kind of thing, found by what the selection is."""

from __future__ import annotations

from importlib import import_module
from typing import Final

from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from widgets.look import EmptyState
from widgets.registry import Panel
from widgets.workbench import Workbench

_VIEWS: Final = {
    "node": "node.NodeView",
    "tag": "tag.TagView",
    "endpoint": "endpoint.EndpointView",
    "attribute": "asset.AttributeView",
    "asset": "asset.AssetView",
    "asset type": "asset.AssetTypeView",
}
"""Kind of selection → module and class of its view in ``widgets.details``, imported and built when first needed.

A view shows ``workbench.selection`` in ``refresh()``.
"""


def _make(view: str, workbench: Workbench) -> QWidget:
    module, name = view.split(".")
    built = getattr(import_module(f"widgets.details.{module}"), name)(workbench)
    assert isinstance(built, QWidget)
    return built


class DetailsPanel(QWidget):
    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self._workbench = workbench
        self._built: dict[str, QWidget] = {}
        self._empty = EmptyState("info", "Nothing selected", "Select a node, a tag or an attribute.")
        self._stack = QStackedWidget()
        self._stack.addWidget(self._empty)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._stack)
        for signal in (workbench.selection_changed, workbench.edited, workbench.project_replaced):
            signal.connect(self._refresh)

    def _refresh(self) -> None:
        kind = self._workbench.selection.kind
        view_name = _VIEWS.get(kind)
        if view_name is None or not self._workbench.selection.ids:
            self._stack.setCurrentWidget(self._empty)
            return
        if kind not in self._built:
            self._built[kind] = _make(view_name, self._workbench)
            self._stack.addWidget(self._built[kind])
        view = self._built[kind]
        self._stack.setCurrentWidget(view)
        view.refresh()  # type: ignore[attr-defined]  # every view of _VIEWS has it


PANEL = Panel("details", "Details", "right", DetailsPanel, 10)
