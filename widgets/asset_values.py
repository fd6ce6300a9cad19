"""The IT values of one asset as they are now: what its messages are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import msgspec
from PySide6.QtCore import QObject

from app.mapping.evaluate import ItValue, compile_mapping
from app.mapping.message import messages
from app.model.itmodel import Asset
from app.model.mapping import Mapping
from app.model.project import Project
from app.model.resolve import attributes
from app.model.values import Sample
from widgets.workbench import Workbench


class LiveMessages(NamedTuple):
    """What would be sent now.

    Attributes:
        texts: (topic, JSON text), one per message.
        mapped: How many attributes are mapped.
        not_live: How many of these have a value that must not be taken for the present one, or none yet.
    """

    texts: list[tuple[str, str]]
    mapped: int
    not_live: int


class AssetValues(QObject):
    """Evaluates the mappings of one asset on the newest readings; they are compiled again after every edit."""

    def __init__(self, workbench: Workbench, parent: QObject) -> None:
        super().__init__(parent)
        self._workbench = workbench
        self._asset = ""
        self._compiled: dict[str, tuple[str, Callable[[Sample | None], ItValue]]] = {}
        for signal in (workbench.edited, workbench.project_replaced):
            signal.connect(lambda *_: self._compile())

    def set_asset(self, asset: str) -> None:
        self._asset = asset
        self._compile()

    def _compile(self) -> None:
        project = self._workbench.project
        asset = project.get(Asset, self._asset)
        self._compiled = {}
        for row in attributes(project, asset.asset_type) if asset else []:
            for mapping in project.mappings_for(self._asset, row.attribute.id, row.within)[:1]:
                self._compiled[row.path] = (_source(mapping), compile_mapping(project, mapping))

    def tags(self) -> list[str]:
        return sorted({tag for tag, _ in self._compiled.values() if tag})

    def values(self) -> dict[str, ItValue]:
        """Attribute path → IT value, of mapped attributes."""
        live = self._workbench.live
        return {path: evaluate(live.reading(tag).sample if tag else None) for path, (tag, evaluate) in self._compiled.items()}

    def messages(self, project: Project | None = None) -> LiveMessages:
        """Messages of now.

        Args:
            project: One with another delivery, for a preview; the open one when None.
        """
        project = project or self._workbench.project
        asset = project.get(Asset, self._asset)
        if asset is None:
            return LiveMessages([], 0, 0)
        readings = [self._workbench.live.reading(tag) for tag, _ in self._compiled.values()]
        stale = sum(1 for reading in readings if reading.sample is None or reading.stale)
        texts = [(message.topic, json_text(message.payload)) for message in messages(project, asset, self.values())]
        return LiveMessages(texts, len(self._compiled), stale)


def _source(mapping: Mapping) -> str:
    return mapping.sources[0] if mapping.sources else ""


def json_text(payload: object) -> str:
    """Indented, as a person reads it; the order of the message."""
    return msgspec.json.format(msgspec.json.encode(payload), indent=2).decode()
