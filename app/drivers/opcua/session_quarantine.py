"""Nodes that spoil every request that holds them: found by halving, and from then on asked by themselves only.

Known from the field: a node behind a dead gateway or a broken driver makes a whole Read time out, another makes it fail as a whole with
BadInternalError, and 499 good values are not seen. A search is bounded: by its time, and by its time-outs, which are short and all under
way at once, so that about log2(n) of them come in a row however many nodes are to blame.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from math import ceil, log2
from time import monotonic
from typing import Final, Generic, TypeVar

from app.drivers.base import Learned
from app.drivers.opcua.binary import DecodingError, Reader, decoded
from app.drivers.opcua.requests import all_forms
from app.drivers.opcua.session_channel import Channel, NoAnswerError, ServiceError
from app.drivers.opcua.session_sizes import TOO_LARGE
from app.drivers.opcua.status import BAD_DECODING_ERROR, BAD_TIMEOUT, status_text
from app.drivers.opcua.together import together
from app.errors import EndpointError

ONE_SPOILS_ALL: Final = frozenset({0x80020000, 0x80060000, BAD_DECODING_ERROR})
"""BadInternalError, BadEncodingError, and our own failure to decode: one node of many can provoke them."""

SHORTEST_S: Final = 1.0
ROUND_TRIPS: Final = 4
"""A part of a request that got no answer is given the longest of ``SHORTEST_S``, so many round trips, and so many times what the slowest
answer of this session took."""

MOST_SPOILERS: Final = 8
"""One in so many nodes at most is quarantined by a search: more is a server in trouble, not a few bad nodes."""

AT_ONCE: Final = 4
TRIES: Final = 2

A = TypeVar("A")
B = TypeVar("B")


class Quarantine:
    """Of one session.

    Attributes:
        why: Canonical id → why it is quarantined, in this session and before.
    """

    def __init__(self, channel: Channel, learned: Learned, tell: Callable[[Learned], None]) -> None:
        self.why: dict[str, str] = dict(learned.quarantined)
        self._channel = channel
        self._tell = tell
        self._nodes: set[bytes] = set()
        self._silent: set[tuple[bytes, object]] = set()
        self._slowest_s = 0.0
        self._gate = asyncio.Semaphore(AT_ONCE)

    def know(self, nodes: Sequence[bytes]) -> None:
        """The quarantined nodes of earlier sessions, encoded for this one."""
        for node in nodes:
            self._nodes.update(all_forms(node))

    def holds(self, node: bytes) -> bool:
        return node in self._nodes

    @property
    def is_empty(self) -> bool:
        return not self._nodes

    def answered(self, took_s: float) -> None:
        """A request was answered after so long: no node of it is to blame for anything."""
        self._slowest_s = max(self._slowest_s, took_s)

    @property
    def patience_s(self) -> float:
        """What a part of a request that got no answer is given."""
        longest_s = max(SHORTEST_S, ROUND_TRIPS * self._channel.round_trip_s, ROUND_TRIPS * self._slowest_s)
        return min(longest_s, self._channel.timeout_s)

    def add(self, node: bytes, namespaces: Sequence[str], status: int) -> None:
        """Quarantine it and tell; the session after this one is given it as ``EndpointConfig.learned``."""
        try:
            id_ = decoded(Reader.node_id, node, namespaces)
        except DecodingError:
            return
        if self.holds(node):
            return
        what = "gave no answer when it was asked for by itself" if status == BAD_TIMEOUT else "spoiled every request that held it"
        self.why[id_] = f"{status_text(status)}: the server {what}; it is left out of requests with others"
        self.know([node])
        self._tell(Learned(quarantined={id_: self.why[id_]}))

    async def alone(self, node: bytes, what: object, ask: Callable[[], Awaitable[B]], refused: Callable[[int], B]) -> B:
        """Ask a quarantined node by itself. One that is silent is asked once per session for ``what`` (an attribute), then not any more.

        Raises:
            EndpointError: The connection is gone.
        """
        if (node, what) in self._silent:
            return refused(BAD_TIMEOUT)
        try:
            async with self._gate, asyncio.timeout(self.patience_s):
                return await ask()
        except (TimeoutError, NoAnswerError):
            if self._channel.lost:
                raise EndpointError("No answer", where=self._channel.url, why=self._channel.lost) from None
            self._silent.add((node, what))
            return refused(BAD_TIMEOUT)


class Search(Generic[A, B]):
    """For those of some operations that spoil a request, by asking for halves of it.

    Args:
        ask: Sends a request with these operations; what it takes is bounded here.
        refused: The answer for an operation that spoils others, from its status.
        lives: Whether the server still answers something else; asked after every time-out.
    """

    def __init__(
        self,
        quarantine: Quarantine,
        ask: Callable[[Sequence[A]], Awaitable[Sequence[B]]],
        refused: Callable[[int], B],
        lives: Callable[[], Awaitable[bool]],
    ) -> None:
        self.spoilers: list[tuple[A, int]] = []
        self._quarantine, self._ask, self._refused, self._lives = quarantine, ask, refused, lives
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._until_s = 0.0

    async def halves(self, part: Sequence[A], error: EndpointError) -> list[B]:
        """Answers of all of them, ``error`` being why they could not be had together.

        Raises:
            EndpointError: The server is silent altogether, or refuses for another reason.
        """
        patience_s = self._quarantine.patience_s
        self._until_s = monotonic() + 2 * patience_s * (1 + ceil(log2(max(2, len(part)))))
        return await self._divided(part, error)

    async def _divided(self, part: Sequence[A], error: EndpointError) -> list[B]:
        if isinstance(error, NoAnswerError) and not await self._lives():
            raise error
        if len(part) == 1:
            return await self._blamed(part, error)
        middle = len(part) // 2
        first, second = await together(self._tried(half) for half in (part[:middle], part[middle:]))
        return [*first, *second]

    async def _blamed(self, one: Sequence[A], error: EndpointError) -> list[B]:
        """Silence is blamed on a node only where the server answers something else right behind it: a link may have stood still."""
        if isinstance(error, ServiceError):
            self.spoilers.append((one[0], error.status))
            return [self._refused(error.status)]
        for _ in range(TRIES):
            try:
                return list(await self._bounded(one))
            except NoAnswerError:
                begin_s = monotonic()
                if not await self._lives():
                    raise error from None
                if monotonic() - begin_s < self._quarantine.patience_s / 2:
                    self.spoilers.append((one[0], BAD_TIMEOUT))
                    break
        return [self._refused(BAD_TIMEOUT)]

    async def _tried(self, part: Sequence[A]) -> list[B]:
        if monotonic() > self._until_s:
            return [self._refused(BAD_TIMEOUT) for _ in part]  # not to blame, but there is no more time to find that out
        try:
            async with self._gate:
                answers = await self._bounded(part)
        except NoAnswerError as error:
            return await self._divided(part, error)
        except ServiceError as error:
            if error.status not in ONE_SPOILS_ALL | TOO_LARGE:
                raise
            return await self._divided(part, error)
        return list(answers)

    async def _bounded(self, part: Sequence[A]) -> Sequence[B]:
        patience_s = self._quarantine.patience_s
        try:
            async with asyncio.timeout(patience_s):
                return await self._ask(part)
        except TimeoutError as error:
            raise NoAnswerError("Cannot talk to the server", where="", why=f"no answer within {patience_s:g} s") from error
