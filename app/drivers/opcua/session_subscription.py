"""A subscription and its publish loop.

asyncua's own are not used: they answer a deleted subscription with silence, and call a handler per value.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from math import ceil
from time import monotonic
from typing import Final, NamedTuple

from asyncua import ua

from app.drivers.base import Event, Gap
from app.drivers.opcua.address import UA_NAMESPACE
from app.drivers.opcua.binary import DataValue, DecodingError, Reader, decoded, read_response_header
from app.drivers.opcua.session_channel import Channel, ServiceError
from app.drivers.opcua.session_services import Services
from app.drivers.opcua.status import status_text
from app.errors import EndpointError

KEEP_ALIVE_MS: Final = 5_000
"""At most so long is the server silent about a subscription. asyncua's default would be 7.5 minutes."""

LIFETIME_MS: Final = 60_000
PUBLISH_WINDOW: Final = 3
"""Publish requests that wait at the server, so that a slow round trip does not hold up the next notification."""

RECREATE_ONCE_IN_S: Final = 60.0

_BAD_NO_SUBSCRIPTION: Final = 0x80790000
_BAD_TOO_MANY_PUBLISH_REQUESTS: Final = 0x80780000
_BAD_TIMEOUT: Final = 0x800A0000
_DATA_CHANGE: Final = f"nsu={UA_NAMESPACE};i=811"
_STATUS_CHANGE: Final = f"nsu={UA_NAMESPACE};i=820"


class Notification(NamedTuple):
    """``changes`` are (client handle, value); ``dropped`` says why the server gave the subscription up."""

    subscription: int
    sequence: int
    changes: list[tuple[int, DataValue]]
    dropped: str
    is_keep_alive: bool


class Subscription:
    """At most one on the server at a time.

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
        deliver: Callable[[Sequence[tuple[int, DataValue]]], Awaitable[None]],
        recreate: Callable[[str], Awaitable[None]],
        tell: Callable[[Event], None],
        end: Callable[[str], None],
    ) -> None:
        self.id = 0
        self.publishing_ms = publishing_ms
        self._channel = channel
        self._services = services
        self._deliver = deliver
        self._recreate = recreate
        self._tell = tell
        self._end = end
        self._silence_s = 0.0
        self._heard_s = 0.0
        self._recreated_s = float("-inf")
        self._sequence = 0
        self._loop: asyncio.Task[None] | None = None

    async def create(self) -> None:
        request = ua.CreateSubscriptionRequest()
        keep_alive = ceil(KEEP_ALIVE_MS / self.publishing_ms)
        request.Parameters = ua.CreateSubscriptionParameters(
            RequestedPublishingInterval=ua.Double(self.publishing_ms),
            RequestedLifetimeCount=ua.UInt32(max(3 * keep_alive, ceil(LIFETIME_MS / self.publishing_ms))),
            RequestedMaxKeepAliveCount=ua.UInt32(keep_alive),
            MaxNotificationsPerPublish=ua.UInt32(10_000),
            PublishingEnabled=True,
            Priority=ua.Byte(0),
        )
        granted = (await self._channel.ask(request, ua.CreateSubscriptionResponse)).Parameters
        self.id = granted.SubscriptionId
        self.publishing_ms = max(float(granted.RevisedPublishingInterval), 1.0)
        self._silence_s = 2 * granted.RevisedMaxKeepAliveCount * self.publishing_ms / 1000 + 2.0
        self._sequence = 0
        self._heard_s = monotonic()
        if self._loop is None or self._loop.done():
            self._loop = asyncio.create_task(self._publish_loop(), name="opcua publishing")

    async def close(self) -> None:
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)
            self._loop = None

    def is_silent(self) -> bool:
        """Whether two keep-alives in a row failed to come though a subscription exists."""
        return bool(self.id) and monotonic() - self._heard_s > self._silence_s

    async def _publish_loop(self) -> None:
        pending: deque[asyncio.Task[bytes]] = deque()
        acknowledge: list[ua.SubscriptionAcknowledgement] = []
        window = PUBLISH_WINDOW
        try:
            while self.id:
                while len(pending) < window:
                    pending.append(asyncio.create_task(self._publish(acknowledge)))
                    acknowledge = []
                try:
                    notification = decoded(_read_notification, await pending.popleft(), self._services.namespaces)
                except ServiceError as error:
                    if error.status == _BAD_TOO_MANY_PUBLISH_REQUESTS and window > 1:
                        window -= 1
                    elif error.status == _BAD_NO_SUBSCRIPTION:
                        await asyncio.gather(*pending, return_exceptions=True)  # all of them are answered the same
                        pending.clear()
                        await self.start_over(error.why)
                    elif error.status != _BAD_TIMEOUT:
                        raise
                    continue
                acknowledge += await self._take(notification)
        except EndpointError as error:
            self._end(f"the subscription failed: {error.why}")
        except DecodingError as error:
            self._end(f"the server sent a notification that cannot be decoded: {error}")
        finally:
            for task in pending:
                task.cancel()
            await asyncio.gather(*pending, return_exceptions=True)

    async def _publish(self, acknowledge: list[ua.SubscriptionAcknowledgement]) -> bytes:
        request = ua.PublishRequest()
        request.Parameters.SubscriptionAcknowledgements = acknowledge
        data = await self._channel.call(request, timeout_s=0)
        status = decoded(read_response_header, data, ())
        if status >> 30:  # some servers say it so instead of with a fault
            raise ServiceError(self._channel.url, "Publish", status)
        return data

    async def _take(self, notification: Notification) -> list[ua.SubscriptionAcknowledgement]:
        """Hand it on; returns what to acknowledge."""
        if notification.subscription != self.id:
            return []
        self._heard_s = monotonic()
        if notification.dropped:
            await self.start_over(notification.dropped)
            return []
        if notification.is_keep_alive:
            return []
        if self._sequence and notification.sequence != self._sequence % 0xFFFFFFFF + 1:  # OPC 10000-4 §5.14.1.1: they rise by one
            self._tell(Gap(why=f"the server's notifications jumped from {self._sequence} to {notification.sequence}"))
        self._sequence = notification.sequence
        await self._deliver(notification.changes)
        return [ua.SubscriptionAcknowledgement(ua.IntegerId(notification.subscription), ua.Counter(notification.sequence))]

    async def start_over(self, why: str) -> None:
        """Once: a server that drops the subscription again is left, and a new connection tried.

        Raises:
            EndpointError: It did so before, or does not let us make another.
        """
        if monotonic() - self._recreated_s < RECREATE_ONCE_IN_S:
            raise EndpointError("Watching failed", where=self._channel.url, why=f"the server dropped it twice: {why}")
        self._recreated_s = monotonic()
        self.id = 0
        await self._recreate(why)


def _read_notification(reader: Reader) -> Notification:
    """PublishResponse, OPC 10000-4 §5.14.5; events, which nobody asked for, are skipped."""
    read_response_header(reader)
    subscription = reader.uint32()
    reader.array(7)
    reader.byte()
    sequence = reader.uint32()
    reader.ticks()
    changes: list[tuple[int, DataValue]] = []
    dropped = ""
    count = reader.count()
    for _ in range(count):
        extension = reader.extension()
        if extension.encoding == _DATA_CHANGE:
            changes += decoded(_read_changes, extension.body or b"", reader.namespaces)
        elif extension.encoding == _STATUS_CHANGE:
            dropped = status_text(decoded(Reader.uint32, extension.body or b"", reader.namespaces))
    return Notification(subscription, sequence, changes, dropped, count == 0)


def _read_changes(reader: Reader) -> list[tuple[int, DataValue]]:
    return [(reader.uint32(), reader.data_value()) for _ in range(reader.count())]
