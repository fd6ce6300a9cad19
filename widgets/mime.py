"""What is dragged between panels: nodes of an address space, or tags of the project. JSON text, never pickled objects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
from PySide6.QtCore import QMimeData

NODES: Final = "application/x-tagloom-nodes"
TAGS: Final = "application/x-tagloom-tags"


class DraggedNodes(msgspec.Struct, frozen=True):
    """Variables, or objects whose variables are meant."""

    endpoint: str
    ids: tuple[str, ...]
    texts: tuple[str, ...] = ()


def mime_of_nodes(nodes: DraggedNodes) -> QMimeData:
    mime = QMimeData()
    mime.setData(NODES, msgspec.json.encode(nodes))
    mime.setText("\n".join(nodes.ids))
    return mime


def nodes_of(mime: QMimeData) -> DraggedNodes | None:
    """None when no nodes are being dragged; what another program made up is refused by the type."""
    if not mime.hasFormat(NODES):
        return None
    try:
        return msgspec.json.decode(bytes(mime.data(NODES).data()), type=DraggedNodes)
    except msgspec.DecodeError:
        return None


def mime_of_tags(tags: Sequence[str], texts: Sequence[str] = ()) -> QMimeData:
    mime = QMimeData()
    mime.setData(TAGS, msgspec.json.encode(list(tags)))
    mime.setText("\n".join(texts or tags))
    return mime


def tags_of(mime: QMimeData) -> list[str]:
    """Ids of dragged tags, none when something else is dragged."""
    if not mime.hasFormat(TAGS):
        return []
    try:
        return msgspec.json.decode(bytes(mime.data(TAGS).data()), type=list[str])
    except msgspec.DecodeError:
        return []
