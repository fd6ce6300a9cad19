"""Where a variable went: from its browse path without namespaces to the nodes that stand there now."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from app.drivers.opcua.address import escape_name
from app.drivers.opcua.browsed import Reference
from app.drivers.opcua.requests import numeric
from app.drivers.opcua.session_nodes import split_path
from app.drivers.opcua.session_services import Services

VARIABLE: Final = 2
MOST_ALIKE: Final = 8
"""Nodes of one name below one path that are followed: the same names in several namespaces."""

_MOST_LEVELS: Final = 64
_OBJECTS: Final = numeric(85)
_ROOT: Final = numeric(84)
_Way = tuple[bytes, tuple[str, ...]]


async def variables_at(services: Services, paths: Iterable[str]) -> dict[str, list[Reference]]:
    """Every variable at each path (``Nodes.path``), in whatever namespaces its steps are. One round of requests for each level.

    Raises:
        EndpointError: The server cannot be asked at all.
    """
    ways: dict[str, _Way] = {}
    for path in paths:
        names = tuple(split_path(path))
        if path and len(names) <= _MOST_LEVELS:
            ways[path] = (_ROOT if path.startswith("/") else _OBJECTS), names
    found: dict[_Way, list[Reference]] = {}
    for level in range(1, max((len(names) for _, names in ways.values()), default=0) + 1):
        wanted: dict[_Way, set[str]] = {}
        for top, names in ways.values():
            if len(names) >= level:
                wanted.setdefault((top, names[: level - 1]), set()).add(names[level - 1])
        found |= await _step(services, found, wanted)
    return {path: [one for one in found.get(way, ()) if one.node_class == VARIABLE] for path, way in ways.items()}


async def _step(services: Services, found: dict[_Way, list[Reference]], wanted: dict[_Way, set[str]]) -> dict[_Way, list[Reference]]:
    """One level: the children of these names below each way."""
    parents = {way: [one.node for one in found.get(way, ())] if way[1] else [way[0]] for way in wanted}
    nodes = list(dict.fromkeys(node for some in parents.values() for node in some))
    answers = dict(zip(nodes, await services.browse(nodes), strict=True)) if nodes else {}
    next_: dict[_Way, dict[str, Reference]] = {}
    for (top, names), below in wanted.items():
        for node in parents[top, names]:
            for one in answers[node].references:
                name = escape_name(one.name)
                same = next_.setdefault((top, (*names, name)), {}) if name in below and one.node else None
                if same is not None and len(same) < MOST_ALIKE:
                    same.setdefault(one.id, one)
    return {way: list(some.values()) for way, some in next_.items()}
