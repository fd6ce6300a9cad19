"""Watching: monitored items in one subscription, each checked to be the variable it was, whole notifications into sample columns."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from time import time_ns
from typing import Final

from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds

from app.drivers.base import Event, Gap, ItemState, ItemStates, WatchItem
from app.drivers.opcua.binary import EXTENSION_OBJECT, DataValue
from app.drivers.opcua.samples import Scale, sample_columns
from app.drivers.opcua.session_channel import Channel
from app.drivers.opcua.session_nodes import Nodes, Target
from app.drivers.opcua.session_services import Services
from app.drivers.opcua.session_subscription import Subscription
from app.drivers.opcua.session_types import DATA_TYPE, VALUE_RANK, DataTypes
from app.drivers.opcua.status import BAD_CONFIGURATION_ERROR, is_overflow, status_text
from app.errors import EndpointError

log = logging.getLogger(__name__)

_FILTER_REFUSED: Final = frozenset({0x80430000, 0x80440000, 0x80450000, 0x808E0000})
"""BadMonitoredItemFilterInvalid, …Unsupported, BadFilterNotAllowed, BadDeadbandFilterInvalid."""

_SAME_TYPES: Final = ({"int32", "enum"}, {"int32[]", "enum[]"})


@dataclass(slots=True)
class _Watched:
    """A monitored item.

    ``client`` is our own number towards the server, never used twice: a late value of a replaced item can so never pass for one of
    its successor.
    """

    client: int
    item: WatchItem
    target: Target
    scale: Scale
    deadband: float
    server: int = 0


class Watch:
    """``tell`` is called with events in order; ``end`` with the reason when watching cannot go on."""

    def __init__(
        self,
        channel: Channel,
        services: Services,
        nodes: Nodes,
        types: DataTypes,
        *,
        publishing_ms: float,
        tell: Callable[[Event], None],
        end: Callable[[str], None],
    ) -> None:
        self._channel = channel
        self._services = services
        self._nodes = nodes
        self._types = types
        self._tell = tell
        self._subscription = Subscription(
            channel, services, publishing_ms, deliver=self._deliver, recreate=self._recreate, tell=tell, end=end
        )
        self._last_client = 0
        self._items: dict[int, _Watched] = {}
        self._clients: dict[int, int] = {}  # caller's handle → ours
        self._lock = asyncio.Lock()

    async def set_watch(self, add: Sequence[WatchItem], remove: Sequence[int]) -> list[ItemState]:
        """A handle that is already watched is replaced.

        Raises:
            EndpointError: The server cannot be asked at all.
        """
        async with self._lock:
            gone = [self._clients[handle] for handle in (*remove, *(item.handle for item in add)) if handle in self._clients]
            await self._delete(gone)
            watched, refused = await self._identified(add)
            if watched and not self._subscription.id:
                await self._subscription.create()
            states = {state.handle: state for state in (*refused, *await self._create(watched))}
            return [states[item.handle] for item in add]

    async def close(self) -> None:
        await self._subscription.close()

    async def revive(self) -> None:
        """Make another subscription where the server has forgotten this one without a word; some do.

        Raises:
            EndpointError: It cannot be made, or has been forgotten before.
        """
        if self._subscription.is_silent():
            await self._subscription.start_over("it has not been heard of for two keep-alives")

    async def _identified(self, add: Sequence[WatchItem]) -> tuple[list[_Watched], list[ItemState]]:
        """Who is still who it was when the tag was made; the others are refused and never deliver a value."""
        targets = await self._nodes.resolve([item.address for item in add])
        known = [(item, target) for item, target in zip(add, targets, strict=True) if target.node is not None]
        wanted = [(target.node, number) for number in (DATA_TYPE, VALUE_RANK) for _, target in known if target.node is not None]
        answers = await self._services.read(wanted) if wanted else []
        data_types = [str(answer.value or "") for answer in answers[: len(known)]]
        await self._types.load(data_types)
        await self._nodes.load_ancestors(target for item, target in known if item.path)
        refused = [
            ItemState(handle=item.handle, refused=target.why, status=target.status)
            for item, target in zip(add, targets, strict=True)
            if target.node is None
        ]
        watched = []
        for place, (item, target) in enumerate(known):
            status = answers[place].status
            if status >> 30 == 2:
                refused.append(ItemState(handle=item.handle, refused=f"{status_text(status)}: {item.address}", status=status))
                continue
            rank = answers[len(known) + place].value
            word = self._types.word(data_types[place], rank if isinstance(rank, int) else -1)
            if changed := self._identity_change(item, target, word):
                refused.append(ItemState(handle=item.handle, refused=changed, status=BAD_CONFIGURATION_ERROR))
                continue
            base = self._types.base(data_types[place])
            deadband = item.deadband / abs(item.gain) if base.number and item.gain else 0.0
            self._last_client += 1
            watched.append(_Watched(self._last_client, item, target, Scale(item.gain, item.offset, base.enum), deadband))
        return watched, refused

    def _identity_change(self, item: WatchItem, target: Target, word: str) -> str:
        """Why this is another variable than the tag's, "" when it is the same."""
        pair = {item.type, word}
        same_type = "" in pair or len(pair) == 1 or pair in _SAME_TYPES
        same_place = not item.path or self._nodes.stands_at(target.id, item.path)
        if same_type and same_place:
            return ""
        path = self._nodes.path(target.id) if item.path else item.path
        return f"identity changed: the tag is {item.path} ({item.type}), at this address is now {path} ({word})"

    async def _create(self, watched: Sequence[_Watched]) -> list[ItemState]:
        for one in watched:
            self._items[one.client] = one
            self._clients[one.item.handle] = one.client
        try:
            results = await self._services.batched("monitor", watched, self._create_items) if watched else []
        except EndpointError:
            self._forget(watched)
            raise
        notes: dict[int, str] = {}
        again = [one for one, result in zip(watched, results, strict=True) if result.StatusCode.value in _FILTER_REFUSED and one.deadband]
        for one in again:
            notes[one.client] = f"the server refused the deadband of {one.item.deadband:g}: every change is reported"
            one.deadband = 0.0
        retried = dict(zip((one.client for one in again), await self._services.batched("monitor", again, self._create_items), strict=True))
        states = []
        for one, first in zip(watched, results, strict=True):
            result = retried.get(one.client, first)
            status = result.StatusCode.value
            if status >> 30:
                self._forget([one])
                states.append(ItemState(handle=one.item.handle, refused=f"{status_text(status)}: {one.target.id}", status=status))
                continue
            one.server = result.MonitoredItemId
            interval_ms = float(result.RevisedSamplingInterval)
            states.append(ItemState(handle=one.item.handle, interval_ms=interval_ms, note=notes.get(one.client, "")))
        return states

    async def _create_items(self, watched: Sequence[_Watched]) -> list[ua.MonitoredItemCreateResult]:
        request = ua.CreateMonitoredItemsRequest()
        request.Parameters.SubscriptionId = ua.IntegerId(self._subscription.id)
        request.Parameters.TimestampsToReturn = ua.TimestampsToReturn.Both
        request.Parameters.ItemsToCreate = [self._item_request(one) for one in watched]
        return list((await self._channel.ask(request, ua.CreateMonitoredItemsResponse)).Results)

    def _item_request(self, one: _Watched) -> ua.MonitoredItemCreateRequest:
        assert one.target.node is not None
        # Samples between two publishes wait in the server's queue: it must hold at least those.
        queue = max(one.item.queue_size, ceil(self._subscription.publishing_ms / max(one.item.interval_ms, 1)) + 1)
        parameters = ua.MonitoringParameters(
            ClientHandle=ua.IntegerId(one.client),
            SamplingInterval=ua.Double(one.item.interval_ms),
            Filter=_deadband_filter(one.deadband) if one.deadband else None,
            QueueSize=ua.UInt32(queue),
            DiscardOldest=True,
        )
        item = ua.ReadValueId(one.target.node, AttributeIds.Value)
        return ua.MonitoredItemCreateRequest(item, ua.MonitoringMode.Reporting, parameters)

    def _forget(self, watched: Sequence[_Watched]) -> None:
        for one in watched:
            self._items.pop(one.client, None)
            if self._clients.get(one.item.handle) == one.client:
                del self._clients[one.item.handle]

    async def _delete(self, clients: Sequence[int]) -> None:
        watched = [self._items[client] for client in clients if client in self._items]
        self._forget(watched)
        ids = [one.server for one in watched if one.server]
        if ids:
            await self._services.batched("monitor", ids, self._delete_items)

    async def _delete_items(self, ids: Sequence[int]) -> list[ua.StatusCode]:
        request = ua.DeleteMonitoredItemsRequest()
        request.Parameters.SubscriptionId = ua.IntegerId(self._subscription.id)
        request.Parameters.MonitoredItemIds = [ua.IntegerId(number) for number in ids]
        return list((await self._channel.ask(request, ua.DeleteMonitoredItemsResponse)).Results)

    async def _deliver(self, changes: Sequence[tuple[int, DataValue]]) -> None:
        receive_ns = time_ns()
        known = [(one, value) for client, value in changes if (one := self._items.get(client)) is not None]
        if not known:
            return
        if any(value.builtin >= EXTENSION_OBJECT for _, value in known):
            values = await self._types.finished([value for _, value in known])
            known = [(one, value) for (one, _), value in zip(known, values, strict=True)]
        overflown = tuple(one.item.handle for one, value in known if is_overflow(value.status))
        if overflown:
            self._tell(Gap(handles=overflown, why="the server's queue was too short for the changes between two publishes"))
        self._tell(sample_columns([(one.item.handle, value, one.scale) for one, value in known], receive_ns))

    async def _recreate(self, why: str) -> None:
        """The server dropped the subscription though the session lives: make another with the same items."""
        log.info("%s: the server dropped the subscription (%s)", self._channel.url, why)
        async with self._lock:
            watched = list(self._items.values())
            if not watched:
                return
            self._tell(Gap(why=f"the server dropped the subscription: {why}"))
            await self._subscription.create()
            states = await self._create(watched)
        self._tell(ItemStates(states=tuple(states)))


def _deadband_filter(deadband: float) -> ua.DataChangeFilter:
    return ua.DataChangeFilter(
        Trigger=ua.DataChangeTrigger.StatusValue,
        DeadbandType=ua.UInt32(ua.DeadbandType.Absolute.value),
        DeadbandValue=ua.Double(deadband),
    )
