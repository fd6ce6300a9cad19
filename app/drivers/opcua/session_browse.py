"""Browsing the address space: children of many nodes at once, and everything below one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from asyncua import ua

from app.drivers.base import BrowseColumns, NodeClass
from app.drivers.opcua.address import UA_NAMESPACE, escape_name
from app.drivers.opcua.session_nodes import OBJECTS, ROOT, Nodes, Target, ns0, well_formed
from app.drivers.opcua.session_services import Services
from app.drivers.opcua.session_types import DATA_TYPE, VALUE_RANK, DataTypes
from app.drivers.opcua.status import status_text

DESCRIPTION: Final = 5
DISPLAY_NAME: Final = 4
PARENTS_PER_ROUND: Final = 500

NODE_CLASSES: Final[dict[int, NodeClass]] = {
    1: "object", 2: "variable", 4: "method", 8: "object type",
    16: "variable type", 32: "reference type", 64: "data type", 128: "view",
}  # fmt: skip

_ROOT_ORDER: Final = {OBJECTS: 0}
_PROPERTY_TYPE: Final = f"nsu={UA_NAMESPACE};i=68"
_NULL: Final = f"nsu={UA_NAMESPACE};i=0"


@dataclass(slots=True)
class _Row:
    parent: int
    id: str
    node: ua.NodeId
    name: str
    browse_name: str
    path: str
    node_class: NodeClass
    type_definition: str
    type: str = ""
    description: str = ""


@dataclass(slots=True)
class _Listing:
    rows: list[_Row] = field(default_factory=list)
    errors: dict[int, str] = field(default_factory=dict)


class Browser:
    def __init__(self, services: Services, nodes: Nodes, types: DataTypes) -> None:
        self._services = services
        self._nodes = nodes
        self._types = types
        self._type_names: dict[str, str] = {}

    async def browse(self, nodes: Sequence[str]) -> BrowseColumns:
        """Everything that hierarchical references lead to, each target once per parent, with the types of variables.

        Raises:
            EndpointError: The server cannot be asked at all; what concerns one node is in ``errors``.
        """
        targets = await self._nodes.resolve([node or ROOT for node in nodes])
        listing = await self._children(targets)
        await self._describe(listing.rows)
        return _columns(listing)

    async def crawl(self, root: str, limit: int, *, parents: int = PARENTS_PER_ROUND) -> AsyncIterator[BrowseColumns]:
        """Breadth first, with what was found below ``parents`` nodes at a time. From "" it begins at Objects: types are always alike."""
        level = await self._nodes.resolve([root or OBJECTS])
        if level[0].node is None:
            yield BrowseColumns(errors={0: level[0].why})
            return
        seen = {level[0].id}
        places = [0]  # of each node of this level: 0 is the root, n + 1 is row n
        count = 0
        while level and count < limit:
            following: list[Target] = []
            following_places: list[int] = []
            for start in range(0, len(level), parents):
                listing = await self._children(level[start : start + parents])
                fresh: list[_Row] = []
                for row in listing.rows:
                    if row.id not in seen and count < limit:
                        seen.add(row.id)
                        row.parent = places[start + row.parent]
                        fresh.append(row)
                        following.append(Target(row.id, row.node))
                        count += 1
                        following_places.append(count)
                await self._describe(fresh)
                errors = {places[start + parent]: why for parent, why in listing.errors.items()}
                yield _columns(_Listing(fresh, errors))
                if count >= limit:
                    return
            level, places = following, following_places

    async def _children(self, targets: Sequence[Target]) -> _Listing:
        listing = _Listing(errors={place: target.why for place, target in enumerate(targets) if target.node is None})
        known = {place: target.node for place, target in enumerate(targets) if target.node is not None}
        await self._nodes.load_ancestors(target for target in targets if not self._nodes.has_path(target.id))
        found = await self._services.browse(list(known.values())) if known else []
        for place, answer in zip(known, found, strict=True):
            if answer.status >> 30:
                listing.errors[place] = status_text(answer.status)
            listing.rows.extend(self._rows(place, targets[place], answer.references))
        return listing

    def _rows(self, place: int, parent: Target, references: Sequence[ua.ReferenceDescription]) -> list[_Row]:
        rows: dict[str, _Row] = {}
        parent_uri = self._nodes.browse_name(parent.id).uri or UA_NAMESPACE
        path = self._nodes.path(parent.id)
        for reference in references:
            if getattr(reference.NodeId, "ServerIndex", 0):  # a plain NodeId has none
                continue  # on another server: it cannot be read here
            node_id = self._nodes.text(reference.NodeId)
            if node_id in rows:
                continue  # by a second reference, such as HasNotifier beside Organizes
            name = self._nodes.name(reference.BrowseName)
            row = _Row(
                parent=place,
                id=node_id,
                node=ua.NodeId(reference.NodeId.Identifier, reference.NodeId.NamespaceIndex, reference.NodeId.NodeIdType),
                name=well_formed(reference.DisplayName.Text) or name.name,
                browse_name=name.name if name.uri == parent_uri else f"{name.uri}:{name.name}",
                path=_below(parent.id, path, node_id, name.name),
                node_class=NODE_CLASSES.get(int(reference.NodeClass), "object"),
                type_definition=self._nodes.text(reference.TypeDefinition),
            )
            self._nodes.remember(node_id, name, row.path)
            rows[node_id] = row
        return sorted(rows.values(), key=lambda row: _ROOT_ORDER.get(row.id, 1)) if parent.id == ROOT else list(rows.values())

    async def _describe(self, rows: Sequence[_Row]) -> None:
        """Data types and descriptions of variables; names of the type definitions of objects."""
        variables = [row for row in rows if row.node_class == "variable"]
        wanted = [(row.node, attribute) for attribute in (DATA_TYPE, VALUE_RANK, DESCRIPTION) for row in variables]
        answers = await self._services.read(wanted) if wanted else []
        count = len(variables)
        data_types = [answer.value if isinstance(answer.value, str) else "" for answer in answers[:count]]
        await self._types.load(data_types)
        for place, row in enumerate(variables):
            rank = answers[count + place].value
            row.type = self._types.word(data_types[place], rank if isinstance(rank, int) else -1)
            text = answers[2 * count + place].value
            row.description = text if isinstance(text, str) else ""
        objects = [row for row in rows if row.node_class == "object" and row.type_definition != _NULL]
        await self._name_types({row.type_definition for row in objects})
        for row in objects:
            row.type = self._type_names.get(row.type_definition, "")

    async def _name_types(self, type_definitions: set[str]) -> None:
        targets = await self._nodes.resolve(sorted(type_definitions - self._type_names.keys()))
        known = [target for target in targets if target.node is not None]
        answers = await self._services.read([(target.node or ns0(84), DISPLAY_NAME) for target in known]) if known else []
        for target, answer in zip(known, answers, strict=True):
            self._type_names[target.id] = answer.value if isinstance(answer.value, str) else ""


def _below(parent_id: str, parent_path: str, node_id: str, name: str) -> str:
    """Path of a child. Objects is where paths begin; its siblings are written from Root on, with a leading "/"."""
    if node_id == OBJECTS:
        return ""
    if parent_id == ROOT:
        return f"/{escape_name(name)}"
    return f"{parent_path}/{escape_name(name)}" if parent_path else escape_name(name)


def _columns(listing: _Listing) -> BrowseColumns:
    rows = listing.rows
    return BrowseColumns(
        parent=tuple(row.parent for row in rows),
        id=tuple(row.id for row in rows),
        name=tuple(row.name for row in rows),
        browse_name=tuple(row.browse_name for row in rows),
        path=tuple(row.path for row in rows),
        node_class=tuple(row.node_class for row in rows),
        type=tuple(row.type for row in rows),
        has_children=tuple(row.node_class != "method" and row.type_definition != _PROPERTY_TYPE for row in rows),
        description=tuple(row.description for row in rows),
        errors=listing.errors,
    )
