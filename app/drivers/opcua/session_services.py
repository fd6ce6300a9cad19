"""The services a session needs, for many nodes at a time: in requests no larger than the server bears, a few of them under way at once.

Browse, BrowseNext and Read are encoded and decoded by ourselves (``requests``, ``references``, ``values``), over asyncua's secure channel.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import Any, Final, TypeVar

from asyncua import ua
from asyncua.ua.ua_binary import nodeid_to_binary

from app.drivers.base import Learned
from app.drivers.opcua import requests
from app.drivers.opcua.binary import NO_VALUE, DataValue, DecodingError, Reader, ResultError, decoded_with, passed_response_header
from app.drivers.opcua.browsed import Found, Rows, filled
from app.drivers.opcua.references import Browsed
from app.drivers.opcua.requests import Direction
from app.drivers.opcua.session_channel import Channel, NoAnswerError, ServiceError
from app.drivers.opcua.session_quarantine import MOST_SPOILERS, ONE_SPOILS_ALL, Quarantine, Search
from app.drivers.opcua.session_sizes import TOO_LARGE, Service, Sizes
from app.drivers.opcua.status import BAD_DECODING_ERROR
from app.drivers.opcua.together import together
from app.drivers.opcua.values import Repertoire, data_values, plain_values
from app.errors import EndpointError
from app.model.values import Value

IN_FLIGHT: Final = 6
RELEASE_S: Final = 1.0
LIFE_S: Final = 5.0
LIFE_ROUND_TRIPS: Final = 4
"""A server that does not tell its time within the longer of both is silent altogether: ``session``'s watchdog ends it then."""

VALUE: Final = 13
REFERENCES: Final = requests.numeric(31)
HIERARCHICAL: Final = requests.numeric(33)
"""References, the root of all reference types, and HierarchicalReferences."""

_CURRENT_TIME: Final = requests.numeric(2258)
_NO_CONTINUATION_POINTS: Final = 0x804B0000
_NO_MATCH: Final = 0x806F0000
Node = ua.NodeId | bytes
"""As asyncua's object, or encoded as it came."""

A = TypeVar("A")
B = TypeVar("B")
Call = Callable[[Sequence[A]], Awaitable[Sequence[B]]]


def encoded(node: Node) -> bytes:
    return node if isinstance(node, bytes) else bytes(nodeid_to_binary(node))


class Services:
    """Calls over one channel. ``namespaces`` must be set before anything is decoded with URIs.

    Args:
        learned: By the sessions before this one; ``tell`` hears what this one learns.

    Attributes:
        requests: Requests sent by service, counted for tests and for the report.
    """

    def __init__(
        self, channel: Channel, ceiling: int, learned: Learned | None = None, tell: Callable[[Learned], None] = lambda _: None
    ) -> None:
        self.channel = channel
        self.requests: dict[str, int] = {}
        self.sizes = Sizes(ceiling, learned or Learned(), tell)
        self.quarantine = Quarantine(channel, learned or Learned(), tell)
        self._namespaces: tuple[str, ...] = ()
        self._browsed = Browsed(())
        self._repertoires: dict[int, Repertoire] = {}
        self._gate = asyncio.Semaphore(IN_FLIGHT)

    @property
    def namespaces(self) -> tuple[str, ...]:
        """URIs by index."""
        return self._namespaces

    @namespaces.setter
    def namespaces(self, namespaces: tuple[str, ...]) -> None:
        self._namespaces = namespaces
        self._browsed = Browsed(namespaces)
        self._repertoires = {}  # NodeIds among them are text by these namespaces

    @property
    def found(self) -> dict[str, int]:
        """Service → operations per request, as found by being refused more."""
        return {str(service): size for service, size in self.sizes.found.items()}

    def limit(self, service: Service, published: int) -> None:
        """Keep to an OperationLimit; 0 is "not stated"."""
        self.sizes.publish(service, published)

    def ended(self, status: int) -> None:
        """The connection ended with this error message of the server, 0 for none; its requests are still waiting for answers."""
        if status in TOO_LARGE:
            self.sizes.hung_up()

    async def batched(self, service: Service, items: Sequence[A], call: Call[A, B]) -> list[B]:
        """``call`` over all items in parts; answers in order, one per item.

        Raises:
            EndpointError: A part failed for another reason than its size, or the server answered with another number of results.
        """
        return await self._parts(service, items, partial(self._sized, service, call))

    async def _parts(self, service: Service, items: Sequence[A], ask: Callable[[Sequence[A]], Awaitable[list[B]]]) -> list[B]:
        if not items:  # BadNothingToDo, from servers that are strict
            return []
        size = self.sizes[service]
        if len(items) <= size:
            return await ask(items)
        parts = [items[start : start + size] for start in range(0, len(items), size)]
        return [answer for answers in await together(_run(ask, part) for part in parts) for answer in answers]

    async def _sized(self, service: Service, call: Call[A, B], part: Sequence[A]) -> list[B]:
        """One part, halved as long as it is too large for the server."""
        if len(part) <= self.sizes[service]:  # an earlier part may have found that less fits
            try:
                return await self._asked(service, call, part)
            except ServiceError as error:
                if error.status not in TOO_LARGE or len(part) == 1 or self.channel.lost:
                    raise
                self.sizes.halve(service, len(part))
        middle = len(part) // 2
        return [*await self._sized(service, call, part[:middle]), *await self._sized(service, call, part[middle:])]

    async def _asked(self, service: Service, call: Call[A, B], part: Sequence[A]) -> list[B]:
        async with self._gate:
            return await self._sent(service, call, part)

    async def _sent(self, service: Service, call: Call[A, B], part: Sequence[A]) -> list[B]:
        self.requests[service] = self.requests.get(service, 0) + 1
        begin_s = monotonic()
        with self.sizes.asking(service, len(part)):
            answers = await call(part)
        self.quarantine.answered(monotonic() - begin_s)
        if len(answers) != len(part):
            why = f"the server answered {len(part)} operations with {len(answers)} results"
            raise EndpointError(f"{service} failed", where=self.channel.url, why=why)
        return list(answers)

    async def _spared(
        self, service: Service, items: Sequence[A], call: Call[A, B], refused: Callable[[int], B], node_of: Callable[[A], bytes]
    ) -> list[B]:
        """``batched`` without those in quarantine, which are asked by themselves, and with new ones found."""

        async def call_or_refused(part: Sequence[A]) -> Sequence[B]:
            try:
                return await call(part)
            except ServiceError as error:
                if len(part) > 1 or error.status not in TOO_LARGE or self.channel.lost:
                    raise
                return [refused(error.status)]  # too large by itself

        async def together_(part: Sequence[A]) -> list[B]:
            try:
                return await self._sized(service, call_or_refused, part)
            except (NoAnswerError, ServiceError) as error:
                if isinstance(error, ServiceError) and (error.status not in ONE_SPOILS_ALL or self.channel.lost):
                    raise
                return await self._searched(service, part, call, refused, node_of, error)

        if self.quarantine.is_empty:
            return await self._parts(service, items, together_)
        quarantined = [self.quarantine.holds(node_of(item)) for item in items]
        if not any(quarantined):
            return await self._parts(service, items, together_)
        rest = [item for item, alone in zip(items, quarantined, strict=True) if not alone]
        answers = iter(await self._parts(service, rest, together_))
        alone = iter(
            await together(self._alone(service, item, call, refused, node_of) for item, one in zip(items, quarantined, strict=True) if one)
        )
        return [next(alone) if one else next(answers) for one in quarantined]

    async def _alone(self, service: Service, item: A, call: Call[A, B], refused: Callable[[int], B], node_of: Callable[[A], bytes]) -> B:
        async def ask() -> B:
            try:
                return (await self._sent(service, call, [item]))[0]
            except ServiceError as error:
                if error.status not in ONE_SPOILS_ALL:
                    raise
                return refused(error.status)

        return await self.quarantine.alone(node_of(item), (service, item), ask, refused)

    async def _searched(
        self,
        service: Service,
        part: Sequence[A],
        call: Call[A, B],
        refused: Callable[[int], B],
        node_of: Callable[[A], bytes],
        error: NoAnswerError | ServiceError,
    ) -> list[B]:
        search = Search(self.quarantine, partial(self._sent, service, call), refused, self._lives)
        answers = await search.halves(part, error)
        if len(search.spoilers) <= max(1, len(part) // MOST_SPOILERS) and (len(part) > 1 or isinstance(error, NoAnswerError)):
            for item, status in search.spoilers:
                self.quarantine.add(node_of(item), self.namespaces, status)
        return answers

    async def _lives(self) -> bool:
        """Whether the server still tells its time. Any answer will do."""
        try:
            await self._body(
                "Read",
                requests.READ,
                requests.read_one_attribute([_CURRENT_TIME], VALUE, "both"),
                1,
                timeout_s=max(LIFE_S, LIFE_ROUND_TRIPS * self.channel.round_trip_s),
            )
        except ServiceError:
            return not self.channel.lost
        except EndpointError:
            return False
        return True

    async def _body(self, name: str, type_id: int, body: bytes, count: int, timeout_s: float | None = None) -> bytes:
        return await self.channel.call_body(name, type_id, body, count=count, timeout_s=timeout_s)

    # Read

    async def read(self, wanted: Sequence[tuple[Node, int]]) -> list[DataValue]:
        """Attributes of nodes; values with both times, structures not yet decoded. A node that spoils a request gets that request's status.

        Raises:
            EndpointError: As ``batched``.
        """
        items = [(encoded(node), attribute) for node, attribute in wanted]
        return await self._spared("read", items, self._read, _no_value, _first)

    async def read_attribute(self, nodes: Sequence[bytes], attribute: int) -> list[DataValue]:
        """One attribute of many nodes: the same, quicker, and values without times."""
        return await self._spared("read", nodes, partial(self._read_attribute, attribute), _no_value, bytes)

    async def read_plain(self, nodes: Sequence[bytes], attribute: int) -> list[Value | DataValue]:
        """Likewise, quicker still: see ``values.plain_values``."""
        return await self._spared("read", nodes, partial(self._read_plain, attribute), _no_plain_value, bytes)

    async def _read(self, items: Sequence[tuple[bytes, int]]) -> list[DataValue]:
        times: requests.Times = "both" if any(attribute == VALUE for _, attribute in items) else "none"
        return self._decoded(data_values, await self._body("Read", requests.READ, requests.read(items, times), len(items)))

    async def _read_attribute(self, attribute: int, nodes: Sequence[bytes]) -> list[DataValue]:
        return self._decoded(data_values, await self._read_one(attribute, nodes))

    async def _read_plain(self, attribute: int, nodes: Sequence[bytes]) -> list[Value | DataValue]:
        repertoire = None if attribute == VALUE else self._repertoires.setdefault(attribute, Repertoire())
        return self._decoded(partial(plain_values, repertoire=repertoire), await self._read_one(attribute, nodes))

    async def _read_one(self, attribute: int, nodes: Sequence[bytes]) -> bytes:
        return await self._body("Read", requests.READ, requests.read_one_attribute(nodes, attribute, "none"), len(nodes))

    def _decoded(self, read: Callable[[Reader], list[B]], data: bytes) -> list[B]:
        """Results of a Read."""
        try:
            return decoded_with(read, passed_response_header(data, self.namespaces))
        except ResultError as error:
            raise ServiceError(self.channel.url, "Read", error.status) from error
        except DecodingError as error:
            raise ServiceError(self.channel.url, "Read", BAD_DECODING_ERROR) from error

    # Browse

    async def browse(
        self, nodes: Sequence[Node], *, direction: Direction = "forward", reference: bytes = HIERARCHICAL, subtypes: bool = True
    ) -> list[Found]:
        """All references of each node, in order of ``nodes``. Continuation points are followed, and released when cancelled."""
        return await self.browse_encoded([encoded(node) for node in nodes], direction=direction, reference=reference, subtypes=subtypes)

    async def browse_encoded(
        self, nodes: Sequence[bytes], *, direction: Direction = "forward", reference: bytes = HIERARCHICAL, subtypes: bool = True
    ) -> list[Found]:
        """The same where all nodes are encoded."""
        call = partial(self._browse, direction, reference, subtypes)
        found = await self._spared("browse", nodes, call, _not_found, bytes)
        for place, one in filled(found):
            if one.status == _NO_CONTINUATION_POINTS:  # too many at once for this server: this one by itself
                found[place] = (await self._asked("browse", call, [nodes[place]]))[0]
        return found

    async def _browse(self, direction: Direction, reference: bytes, subtypes: bool, nodes: Sequence[bytes]) -> list[Found]:
        """Cancelled, it waits for the answer under way: only that knows the continuation points to be released."""
        stop = asyncio.Event()
        paging = asyncio.create_task(self._browse_to_end(nodes, direction, reference, subtypes, stop))
        paging.add_done_callback(_seen)
        try:
            return await asyncio.shield(paging)
        except asyncio.CancelledError:
            stop.set()
            await asyncio.wait({paging}, timeout=RELEASE_S)
            paging.cancel()
            await asyncio.gather(paging, return_exceptions=True)
            raise

    async def _browse_to_end(
        self, nodes: Sequence[bytes], direction: Direction, reference: bytes, subtypes: bool, stop: asyncio.Event
    ) -> list[Found]:
        body = requests.browse(nodes, direction, reference, subtypes=subtypes)
        found = self._founds(await self._body("Browse", requests.BROWSE, body, len(nodes)))
        open_points = {place: one.point for place, one in filled(found) if one.point}
        try:
            while open_points and not stop.is_set():
                open_points = await self._browse_next(found, open_points)
        finally:
            await self._release(list(open_points.values()))
        return found

    async def _browse_next(self, found: list[Found], points: dict[int, bytes]) -> dict[int, bytes]:
        """Add what comes next to ``found``, by place; returns the points that are left."""
        self.requests["browse next"] = self.requests.get("browse next", 0) + 1
        body = requests.browse_next(list(points.values()), release=False)
        left = {}
        for place, more in zip(points, self._founds(await self._body("BrowseNext", requests.BROWSE_NEXT, body, len(points))), strict=False):
            before = found[place]
            rows = Rows()
            rows.add(before.rows.columns)
            rows.add(more.rows.columns)
            found[place] = Found(more.status if more.status >> 30 else before.status, b"", rows)
            if more.point and not more.status >> 30:
                left[place] = more.point
        return left

    def _founds(self, data: bytes) -> list[Found]:
        try:
            return self._browsed.results(data)
        except ResultError as error:
            raise ServiceError(self.channel.url, "Browse", error.status) from error
        except DecodingError as error:
            raise ServiceError(self.channel.url, "Browse", BAD_DECODING_ERROR) from error

    async def pages(self, node: Node) -> AsyncIterator[Found]:
        """Every reference of one node, of every type and in both directions, page by page. A reader that stops early closes it.

        Raises:
            EndpointError: The server cannot be asked at all.
        """
        points: dict[int, bytes] = {}
        try:
            found = await self._kept_whole(self._first_page(encoded(node)))
            while True:
                points = {0: found.point} if found.point else {}
                yield found
                if not points:
                    return
                asked, points = points, {}
                found = await self._kept_whole(self._next_page(asked))
        finally:
            await self._release(list(points.values()))

    async def _kept_whole(self, page: Coroutine[object, object, Found]) -> Found:
        """As ``_browse``: cancelled, it waits for the answer under way, and gives back the continuation point that comes with it."""
        task = asyncio.create_task(page)
        task.add_done_callback(_seen)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait({task}, timeout=RELEASE_S)
            if task.done() and task.exception() is None and task.result().point:
                await self._release([task.result().point])
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            raise

    async def _first_page(self, node: bytes) -> Found:
        async def ask(nodes: Sequence[bytes]) -> list[Found]:
            return self._founds(await self._body("Browse", requests.BROWSE, requests.browse(nodes, "both", REFERENCES), len(nodes)))

        return (await self._asked("browse", ask, [node]))[0]

    async def _next_page(self, points: dict[int, bytes]) -> Found:
        found = [Found(0, b"", Rows())]
        async with self._gate:
            left = await self._browse_next(found, points)
        return found[0]._replace(point=left.get(0, b""))

    async def _release(self, points: list[bytes]) -> None:
        if not points or self.channel.lost:
            return
        with suppress(EndpointError):  # the connection broke, and the points with it
            await self._body(
                "BrowseNext", requests.BROWSE_NEXT, requests.browse_next(points, release=True), len(points), timeout_s=RELEASE_S
            )

    # Browse paths

    async def translate(self, paths: Sequence[ua.BrowsePath]) -> list[tuple[int, ua.NodeId | None]]:
        """Status and target of each browse path; a target on another server counts as no match."""
        return await self.batched("translate", paths, self._translate)

    async def _translate(self, paths: Sequence[ua.BrowsePath]) -> list[tuple[int, ua.NodeId | None]]:
        request = ua.TranslateBrowsePathsToNodeIdsRequest()
        request.Parameters.BrowsePaths = list(paths)
        results = (await self.channel.ask(request, ua.TranslateBrowsePathsToNodeIdsResponse)).Results
        return [_target(result) for result in results]


async def _run(ask: Callable[[Sequence[A]], Awaitable[list[B]]], part: Sequence[A]) -> list[B]:
    return await ask(part)


def _first(item: tuple[bytes, int]) -> bytes:
    return item[0]


def _no_value(status: int) -> DataValue:
    return NO_VALUE._replace(status=status)


def _no_plain_value(status: int) -> Value | DataValue:
    return _no_value(status)


def _seen(task: asyncio.Task[Any]) -> None:  # Any: whatever it would have brought
    """For one that its owner, cancelled twice, could not wait for: its failure is nobody's any more."""
    if not task.cancelled():
        task.exception()


def _not_found(status: int) -> Found:
    return Found(status, b"", Rows())


def _target(result: ua.BrowsePathResult) -> tuple[int, ua.NodeId | None]:
    if result.StatusCode.value >> 30:
        return result.StatusCode.value, None
    for target in result.Targets or ():
        if target.RemainingPathIndex == 0xFFFFFFFF:
            return 0, target.TargetId
    return _NO_MATCH, None
