"""Map: assets with their attributes, and what feeds each; source and IT value side by side, live."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from app.model.itmodel import Asset
from app.model.mapping import Mapping
from widgets.registry import Mode
from widgets.workbench import Workbench


def _build(workbench: Workbench) -> QWidget:
    from widgets.map_mode import MapMode

    return MapMode(workbench)


def _unmapped(workbench: Workbench) -> int:
    """Attributes of assets that nothing feeds."""
    from app.model.resolve import attributes

    project = workbench.project
    total = sum(len(attributes(project, asset.asset_type)) for asset in project.all(Asset).values())
    fed = {(mapping.asset, mapping.attribute, mapping.within) for mapping in project.all(Mapping).values() if mapping.sources}
    return max(0, total - len(fed))


MODE = Mode(
    "map", "Map", "map", 20, _build, _unmapped, panels=("endpoints", "tags", "details", "message", "problems", "log"), side_px=(212, 236)
)
