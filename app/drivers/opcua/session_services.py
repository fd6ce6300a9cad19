"""The services a session needs, for many nodes at a time: in requests no larger than the server bears, four of them under way at most.

A published OperationLimit cannot be trusted (some servers refuse what they promise), so a request refused for its size is halved, and
the size that passed is kept for the rest of the session.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Final, Literal, TypeVar

from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds

from app.drivers.opcua.binary import NO_VALUE, DataValue, DecodingError, Reader, decoded, read_response_header
from app.drivers.opcua.session_channel import Channel, ServiceError
from app.drivers.opcua.status import BAD_DECODING_ERROR
from app.errors import EndpointError

IN_FLIGHT: Final = 4
MAX_REFERENCES: Final = 1000
"""Per node and request; more come with BrowseNext. Keeps answers small where 0 would let the server send everything at once."""

RELEASE_S: Final = 1.0
VALUE: Final = 13
TOO_LARGE: Final = frozenset({0x80100000, 0x80B80000, 0x80B90000, 0x80080000})
"""BadTooManyOperations, BadRequestTooLarge, BadResponseTooLarge, BadEncodingLimitsExceeded."""

ONE_SPOILS_ALL: Final = frozenset({0x80020000, 0x80060000, BAD_DECODING_ERROR})
"""BadInternalError, BadEncodingError, and our own failure to decode: one node of many can provoke them, so it is looked for by halving."""

_NO_CONTINUATION_POINTS: Final = 0x804B0000
_NO_MATCH: Final = 0x806F0000
_REFERENCES: Final = ua.NodeId(ua.Int32(31))
_HIERARCHICAL: Final = ua.NodeId(ua.Int32(33))
"""References, the root of all reference types, and HierarchicalReferences."""

Service = Literal["read", "browse", "translate", "monitor"]
Direction = Literal["forward", "inverse"]
A = TypeVar("A")
B = TypeVar("B")


class Found:
    """References of one node, and why there are none or not all."""

    __slots__ = ("references", "status")

    def __init__(self, status: int, references: list[ua.ReferenceDescription]) -> None:
        self.status = status
        self.references = references


Page = tuple[Found, dict[int, bytes]]
"""References, and the continuation point under 0 where there are more."""


class Services:
    """Calls over one channel. ``namespaces`` must be filled before anything is decoded with URIs.

    Attributes:
        requests: Requests sent by service, counted for tests and for the report.
        found: Service → operations per request, as found by being refused more; empty while nothing was refused.
    """

    def __init__(self, channel: Channel, ceiling: int) -> None:
        self.channel = channel
        self.namespaces: tuple[str, ...] = ()
        self.requests: dict[str, int] = {}
        self.found: dict[str, int] = {}
        self._sizes: dict[Service, int] = dict.fromkeys(("read", "browse", "translate", "monitor"), ceiling)
        self._gate = asyncio.Semaphore(IN_FLIGHT)

    def limit(self, service: Service, published: int) -> None:
        """Keep to an OperationLimit; 0 is "not stated"."""
        if published > 0:
            self._sizes[service] = min(self._sizes[service], published)

    async def batched(self, service: Service, items: Sequence[A], call: Callable[[Sequence[A]], Awaitable[Sequence[B]]]) -> list[B]:
        """``call`` over all items in parts; answers in order, one per item.

        Raises:
            EndpointError: A part failed for another reason than its size, or the server answered with another number of results.
        """
        size = self._sizes[service]
        parts = [items[start : start + size] for start in range(0, len(items), size)]
        if len(parts) == 1:
            return await self._part(service, parts[0], call)
        tasks = [asyncio.create_task(self._part(service, part, call)) for part in parts]
        try:
            return [answer for answers in await asyncio.gather(*tasks) for answer in answers]
        except BaseException:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise

    async def _part(self, service: Service, part: Sequence[A], call: Callable[[Sequence[A]], Awaitable[Sequence[B]]]) -> list[B]:
        if len(part) <= self._sizes[service]:  # an earlier part may have found that less fits
            try:
                async with self._gate:
                    self.requests[service] = self.requests.get(service, 0) + 1
                    answers = await call(part)
            except ServiceError as error:
                if error.status not in TOO_LARGE | ONE_SPOILS_ALL or len(part) == 1:
                    raise
                if error.status in TOO_LARGE:
                    self._sizes[service] = self.found[service] = min(self._sizes[service], max(1, len(part) // 2))
            else:
                if len(answers) != len(part):
                    why = f"the server answered {len(part)} operations with {len(answers)} results"
                    raise EndpointError(f"{service} failed", where=self.channel.url, why=why)
                return list(answers)
        middle = len(part) // 2
        return [*await self._part(service, part[:middle], call), *await self._part(service, part[middle:], call)]

    async def read(self, wanted: Sequence[tuple[ua.NodeId, int]]) -> list[DataValue]:
        """Attributes of nodes, with both times, structures not yet decoded. A node that spoils a request gets that request's status.

        Raises:
            EndpointError: As ``batched``.
        """
        return await self.batched("read", wanted, self._read)

    async def _read(self, wanted: Sequence[tuple[ua.NodeId, int]]) -> list[DataValue]:
        try:
            return await self._read_together(wanted)
        except ServiceError as error:
            if len(wanted) > 1 or error.status not in TOO_LARGE | ONE_SPOILS_ALL:
                raise
            return [NO_VALUE._replace(status=error.status)]  # the one that spoils the others

    async def _read_together(self, wanted: Sequence[tuple[ua.NodeId, int]]) -> list[DataValue]:
        request = ua.ReadRequest()
        request.Parameters.TimestampsToReturn = ua.TimestampsToReturn.Both
        request.Parameters.NodesToRead = [ua.ReadValueId(node, AttributeIds(number)) for node, number in wanted]
        data = await self.channel.call(request)
        try:
            return decoded(_read_results, data, self.namespaces)
        except DecodingError as error:
            raise ServiceError(self.channel.url, "Read", BAD_DECODING_ERROR) from error

    async def browse(
        self, nodes: Sequence[ua.NodeId], *, direction: Direction = "forward", reference: ua.NodeId = _HIERARCHICAL, subtypes: bool = True
    ) -> list[Found]:
        """All references of each node, in order of ``nodes``. Continuation points are followed, and released when cancelled."""

        async def part(some: Sequence[ua.NodeId]) -> list[Found]:
            return await self._browse(some, direction, reference, subtypes=subtypes)

        found = await self.batched("browse", nodes, part)
        for place, node in enumerate(nodes):
            if found[place].status == _NO_CONTINUATION_POINTS:  # too many at once for this server: this one by itself
                found[place] = (await self._browse([node], direction, reference, subtypes=subtypes))[0]
        return found

    async def _browse(self, nodes: Sequence[ua.NodeId], direction: Direction, reference: ua.NodeId, *, subtypes: bool) -> list[Found]:
        """Cancelled, it waits for the answer under way: only that knows the continuation points to be released."""
        stop = asyncio.Event()
        paging = asyncio.create_task(self._browse_to_end(nodes, direction, reference, subtypes, stop))
        try:
            return await asyncio.shield(paging)
        except asyncio.CancelledError:
            stop.set()
            await asyncio.wait({paging}, timeout=RELEASE_S)
            paging.cancel()
            await asyncio.gather(paging, return_exceptions=True)
            raise

    async def _browse_to_end(
        self, nodes: Sequence[ua.NodeId], direction: Direction, reference: ua.NodeId, subtypes: bool, stop: asyncio.Event
    ) -> list[Found]:
        request = ua.BrowseRequest()
        request.Parameters.RequestedMaxReferencesPerNode = ua.UInt32(MAX_REFERENCES)
        way = ua.BrowseDirection.Forward if direction == "forward" else ua.BrowseDirection.Inverse
        request.Parameters.NodesToBrowse = [
            ua.BrowseDescription(
                NodeId=node, BrowseDirection=way, ReferenceTypeId=reference, IncludeSubtypes=subtypes, NodeClassMask=0,
                ResultMask=ua.BrowseResultMask.All,
            )
            for node in nodes
        ]  # fmt: skip
        results = (await self.channel.ask(request, ua.BrowseResponse)).Results
        found = [Found(result.StatusCode.value, list(result.References or ())) for result in results]
        open_points = {place: result.ContinuationPoint for place, result in enumerate(results) if result.ContinuationPoint}
        while open_points and not stop.is_set():
            open_points = await self._browse_next(found, open_points)
        await self._release(list(open_points.values()))
        return found

    async def _browse_next(self, found: list[Found], points: dict[int, bytes]) -> dict[int, bytes]:
        request = ua.BrowseNextRequest()
        request.Parameters.ReleaseContinuationPoints = False  # asyncua's default is to release them
        request.Parameters.ContinuationPoints = list(points.values())
        self.requests["browse next"] = self.requests.get("browse next", 0) + 1
        results = (await self.channel.ask(request, ua.BrowseNextResponse)).Parameters.Results
        left = {}
        for place, result in zip(points, results, strict=False):
            found[place].references.extend(result.References or ())
            if result.StatusCode.value >> 30:
                found[place].status = result.StatusCode.value
            elif result.ContinuationPoint:
                left[place] = result.ContinuationPoint
        return left

    async def pages(self, node: ua.NodeId) -> AsyncIterator[Found]:
        """Every reference of one node, of every type and in both directions, page by page. A reader that stops early closes it.

        Raises:
            EndpointError: The server cannot be asked at all.
        """
        request = ua.BrowseRequest()
        request.Parameters.RequestedMaxReferencesPerNode = ua.UInt32(MAX_REFERENCES)
        request.Parameters.NodesToBrowse = [
            ua.BrowseDescription(
                NodeId=node, BrowseDirection=ua.BrowseDirection.Both, ReferenceTypeId=_REFERENCES, IncludeSubtypes=True, NodeClassMask=0,
                ResultMask=ua.BrowseResultMask.All,
            )
        ]  # fmt: skip
        points: dict[int, bytes] = {}
        try:
            found, points = await self._kept_whole(self._first_page(request))
            yield found
            while points:
                asked, points = points, {}
                found, points = await self._kept_whole(self._next_page(asked))
                yield found
        finally:
            await self._release(list(points.values()))

    async def _kept_whole(self, page: Coroutine[object, object, Page]) -> Page:
        """As ``_browse``: cancelled, it waits for the answer under way, and gives back the continuation point that comes with it."""
        task = asyncio.create_task(page)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait({task}, timeout=RELEASE_S)
            if task.done() and task.exception() is None:
                await self._release(list(task.result()[1].values()))
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            raise

    async def _first_page(self, request: ua.BrowseRequest) -> Page:
        async with self._gate:
            self.requests["browse"] = self.requests.get("browse", 0) + 1
            results = (await self.channel.ask(request, ua.BrowseResponse)).Results or ()
        if len(results) != 1:
            raise EndpointError("browse failed", where=self.channel.url, why=f"the server answered for {len(results)} nodes instead of one")
        result = results[0]
        points = {0: result.ContinuationPoint} if result.ContinuationPoint else {}
        return Found(result.StatusCode.value, list(result.References or ())), points

    async def _next_page(self, points: dict[int, bytes]) -> Page:
        found = Found(0, [])
        async with self._gate:
            return found, await self._browse_next([found], points)

    async def _release(self, points: list[bytes]) -> None:
        if not points:
            return
        request = ua.BrowseNextRequest()
        request.Parameters.ReleaseContinuationPoints = True
        request.Parameters.ContinuationPoints = points
        with suppress(EndpointError):  # the connection broke, and the points with it
            await self.channel.call(request, timeout_s=RELEASE_S)

    async def translate(self, paths: Sequence[ua.BrowsePath]) -> list[tuple[int, ua.NodeId | None]]:
        """Status and target of each browse path; a target on another server counts as no match."""
        return await self.batched("translate", paths, self._translate)

    async def _translate(self, paths: Sequence[ua.BrowsePath]) -> list[tuple[int, ua.NodeId | None]]:
        request = ua.TranslateBrowsePathsToNodeIdsRequest()
        request.Parameters.BrowsePaths = list(paths)
        results = (await self.channel.ask(request, ua.TranslateBrowsePathsToNodeIdsResponse)).Results
        return [_target(result) for result in results]


def _read_results(reader: Reader) -> list[DataValue]:
    status = read_response_header(reader)
    if status >> 30:
        raise DecodingError(f"service result 0x{status:08X}")
    return [reader.data_value() for _ in range(reader.count())]


def _target(result: ua.BrowsePathResult) -> tuple[int, ua.NodeId | None]:
    if result.StatusCode.value >> 30:
        return result.StatusCode.value, None
    for target in result.Targets or ():
        if target.RemainingPathIndex == 0xFFFFFFFF:
            return 0, target.TargetId
    return _NO_MATCH, None
