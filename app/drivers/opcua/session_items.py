"""Making and deleting the monitored items of a subscription, in requests as large as the server bears."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from app.drivers.base import ItemState
from app.drivers.opcua.binary import DecodingError, ResultError
from app.drivers.opcua.monitoring import (
    CREATE,
    DELETE,
    Granted,
    Wanted,
    create_body,
    delete_body,
    queue_size,
    read_created,
    read_deleted,
    too_short,
)
from app.drivers.opcua.session_channel import Channel, ServiceError
from app.drivers.opcua.session_identity import Identified
from app.drivers.opcua.session_services import Services
from app.drivers.opcua.session_subscription import Subscription
from app.drivers.opcua.status import BAD_DECODING_ERROR, status_text

_FILTER_REFUSED: Final = frozenset({0x80430000, 0x80440000, 0x80450000, 0x808E0000})
"""BadMonitoredItemFilterInvalid, …Unsupported, BadFilterNotAllowed, BadDeadbandFilterInvalid."""

_GONE: Final = frozenset({0x80280000, 0x80790000})
"""BadSubscriptionIdInvalid, BadNoSubscription: the items went with the subscription."""


class MonitoredItems:
    def __init__(self, channel: Channel, services: Services, subscription: Subscription) -> None:
        self._channel = channel
        self._services = services
        self._subscription = subscription

    @property
    def most(self) -> int:
        """Nodes that one request may be about."""
        return self._services.sizes["read"]

    async def create(self, items: Sequence[tuple[int, Identified]]) -> list[tuple[int, ItemState]]:
        """Of each (client handle, item) the server's number and what became of it.

        Raises:
            EndpointError: The server cannot be asked at all, or refuses all of them.
        """
        wanted = [self._wanted(client, found, found.deadband) for client, found in items]
        granted = await self._services.batched("monitor", wanted, self._create)
        again = [place for place, one in enumerate(granted) if one.status in _FILTER_REFUSED and wanted[place].deadband]
        for place, one in zip(again, await self._plain([wanted[place] for place in again]), strict=True):
            granted[place] = one
        plain = set(again)
        return [
            (one.server, self._state(found, one, deadband_refused=place in plain))
            for place, ((_, found), one) in enumerate(zip(items, granted, strict=True))
        ]

    async def _plain(self, wanted: Sequence[Wanted]) -> list[Granted]:
        """Without the deadband that the server does not have."""
        return await self._services.batched("monitor", [one._replace(deadband=0.0) for one in wanted], self._create)

    def _wanted(self, client: int, found: Identified, deadband: float) -> Wanted:
        interval_ms = float(found.item.interval_ms)
        size = queue_size(found.item.queue_size, interval_ms, self._subscription.publishing_ms)
        return Wanted(found.node, client, interval_ms, size, deadband)

    def _state(self, found: Identified, granted: Granted, *, deadband_refused: bool) -> ItemState:
        handle = found.item.handle
        if granted.status >> 30:
            return ItemState(handle=handle, refused=f"{status_text(granted.status)}: {found.id}", status=granted.status)
        publishing_ms = self._subscription.publishing_ms
        spoils = self._services.quarantine.why.get(found.id, "")
        refused = f"the server refused the deadband of {found.item.deadband:g}: every change is reported" if deadband_refused else ""
        return ItemState(
            handle=handle,
            interval_ms=granted.interval_ms,
            note="; ".join(note for note in (found.note, refused, too_short(granted, publishing_ms), spoils) if note),
            rebind=found.rebind,
            queue_size=granted.queue_size,
            publishing_ms=publishing_ms,
        )

    async def _create(self, wanted: Sequence[Wanted]) -> list[Granted]:
        body = create_body(self._subscription.id, wanted)
        data = await self._channel.call_body("CreateMonitoredItems", CREATE, body, count=len(wanted))
        try:
            return read_created(data)
        except DecodingError as error:
            raise self._refused("CreateMonitoredItems", error) from error

    async def delete(self, servers: Sequence[int]) -> None:
        """Those that the server does not have any more are deleted already."""
        if not servers:
            return
        try:
            await self._services.batched("monitor", servers, self._delete)
        except ServiceError as error:
            if error.status not in _GONE:
                raise

    async def _delete(self, servers: Sequence[int]) -> list[int]:
        data = await self._channel.call_body(
            "DeleteMonitoredItems", DELETE, delete_body(self._subscription.id, servers), count=len(servers)
        )
        try:
            return read_deleted(data)
        except DecodingError as error:
            raise self._refused("DeleteMonitoredItems", error) from error

    def _refused(self, service: str, error: DecodingError) -> ServiceError:
        return ServiceError(self._channel.url, service, error.status if isinstance(error, ResultError) else BAD_DECODING_ERROR)
