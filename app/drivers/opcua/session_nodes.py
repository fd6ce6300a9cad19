"""Addresses and the server's NodeIds; where a node stands in the address space."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple
from uuid import UUID

from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import nodeid_from_binary

from app.drivers.opcua.address import Address, IdentifierKind, NodeAddress, PathAddress, escape_name, parse
from app.drivers.opcua.binary import namespace_uri, node_text
from app.drivers.opcua.browsed import Reference
from app.drivers.opcua.listing import OBJECTS, ROOT, Listing, Parent
from app.drivers.opcua.session_services import Node, Services
from app.drivers.opcua.status import BAD_NODE_ID_UNKNOWN, CODE_MASK, status_text
from app.errors import UserError

BROWSE_NAME: Final = 3

_HIERARCHICAL: Final = ua.NodeId(ua.Int32(33))  # as asyncua wants it in a browse path
_AGGREGATES: Final = ua.NodeId(ua.Int32(44))
_BAD_NODE_ID_INVALID: Final = 0x80330000
_BAD_NO_MATCH: Final = 0x806F0000
_MAX_LEVELS: Final = 64
_KINDS: Final[dict[ua.NodeIdType, IdentifierKind]] = {
    ua.NodeIdType.TwoByte: "i", ua.NodeIdType.FourByte: "i", ua.NodeIdType.Numeric: "i",
    ua.NodeIdType.String: "s", ua.NodeIdType.Guid: "g", ua.NodeIdType.ByteString: "b",
}  # fmt: skip


class Target(NamedTuple):
    """What an address means on this server now: ``node`` is None when it means nothing, and ``why`` and ``status`` say so."""

    id: str
    node: ua.NodeId | None
    status: int = 0
    why: str = ""


class BrowseName(NamedTuple):
    uri: str
    name: str


def ns0(number: int) -> ua.NodeId:
    return ua.NodeId(ua.Int32(number))


def node_of(encoded: bytes) -> ua.NodeId:
    """As asyncua's object."""
    return nodeid_from_binary(Buffer(encoded))


def well_formed(text: str | None) -> str:
    """Text from asyncua, which keeps bytes that are no UTF-8 as lone surrogates: those cannot be sent on."""
    return (text or "").encode("utf-8", "replace").decode("utf-8")


class Nodes:
    """Lives as long as one connection: namespace indexes are only valid that long."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._names: dict[str, BrowseName] = {}
        self._parents: dict[str, tuple[str, ...]] = {}
        self._paths: dict[str, str] = {OBJECTS: "", ROOT: ""}
        self._indexes: dict[str, int] = {OBJECTS: 0, ROOT: 0}

    def text(self, node: ua.NodeId) -> str:
        """Canonical address of a NodeId or ExpandedNodeId."""
        kind = _KINDS[node.NodeIdType]
        identifier: object = node.Identifier
        if kind == "s":
            shown = well_formed(str(identifier))
        elif kind == "b":
            shown = base64.b64encode(identifier if isinstance(identifier, bytes) else b"").decode("ascii")
        else:
            shown = str(identifier)
        uri, server = (node.NamespaceUri or "", node.ServerIndex or 0) if isinstance(node, ua.ExpandedNodeId) else ("", 0)
        return node_text(self._services.namespaces, node.NamespaceIndex, kind, shown, uri=uri, server=server)

    def node_id(self, address: NodeAddress) -> ua.NodeId | None:
        """None when the server has no such namespace."""
        try:
            index = ua.Int16(self._services.namespaces.index(address.uri))
        except ValueError:
            return None
        if address.kind == "i":
            return ua.NodeId(ua.Int32(address.identifier), index)
        if address.kind == "s":
            return ua.NodeId(ua.String(address.identifier), index, ua.NodeIdType.String)
        if address.kind == "g":
            return ua.NodeId(UUID(address.identifier), index, ua.NodeIdType.Guid)  # type: ignore[arg-type]  # its Guid is UUID at run time
        return ua.NodeId(ua.ByteString(base64.b64decode(address.identifier)), index, ua.NodeIdType.ByteString)

    async def resolve(self, addresses: Sequence[str]) -> list[Target]:
        """By namespace URI; browse paths are asked of the server. Never raises for one address.

        Raises:
            EndpointError: The server cannot be asked at all.
        """
        targets: list[Target] = []
        paths: dict[int, ua.BrowsePath] = {}
        for place, text in enumerate(addresses):
            target, path = self._local(text)
            targets.append(target)
            if path is not None:
                paths[place] = path
        answers = await self._services.translate(list(paths.values()))
        for place, (status, node) in zip(paths, answers, strict=True):
            if node is None:
                why = f"{status_text(status)}: no node at {addresses[place]}"
                targets[place] = Target(addresses[place], None, status, why)
            else:
                targets[place] = Target(self.text(node), _plain(node))
        return targets

    def _local(self, text: str) -> tuple[Target, ua.BrowsePath | None]:
        try:
            address: Address = parse(text, self._services.namespaces)
        except UserError as error:
            return Target(text, None, _BAD_NODE_ID_INVALID, f"{status_text(_BAD_NODE_ID_INVALID)}: {error.why}"), None
        if isinstance(address, PathAddress):
            path, missing = self._browse_path(address)
            return (Target(text, None), path) if path else (self._unknown(text, missing), None)
        node = self.node_id(address)
        return (Target(str(address), node) if node is not None else self._unknown(str(address), address.uri)), None

    def _unknown(self, text: str, uri: str) -> Target:
        known = ", ".join(self._services.namespaces)
        why = f"{status_text(BAD_NODE_ID_UNKNOWN)}: the server has no namespace {uri} (it has {known})"
        return Target(text, None, BAD_NODE_ID_UNKNOWN, why)

    def _browse_path(self, address: PathAddress) -> tuple[ua.BrowsePath | None, str]:
        namespaces = self._services.namespaces
        elements = []
        for step in address.steps:
            if step.uri not in namespaces:
                return None, step.uri
            elements.append(
                ua.RelativePathElement(
                    ReferenceTypeId=_HIERARCHICAL if step.separator == "/" else _AGGREGATES,
                    IsInverse=False,  # type: ignore[arg-type]  # asyncua's Boolean is only a name
                    IncludeSubtypes=True,  # type: ignore[arg-type]  # likewise
                    TargetName=ua.QualifiedName(ua.String(step.name), ua.UInt16(namespaces.index(step.uri))),
                )
            )
        return ua.BrowsePath(ns0(84), ua.RelativePath(elements)), ""

    def browse_name_of(self, reference: Reference) -> BrowseName:
        return BrowseName(namespace_uri(self._services.namespaces, reference.namespace), reference.name)

    def browse_name(self, node_id: str) -> BrowseName:
        """Of a node whose ancestors were loaded."""
        return self._names.get(node_id, BrowseName("", ""))

    def remember(self, listing: Listing) -> None:
        """Children seen while browsing downwards: spares asking for the way up. Says nothing about their other parents."""
        namespaces = self._services.namespaces
        for id_, path, index, name in zip(listing.id, listing.path, listing.index, listing.plain_name, strict=True):
            self._names.setdefault(id_, BrowseName(namespace_uri(namespaces, index), name))
            self._paths.setdefault(id_, path)
            self._indexes.setdefault(id_, index)

    def remember_one(self, parent: Parent) -> None:
        """Likewise, of a node that was found to have something below it."""
        self._paths.setdefault(parent.id, parent.path)
        self._indexes.setdefault(parent.id, parent.namespace)

    def is_placed(self, node_id: str) -> bool:
        """Whether all is known that its children are written with."""
        return node_id in self._paths and (node_id in self._indexes or node_id in self._names)

    def index_of_name(self, node_id: str) -> int:
        """Namespace index of its browse name; 0 where that is not known."""
        if node_id in self._indexes:
            return self._indexes[node_id]
        uri = self.browse_name(node_id).uri
        namespaces = self._services.namespaces
        return namespaces.index(uri) if uri in namespaces else 0

    def has_path(self, node_id: str) -> bool:
        return node_id in self._paths

    async def load_ancestors(self, targets: Iterable[Target]) -> None:
        """Fetch names and parents of these nodes and of everything above them, one level per round of requests."""
        level: dict[str, Node] = {target.id: target.node for target in targets if target.node is not None}
        unnamed = {node_id: node for node_id, node in level.items() if node_id not in self._names}
        answers = await self._services.read([(node, BROWSE_NAME) for node in unnamed.values()])
        for node_id, answer in zip(unnamed, answers, strict=True):
            if isinstance(answer.value, str):
                self._names[node_id] = _qualified(answer.value, self._services.namespaces)
        for _ in range(_MAX_LEVELS):
            asked = {node_id: node for node_id, node in level.items() if node_id not in self._parents and node_id != ROOT}
            level = await self._load_parents(asked) if asked else {}
            if not level:
                return

    async def _load_parents(self, nodes: dict[str, Node]) -> dict[str, Node]:
        above: dict[str, Node] = {}
        found = await self._services.browse(list(nodes.values()), direction="inverse")
        for node_id, answer in zip(nodes, found, strict=True):
            parents = []
            for reference in answer.references:
                if not reference.node:
                    continue  # on another server
                parents.append(reference.id)
                self._names.setdefault(reference.id, self.browse_name_of(reference))
                above[reference.id] = reference.node
            self._parents[node_id] = tuple(dict.fromkeys(parents))
        return above

    def path(self, node_id: str) -> str:
        """Names from Objects joined by "/", with '&' escapes; a leading "/" means from Root, for what is not below Objects.

        "" is Objects itself, and a node that names no parent. The node was seen while browsing, or its ancestors were loaded.
        """
        if node_id in self._paths:
            return self._paths[node_id]
        chain = self._chain(node_id, OBJECTS)
        if chain is not None:
            return "/".join(self._names_of(chain))
        chain = self._chain(node_id, ROOT)
        return "".join(f"/{name}" for name in self._names_of(chain)) if chain is not None else ""

    def way(self, node_id: str) -> list[str]:
        """Ids from the child of Root down to the node, through Objects where it can be; empty for what does not lead there, and Root.

        Ancestors must be loaded.
        """
        chain = self._chain(node_id, OBJECTS)
        return [OBJECTS, *chain] if chain is not None else self._chain(node_id, ROOT) or []

    def _names_of(self, chain: Sequence[str]) -> list[str]:
        return [escape_name(self.browse_name(node_id).name) for node_id in chain]

    def _chain(self, node_id: str, top: str) -> list[str] | None:
        """Ids below ``top`` down to the node, by the shortest way up; every node is looked at once, so that loops end."""
        ways: list[tuple[str, list[str]]] = [(node_id, [])]
        seen = {node_id}
        for here, ids in ways:  # grows while it runs: breadth first
            if here == top:
                return ids[::-1]
            longer = [*ids, here]
            for parent in self._parents.get(here, ()):
                if parent not in seen:
                    seen.add(parent)
                    ways.append((parent, longer))
        return None

    def stands_at(self, node_id: str, path: str) -> bool:
        """Whether one of the ways up from the node has these names. True too when the server names no parents: that proves nothing.

        Ancestors must be loaded.
        """
        if node_id not in self._names:
            return True  # it does not say its name: that proves nothing either
        names = split_path(path)
        here = {node_id} if names and escape_name(self.browse_name(node_id).name) == names[-1] else set()
        for name in reversed(names[:-1]):
            above = {parent for node in here for parent in self._parents.get(node, ())}
            if here and not above:
                return True
            here = {parent for parent in above if escape_name(self.browse_name(parent).name) == name}
        top = ROOT if path.startswith("/") else OBJECTS
        above = {parent for node in here for parent in self._parents.get(node, ())}
        return bool(here) and (top in above or not above)


def split_path(path: str) -> list[str]:
    """Escaped names of a path as ``Nodes.path`` writes it."""
    names, letters = [], ""
    escaped = False
    for letter in path.removeprefix("/"):
        if letter == "/" and not escaped:
            names.append(letters)
            letters = ""
            continue
        letters += letter
        escaped = letter == "&" and not escaped
    return [*names, letters]


def _qualified(text: str, namespaces: Sequence[str]) -> BrowseName:
    """Back from the text that ``binary.Reader`` makes of a QualifiedName."""
    if text.startswith("nsu="):
        uri, _, name = text[4:].partition(";")
        return BrowseName(uri.replace("%3B", ";").replace("%25", "%"), name)
    return BrowseName(namespaces[0] if namespaces else "", text)


def _plain(node: ua.NodeId) -> ua.NodeId:
    """Without the ExpandedNodeId's URI, which requests must not carry."""
    return ua.NodeId(node.Identifier, node.NamespaceIndex, node.NodeIdType)


def is_unknown(status: int) -> bool:
    return status & CODE_MASK in (BAD_NODE_ID_UNKNOWN, _BAD_NODE_ID_INVALID, _BAD_NO_MATCH)
