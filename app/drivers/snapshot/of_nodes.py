"""Answers from the address space of a snapshot."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from app.drivers.base import BrowseColumns, Item, ItemState, NodeDetails, WatchItem, Wire
from app.drivers.opcua import address as addresses
from app.drivers.opcua.questions import (
    Contents,
    CrawlBelow,
    FoundNode,
    FoundNodes,
    Line,
    MethodSignature,
    NodeContents,
    Place,
    Places,
    Resolve,
    Step,
)
from app.drivers.opcua.status import BAD_NODE_ID_UNKNOWN
from app.drivers.questions import Question
from app.drivers.snapshot.lines import Header, NodeLine
from app.drivers.snapshot.tree import NOT_HERE, Tree
from app.errors import EndpointError, UserError
from app.model.columns import TYPE_CODES, SampleColumns
from app.model.plant import Identity
from app.model.values import INTEGER_LIMITS, Quality, Sample, Value

OBJECTS: Final = f"nsu={addresses.UA_NAMESPACE};i=85"
_SCALED: Final = frozenset(INTEGER_LIMITS) | {"float32", "float64"}
_BAD_NO_DATA: Final = 0x809B0000
"""Bad_NoData (OPC 10000-4 §7.39): what a variable has that was not read."""


class OfNodes:
    def __init__(self, tree: Tree, header: Header, as_of_ns: int) -> None:
        self._tree, self._namespaces, self._as_of_ns = tree, header.report.namespaces, as_of_ns

    def browse(self, nodes: Sequence[str]) -> BrowseColumns:
        return self._tree.browse([self._id(node) if node else "" for node in nodes])

    async def crawl(self, root: str, limit: int) -> AsyncIterator[BrowseColumns]:
        for page in self._tree.crawl(self._id(root) if root else "", limit):
            yield page

    def read(self, items: Sequence[Item], handles: Sequence[int]) -> SampleColumns:
        columns = SampleColumns.of([(handle, self._sample(item)) for item, handle in zip(items, handles, strict=True)])
        columns.number[:] = _with_singles(columns)
        return columns

    def refusal(self, item: WatchItem) -> ItemState | None:
        node = self._tree.node(self._id(item.address))
        if node is None:
            return ItemState(handle=item.handle, refused=NOT_HERE, status=BAD_NODE_ID_UNKNOWN)
        if node.node_class != "variable":
            return ItemState(handle=item.handle, refused=f"a {node.node_class} has no value", status=_BAD_NO_DATA)
        return None

    async def details(self, node: str) -> NodeDetails:
        found = self._tree.node(self._id(node))
        return NodeDetails(id=node, error=NOT_HERE) if found is None else found.node_details()

    def identity(self, known: Identity, found: Identity) -> Identity:
        del known
        return found

    async def ask(self, question: Question) -> AsyncIterator[Wire]:
        match question:
            case Resolve(texts=texts):
                yield Places(places=tuple(map(self._place, texts)))
            case MethodSignature(node=text) if (node := self._tree.node(self._id(text))) is not None and node.method is not None:
                yield node.method
            case Contents(node=text) if (node := self._tree.node(self._id(text))) is not None:
                yield node.contents or _plain_contents(node)
            case CrawlBelow(node=text, limit=limit):
                for page in self._tree.crawl(self._id(text), limit):
                    found = tuple(_found(page, row) for row in range(len(page)))
                    yield FoundNodes(nodes=found, refused=len(page.errors))
            case _:
                kind = str(type(question).__struct_config__.tag)
                why = "the snapshot does not hold this"
                raise EndpointError("Cannot ask that here", where=kind, why=why, fix="Connect to the server itself")

    def _id(self, text: str) -> str:
        """Canonical id of a node by any form of its address; text that is none comes back as it is, and is found nowhere."""
        if text in self._tree:
            return text
        try:
            address = addresses.parse(text, self._namespaces)
        except UserError:
            return text
        if isinstance(address, addresses.NodeAddress):
            return str(address)
        return self._walk(address) or text

    def _walk(self, path: addresses.PathAddress) -> str:
        """Along browse names from Objects down; "" where they lead nowhere. A snapshot of a part knows no names above it, only paths."""
        steps = path.steps[1:] if path.steps[0].name == "Objects" else path.steps
        if self._tree.root != OBJECTS:
            return self._tree.with_path("/".join(addresses.escape_name(step.name) for step in steps))
        at, uri = OBJECTS, addresses.UA_NAMESPACE
        for step in steps:
            wanted = step.name if step.uri == uri else f"{step.uri}:{step.name}"
            at = next((child.id for child in self._tree.children(at)[0] if child.browse_name == wanted), "")
            uri = step.uri
        return at

    def _sample(self, item: Item) -> Sample:
        node = self._tree.node(self._id(item.address))
        if node is None or node.sample is None:
            status = BAD_NODE_ID_UNKNOWN if node is None else _BAD_NO_DATA
            return Sample(None, "", Quality.BAD, status, None, None, self._as_of_ns)
        sample = node.sample.sample()
        word = sample.type.removesuffix("[]")
        if (item.gain == 1.0 and item.offset == 0.0) or word not in _SCALED or sample.value is None:
            return sample
        value = _scaled(sample.value, item.gain, item.offset, single=word == "float32")
        type_ = "float64" + sample.type[len(word) :]
        return Sample(value, type_, sample.quality, sample.status, sample.source_ns, sample.server_ns, sample.receive_ns)

    def _place(self, text: str) -> Place:
        id_ = self._id(text)
        if id_ not in self._tree:
            id_ = self._tree.with_path(text.strip("/").removeprefix("Objects/"))
        node = self._tree.node(id_) if id_ else None
        if node is None:
            return Place(asked=text, error=NOT_HERE)
        way = tuple(Step(id=step, name=found.name) for step in self._tree.way(id_) if (found := self._tree.node(step)) is not None)
        return Place(asked=text, id=id_, name=node.name, node_class=node.node_class, path=node.path, way=way)


def _found(page: BrowseColumns, row: int) -> FoundNode:
    return FoundNode(id=page.id[row], name=page.name[row], path=page.path[row], node_class=page.node_class[row], type=page.type[row])


def _plain_contents(node: NodeLine) -> NodeContents:
    """Of what is no structure, the value on one line, as the details show it."""
    details = node.node_details()
    text = next((one.text for one in details.attributes if one.name == "Value"), "")
    return NodeContents(value=(Line(name="Value", text=text, type=details.type),)) if node.sample is not None else NodeContents()


def _scaled(value: Value, gain: float, offset: float, *, single: bool) -> Value:
    """As the session scales what came: a float32 is scaled as the number that was sent, not as the shortest text of it."""
    if isinstance(value, list):
        return [_scaled(part, gain, offset, single=single) for part in value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return (_single(float(value)) if single else value) * gain + offset


def _single(number: float) -> float:
    with np.errstate(over="ignore"):
        return float(np.float32(number))


def _with_singles(columns: SampleColumns) -> npt.NDArray[np.float64]:
    """The numbers, those that were float32 exactly so again: the file has the shortest text of each."""
    chosen = columns.type == TYPE_CODES["float32"]
    with np.errstate(over="ignore"):
        return np.where(chosen, columns.number.astype(np.float32).astype(np.float64), columns.number)
