"""A subscription and its publish loop.

asyncua's own are not used: they answer a deleted subscription with silence, ask for lost messages without an end, and call a handler per
value.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from math import ceil
from time import monotonic
from typing import Final, NamedTuple

from asyncua import ua

from app.drivers.base import Event, Gap
from app.drivers.opcua.binary import DecodingError
from app.drivers.opcua.changes import ChangeReader, Changes
from app.drivers.opcua.notifications import (
    PUBLISH,
    REPUBLISH,
    Notification,
    missing,
    publish_body,
    read_publish,
    read_republish,
    republish_body,
    service_result,
)
from app.drivers.opcua.session_channel import Channel, NoAnswerError, ServiceError
from app.drivers.opcua.session_services import Services
from app.drivers.opcua.session_sizes import TOO_LARGE
from app.drivers.opcua.status import status_text
from app.errors import EndpointError

log = logging.getLogger(__name__)

KEEP_ALIVE_MS: Final = 5_000
"""At most so long is the server silent about a subscription. asyncua's default would be 7.5 minutes."""

LONGEST_MS: Final = 3_600_000
"""More silence than an hour is not asked for, and no silence that could be told from a dead server."""
LIFETIME_MS: Final = 60_000
LEAST_WAITING: Final = 2
MOST_WAITING: Final = 32
"""Publish requests that wait at the server. With one for each publish during a round trip, and one more, none has to wait for us."""

CHECK_S: Final = 3.0
CHECK_PUBLISHES: Final = 1.5
"""After so long without a word about the subscription the server is asked whether it has it still: not all say when they drop one."""

RECREATE_ONCE_IN_S: Final = 60.0
VALUES_PER_PUBLISH: Final = 10_000
_FEWEST_VALUES: Final = 100
MOST_MISSING: Final = 64
"""Lost messages that are asked for again; a server keeps a few for each Publish request."""

REPUBLISH_S: Final = 2.0
REPUBLISH_ROUND_TRIPS: Final = 4

_BAD_NO_SUBSCRIPTION: Final = 0x80790000
_BAD_TOO_MANY_PUBLISH_REQUESTS: Final = 0x80780000
_GONE: Final = frozenset({0x80280000, _BAD_NO_SUBSCRIPTION})
"""BadSubscriptionIdInvalid, and BadNoSubscription."""

_NOT_ASKED: Final = frozenset({0x800B0000, 0x801F0000, 0x80400000})
"""BadServiceUnsupported, BadUserAccessDenied, BadNotImplemented: a server that cannot be asked is not asked again."""

_BAD_TIMEOUT: Final = 0x800A0000


class _Answer(NamedTuple):
    """To one Publish request: the bytes, or why there are none."""

    generation: int
    acknowledged: list[tuple[int, int]]
    data: bytes
    error: EndpointError | None


def waiting(round_trip_s: float, publishing_ms: float) -> int:
    """How many Publish requests should wait at the server."""
    return min(max(ceil(round_trip_s * 1000 / publishing_ms) + 1, LEAST_WAITING), MOST_WAITING)


class Subscription:
    """At most one on the server at a time.

    Args:
        deliver: Takes what one notification brought, in order.
        renewed: Called when another subscription stands in the place of one that the server dropped: without items so far.

    Attributes:
        id: The server's number, 0 while there is none.
        publishing_ms: As revised by the server.
    """

    def __init__(
        self,
        channel: Channel,
        services: Services,
        publishing_ms: float,
        *,
        deliver: Callable[[Sequence[Changes]], Awaitable[None]],
        renewed: Callable[[], None],
        tell: Callable[[Event], None],
        end: Callable[[str], None],
    ) -> None:
        self.id = 0
        self.publishing_ms = publishing_ms
        self._channel = channel
        self._services = services
        self._deliver = deliver
        self._renewed = renewed
        self._tell = tell
        self._end = end
        self._changes = ChangeReader()
        self._values = VALUES_PER_PUBLISH
        self._silence_s = 0.0
        self._heard_s = 0.0
        self._checked_s = 0.0
        self._asks = True
        self._recreated_s = float("-inf")
        self._generation = 0
        self._sequence = 0
        self._most = MOST_WAITING
        self._acknowledge: list[tuple[int, int]] = []
        self._waiting: set[asyncio.Task[None]] = set()
        self._answers: asyncio.Queue[_Answer] = asyncio.Queue()
        self._loop: asyncio.Task[None] | None = None
        self._making = asyncio.Lock()

    async def ensure(self) -> None:
        """Make one where there is none.

        Raises:
            EndpointError: The server does not let us.
        """
        async with self._making:
            if not self.id:
                await self._create()

    async def _create(self) -> None:
        request = ua.CreateSubscriptionRequest()
        keep_alive = ceil(KEEP_ALIVE_MS / self.publishing_ms)
        request.Parameters = ua.CreateSubscriptionParameters(
            RequestedPublishingInterval=ua.Double(self.publishing_ms),
            RequestedLifetimeCount=ua.UInt32(max(3 * keep_alive, ceil(LIFETIME_MS / self.publishing_ms))),
            RequestedMaxKeepAliveCount=ua.UInt32(keep_alive),
            MaxNotificationsPerPublish=ua.UInt32(self._values),
            PublishingEnabled=True,
            Priority=ua.Byte(0),
        )
        granted = (await self._channel.ask(request, ua.CreateSubscriptionResponse)).Parameters
        self.id = granted.SubscriptionId
        revised_ms = float(granted.RevisedPublishingInterval)
        if not 0 <= revised_ms <= LONGEST_MS or granted.RevisedMaxKeepAliveCount * revised_ms > LONGEST_MS:  # also True for NaN
            why = f"the server grants a publishing interval of {revised_ms:g} ms and {granted.RevisedMaxKeepAliveCount} of them in silence"
            self._end(why)
            raise EndpointError("Watching failed", where=self._channel.url, why=why)
        self.publishing_ms = max(revised_ms, 1.0)
        self._silence_s = 2 * granted.RevisedMaxKeepAliveCount * self.publishing_ms / 1000 + 2.0
        self._sequence = 0
        self._acknowledge = []
        self._heard_s = self._checked_s = monotonic()
        if self._loop is None or self._loop.done():
            self._loop = asyncio.create_task(self._publish_loop(), name="opcua publishing")
        self._refill()

    async def close(self) -> None:
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)
            self._loop = None

    async def check(self) -> None:
        """Make another where the server has forgotten this one without a word; some do. Asks only when nothing was heard of it.

        Raises:
            EndpointError: It cannot be made, or has been forgotten before.
        """
        now = monotonic()
        quiet_s = max(CHECK_S, CHECK_PUBLISHES * self.publishing_ms / 1000)
        if not self.id or now - max(self._heard_s, self._checked_s) < quiet_s:
            return
        self._checked_s = now
        generation = self._generation
        status = await self._state() if self._asks else 0
        why = f"it is not there any more: {status_text(status)}" if status in _GONE else ""
        self._asks = self._asks and status not in _NOT_ASKED
        if not why and now - self._heard_s > self._silence_s:
            why = "it has not been heard of for two keep-alives"
        if why and generation == self._generation:
            await self.start_over(why)

    async def _publish_loop(self) -> None:
        try:
            while True:
                self._refill()
                await self._on_answer(await self._answers.get())
        except EndpointError as error:
            self._end(f"the subscription failed: {error.why}")
        except DecodingError as error:
            self._end(f"the server sent a notification that cannot be decoded: {error}")
        except Exception as error:  # a loop that is over without a word would be a subscription that is silent for ever
            log.exception("publishing failed")
            self._end(f"the driver failed: {type(error).__name__}: {error}")
        finally:
            for task in self._waiting:
                task.cancel()
            await asyncio.gather(*self._waiting, return_exceptions=True)
            self._waiting.clear()

    def _refill(self) -> None:
        while self.id and len(self._waiting) < min(waiting(self._channel.round_trip_s, self.publishing_ms), self._most):
            acknowledged, self._acknowledge = self._acknowledge, []
            task = asyncio.create_task(self._publish(acknowledged, self._generation))
            self._waiting.add(task)
            task.add_done_callback(self._waiting.discard)

    async def _publish(self, acknowledged: list[tuple[int, int]], generation: int) -> None:
        data, failed = b"", None
        try:
            body = publish_body(acknowledged)
            data = await self._channel.call_body("Publish", PUBLISH, body, timeout_s=0, count=len(acknowledged))
        except EndpointError as error:
            failed = error
        self._waiting.discard(asyncio.current_task())
        self._answers.put_nowait(_Answer(generation, acknowledged, data, failed))

    async def _on_answer(self, answer: _Answer) -> None:
        error = answer.error
        if error is None and (status := service_result(answer.data)) >> 30:  # some servers say it so instead of with a fault
            error = ServiceError(self._channel.url, "Publish", status)
        if error is None:
            await self._take(read_publish(answer.data, self._services.namespaces, self._changes))
            return
        if not isinstance(error, ServiceError):
            raise error
        if answer.generation != self._generation:
            return  # about the subscription before this one
        self._acknowledge = [*answer.acknowledged, *self._acknowledge][-MOST_MISSING:]
        if error.status == _BAD_TOO_MANY_PUBLISH_REQUESTS:
            self._most = max(1, len(self._waiting))
        elif error.status == _BAD_NO_SUBSCRIPTION:
            await self.start_over(error.why)
        elif error.status in TOO_LARGE and self._values > _FEWEST_VALUES:
            self._values //= 2
            self._recreated_s = float("-inf")
            await self.start_over(f"{error.why}; from now on at most {self._values} values come at once")
        elif error.status != _BAD_TIMEOUT:
            raise error

    async def _take(self, message: Notification) -> None:
        """Hand it on, with what was lost before it as far as the server can send that again."""
        if message.subscription != self.id:
            return
        self._heard_s = monotonic()
        if message.dropped:
            await self.start_over(message.dropped)
            return
        lost = missing(self._sequence, message.sequence, MOST_MISSING) if self._sequence else range(0)
        if lost is None and not message.is_keep_alive:
            if message.sequence == self._sequence:
                return  # the same again
            self._tell(Gap(why=f"the server's notifications jumped from {self._sequence} to {message.sequence}"))
        if lost:
            await self._fetch(lost)
            self._sequence = lost[-1]
        if message.is_keep_alive:
            return
        self._sequence = message.sequence
        self._acknowledge.append((self.id, message.sequence))
        await self._deliver(message.parts)

    async def _fetch(self, lost: range) -> None:
        """Each of these messages is asked for once (OPC 10000-4 §5.14.6); what the server does not have any more is a gap."""
        found: list[Notification] = []
        allowed_s = max(REPUBLISH_S, REPUBLISH_ROUND_TRIPS * self._channel.round_trip_s)
        deadline_s = monotonic() + allowed_s
        gone = []
        for number in lost:
            message = await self._again(number, deadline_s - monotonic())
            if message is None:
                gone.append(number)
            else:
                found.append(message)
        if gone:
            named = f"{gone[0]}" if len(gone) == 1 else f"{gone[0]} to {gone[-1]}"
            self._tell(Gap(why=f"notification {named} of the server was lost, and it cannot send it again"))
        for message in found:
            self._acknowledge.append((self.id, message.sequence))
            await self._deliver(message.parts)

    async def _again(self, number: int, allowed_s: float) -> Notification | None:
        if allowed_s <= 0:
            return None
        try:
            data = await self._channel.call_body("Republish", REPUBLISH, republish_body(self.id, number), timeout_s=allowed_s)
            message = read_republish(data, self._services.namespaces, self._changes)
        except (EndpointError, DecodingError):
            if self._channel.lost:
                raise
            return None
        # asyncua's server answers for a message that it does not have with an empty one, and a good status
        return message if message.sequence == number and message.parts else None

    async def _state(self) -> int:
        """Status of the subscription at the server, by the service that changes nothing when it is as it is (§5.14.4)."""
        request = ua.SetPublishingModeRequest()
        request.Parameters.PublishingEnabled = True
        request.Parameters.SubscriptionIds = [ua.IntegerId(self.id)]
        try:
            results = (await self._channel.ask(request, ua.SetPublishingModeResponse)).Parameters.Results
        except ServiceError as error:
            return error.status
        except NoAnswerError:  # the watchdog's business
            return 0
        return int(results[0].value) if results else 0

    async def start_over(self, why: str) -> None:
        """Once: a server that drops the subscription again is left, and a new connection tried.

        Raises:
            EndpointError: It did so before, or does not let us make another.
        """
        if monotonic() - self._recreated_s < RECREATE_ONCE_IN_S:
            raise EndpointError("Watching failed", where=self._channel.url, why=f"the server dropped it twice: {why}")
        self._recreated_s = monotonic()
        self.id = 0
        self._generation += 1
        self._tell(Gap(why=f"the server dropped the subscription: {why}"))
        await self.ensure()
        self._renewed()
