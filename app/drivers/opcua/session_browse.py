"""Browsing the address space: children of many nodes at once, and everything below one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from time import monotonic
from typing import Final, Literal, NamedTuple, TypeVar, cast

from app.drivers.base import BrowseColumns
from app.drivers.opcua.binary import DataValue
from app.drivers.opcua.browsed import Found, filled
from app.drivers.opcua.listing import OBJECT, OBJECTS, ROOT, VARIABLE, Listing, Parent
from app.drivers.opcua.session_nodes import Nodes
from app.drivers.opcua.session_services import VALUE, Services, encoded
from app.drivers.opcua.session_types import DATA_TYPE, VALUE_RANK, DataTypes
from app.drivers.opcua.status import status_text
from app.drivers.opcua.together import both, dropped, together
from app.model.values import Value

DESCRIPTION: Final = 5
DISPLAY_NAME: Final = 4

AHEAD: Final = 4
"""Portions of a crawl that are asked for while earlier ones are still being looked at."""
FEWEST_ROWS: Final = 1_000
HELD_BACK_S: Final = 0.1
"""A crawl describes so many rows at a time, or what came within so long: for the one or two below a variable no request is worth while."""
FEWEST_PARENTS: Final = 20
REFERENCES_PER_ANSWER: Final = 5_000
"""A crawl asks for the children of so many nodes at once that about so many come: 15 ms of decoding, while nothing else is done."""

T = TypeVar("T")

Want = Literal["names", "types", "values"]
"""What a crawl brings of variables: nothing but their names, type and description too, or what they hold as well."""


class Browser:
    def __init__(self, services: Services, nodes: Nodes, types: DataTypes) -> None:
        self._services = services
        self._nodes = nodes
        self._types = types
        self._type_names: dict[bytes, str] = {}
        self._words: dict[tuple[str, int], str] = {}

    async def browse(self, nodes: Sequence[str]) -> BrowseColumns:
        """Everything that hierarchical references lead to, each target once per parent, with the types of variables.

        Three round trips where the nodes were seen before: what is below them; attributes and names of types; types never met before.

        Raises:
            EndpointError: The server cannot be asked at all; what concerns one node is in ``errors``.
        """
        targets = await self._nodes.resolve([node or ROOT for node in nodes])
        known = {place: encoded(target.node) for place, target in enumerate(targets) if target.node is not None}
        found = await self._services.browse(list(known.values()))
        filled = [targets[place] for place, one in zip(known, found, strict=True) if one.rows]
        await self._nodes.load_ancestors(target for target in filled if not self._nodes.is_placed(target.id))
        listing = Listing(self._services.namespaces)
        for place, target in enumerate(targets):
            if target.node is None:
                listing.errors[place] = target.why
        for place, one in zip(known, found, strict=True):
            if one.status >> 30:
                listing.errors[place] = self._why_not(one, targets[place].id)
            listing.add(place, self._parent(targets[place].id), one.rows)
        self._nodes.remember(listing)
        return await self._described(listing, "types")

    def _parent(self, node_id: str) -> Parent:
        return Parent(node_id, self._nodes.path(node_id), self._nodes.index_of_name(node_id))

    def _why_not(self, found: Found, node_id: str) -> str:
        return self._services.quarantine.why.get(node_id) or status_text(found.status)

    async def crawl(
        self, root: str, limit: int, *, want: Want = "types", parents: int = 0, ahead: int = AHEAD
    ) -> AsyncIterator[BrowseColumns]:
        """Breadth first. From "" it begins at Objects: types are always alike.

        Args:
            root: Where to begin.
            limit: Most rows.
            want: See ``Want``.
            parents: Nodes whose children are asked for at a time, and told with one page; 0 fits it to how many come.
            ahead: Portions under way at once.
        """
        (target,) = await self._nodes.resolve([root or OBJECTS])
        if target.node is None:
            yield BrowseColumns(errors={0: target.why})
            return
        if not self._nodes.is_placed(target.id):
            await self._nodes.load_ancestors([target])
        walk = _Walk(encoded(target.node), self._parent(target.id))
        listing = Listing(self._services.namespaces)
        listed_s = monotonic()
        browsing: deque[tuple[_Portion, asyncio.Task[list[Found]]]] = deque()
        describing: deque[asyncio.Task[BrowseColumns]] = deque()
        size = parents or FEWEST_PARENTS
        try:
            while True:
                while len(browsing) < ahead and (portion := walk.portion(size, whole=bool(browsing))) is not None:
                    browsing.append((portion, asyncio.create_task(self._services.browse_encoded(portion.nodes))))
                if browsing:
                    portion, task = browsing[0]
                    found = await task
                    browsing.popleft()  # now, not before: when the crawl is stopped meanwhile, the task is dropped with the others
                    if not parents:
                        references = sum(len(one.rows) for _, one in filled(found))
                        size = max(FEWEST_PARENTS, REFERENCES_PER_ANSWER * len(found) // (1 + references))
                        size = min(size, self._services.sizes["browse"])
                    self._list(listing, walk, portion, found, limit)
                if walk.count >= limit:
                    walk.stop()
                    await dropped([task for _, task in browsing])
                    browsing.clear()
                due = parents or len(listing) >= FEWEST_ROWS or monotonic() - listed_s >= HELD_BACK_S
                if due or not (browsing or walk.more):
                    describing.append(asyncio.create_task(self._described(listing, want)))
                    listing, listed_s = Listing(self._services.namespaces), monotonic()
                while describing and (describing[0].done() or len(describing) >= ahead or not (browsing or walk.more)):
                    columns = await describing[0]
                    describing.popleft()
                    yield columns
                if not (browsing or describing or walk.more):
                    return
        finally:
            await dropped([*(task for _, task in browsing), *describing])

    def _list(self, listing: Listing, walk: _Walk, portion: _Portion, found: Sequence[Found], limit: int) -> None:
        """Add what is new below these nodes, which is to be looked below in its turn."""
        start = len(listing)
        for number, one in filled(found):
            place = portion.places[number]
            if one.status >> 30:
                listing.errors[place] = self._why_not(one, walk.ids[place])
            if one.rows:
                parent = walk.parent(place)
                self._nodes.remember_one(parent)  # so that it can be browsed later without asking for the way up
                listing.add(place, parent, one.rows, seen=walk.seen, most=limit - walk.count - len(listing) + start)
        walk.take(listing, start)

    async def _described(self, listing: Listing, want: Want) -> BrowseColumns:
        """Data types and descriptions of variables, and what they hold; names of the type definitions of objects."""
        if want == "names" or not len(listing):
            return listing.columns()
        variables = listing.of_class(VARIABLE)
        numbers = (DATA_TYPE, VALUE_RANK, DESCRIPTION, VALUE) if want == "values" else (DATA_TYPE, VALUE_RANK, DESCRIPTION)
        objects = listing.of_class(OBJECT)
        answers, _ = await both(
            self._attributes([listing.node[place] for place in variables], numbers),
            self._name_types({listing.definition[place] for place in objects}),
        )
        types, descriptions = [""] * len(listing), [""] * len(listing)
        if objects:
            listing.spread(objects, [self._type_names.get(listing.definition[place], "") for place in objects], types)
        if variables:
            listing.spread(variables, await self._type_words(_held(answers[0]), _held(answers[1])), types)
            texts = _of_kind(str, _held(answers[2]), lambda text: str(text or ""))
            listing.spread(variables, texts, descriptions)
        if want == "types":
            return listing.columns(types, descriptions)
        values: list[object] = [None] * len(listing)
        statuses = [0] * len(listing)
        if variables:
            listing.spread(variables, _held(answers[3]), values)
            if _any_odd(answers[3]):
                odd = {row: one for row, one in zip(variables, answers[3], strict=True) if isinstance(one, DataValue)}
                for row, one in zip(odd, await self._types.finished(list(odd.values())), strict=True):
                    values[row], statuses[row] = one.value, one.status
        return listing.columns(types, descriptions, (values, statuses))

    async def _attributes(self, nodes: Sequence[bytes], numbers: Sequence[int]) -> Sequence[Sequence[Value | DataValue]]:
        """Of each attribute, its value of each node, see ``Services.read_plain``; in one request where that fits."""
        if not nodes:
            return [[] for _ in numbers]
        if len(nodes) * len(numbers) > self._services.sizes["read"]:
            return await together(self._services.read_plain(nodes, number) for number in numbers)
        answers = await self._services.read([(node, number) for number in numbers for node in nodes])  # a Value among them: with times
        return [answers[start : start + len(nodes)] for start in range(0, len(answers), len(nodes))]

    async def _type_words(self, data_types: Sequence[Value], ranks: Sequence[Value]) -> list[str]:
        """Type word of each variable. The same few pairs come again and again: each is put into words once."""
        texts = _of_kind(str, data_types, lambda one: one if isinstance(one, str) else "")
        numbers = _of_kind(int, ranks, lambda one: one if isinstance(one, int) else -1)
        pairs = list(zip(texts, numbers, strict=True))
        fresh = set(pairs) - self._words.keys()
        if fresh:
            await self._types.load(data_type for data_type, _ in fresh)
            self._words |= {pair: self._types.word(*pair) for pair in fresh}
        return list(map(self._words.__getitem__, pairs))

    async def _name_types(self, definitions: set[bytes]) -> None:
        nodes = [node for node in definitions - self._type_names.keys() if node[0] & 0xC0 == 0]
        answers = await self._services.read([(node, DISPLAY_NAME) for node in nodes])
        for node, answer in zip(nodes, answers, strict=True):
            self._type_names[node] = answer.value if isinstance(answer.value, str) else ""


def _of_kind(kind: type[T], values: Sequence[Value], otherwise: Callable[[Value], T]) -> Sequence[T]:
    """The values where all are of this very type, as they nearly always are; else what is made of each."""
    return cast("Sequence[T]", values) if set(map(type, values)) <= {kind} else [otherwise(one) for one in values]


def _any_odd(answers: Sequence[Value | DataValue]) -> bool:
    return DataValue in set(map(type, answers))


def _held(answers: Sequence[Value | DataValue]) -> Sequence[Value]:
    """Only what was held."""
    if not _any_odd(answers):
        return answers
    return [one.value if isinstance(one, DataValue) else one for one in answers]


class _Portion(NamedTuple):
    """Nodes to look below: where they stand in the walk, and encoded."""

    places: Sequence[int]
    nodes: Sequence[bytes]


class _Walk:
    """Breadth first, every node once. Place 0 is the root, place n + 1 is row n."""

    def __init__(self, node: bytes, root: Parent) -> None:
        self.seen = {root.id}
        self.ids = [root.id]
        self._nodes, self._paths, self._indexes = [node], [root.path], [root.namespace]
        self._next = 0

    @property
    def count(self) -> int:
        """Rows so far."""
        return len(self.ids) - 1

    @property
    def more(self) -> bool:
        return self._next < len(self._nodes)

    def stop(self) -> None:
        self._next = len(self._nodes)

    def portion(self, size: int, *, whole: bool) -> _Portion | None:
        """The next nodes that something may be below, None where there are none, or, if a ``whole`` portion is wanted, fewer."""
        while (end := min(self._next + size, len(self._nodes))) > self._next and not (whole and end - self._next < size):
            places: Sequence[int] = range(self._next, end)
            nodes = self._nodes[self._next : end]
            self._next = end
            if not all(nodes):
                places = [place for place in places if self._nodes[place]]
                nodes = [node for node in nodes if node]
            if nodes:  # a server refuses to be asked for nothing
                return _Portion(places, nodes)
        return None

    def parent(self, place: int) -> Parent:
        return Parent(self.ids[place], self._paths[place], self._indexes[place])

    def take(self, listing: Listing, start: int) -> None:
        """The rows of a listing from ``start`` on."""
        self.ids += listing.id[start:]
        self._nodes += listing.browsable(start)
        self._paths += listing.path[start:]
        self._indexes += listing.index[start:]
