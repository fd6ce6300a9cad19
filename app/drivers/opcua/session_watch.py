"""Watching: monitored items in one subscription, each checked to be the variable it was, and again whenever that is in doubt."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from time import monotonic, time_ns
from typing import Final

from app.drivers.base import Event, Gap, ItemState, ItemStates, WatchItem
from app.drivers.opcua.binary import EXTENSION_OBJECT
from app.drivers.opcua.changes import Changes
from app.drivers.opcua.session_channel import Channel
from app.drivers.opcua.session_identity import Glance, Identification, Identified
from app.drivers.opcua.session_items import MonitoredItems
from app.drivers.opcua.session_nodes import is_unknown
from app.drivers.opcua.session_services import Services
from app.drivers.opcua.session_subscription import Subscription
from app.drivers.opcua.session_types import DataTypes
from app.drivers.opcua.status import BAD, BAD_NODE_ID_UNKNOWN, BAD_TYPE_MISMATCH
from app.drivers.opcua.watch_table import Row, WatchTable, withheld
from app.errors import EndpointError

log = logging.getLogger(__name__)

LOOK_S: Final = 3.0
"""So often the server is asked what stands at the addresses of those that are refused, in one request."""

SEARCH_S: Final = 30.0
"""So often those are identified anew whatever stands there, and looked for by their browse paths."""

TICK_S: Final = 1.0
GONE_S: Final = 1.0
"""So long after its node went an item is looked for: a download to a PLC is often over at once."""

DOUBT_S: Final = 5.0
"""An item with values of an unexpected type is looked at at once, and then no oftener than this."""


@dataclass(slots=True)
class _Watched:
    """A monitored item.

    ``client`` is our own number towards the server, never used twice: a late value of a replaced item can so never pass for one of
    its successor.
    """

    client: int
    found: Identified
    server: int = 0


@dataclass(slots=True)
class _Missing:
    """An item without a value of its own: refused, or its node is gone. It is tried again."""

    item: WatchItem
    state: ItemState
    looked_s: float
    searched_s: float
    glance: Glance | None = None


class Watch:
    """``tell`` is called with events in order; ``end`` with the reason when watching cannot go on."""

    def __init__(
        self,
        channel: Channel,
        services: Services,
        types: DataTypes,
        *,
        publishing_ms: float,
        tell: Callable[[Event], None],
        end: Callable[[str], None],
    ) -> None:
        self._channel = channel
        self._types = types
        self._tell = tell
        self._identification = Identification(services, types)
        self._subscription = Subscription(
            channel, services, publishing_ms, deliver=self._deliver, renewed=self._on_renewed, tell=tell, end=end
        )
        self._monitored = MonitoredItems(channel, services, self._subscription)
        self._table = WatchTable()
        self._numbers = count(1)
        self._items: dict[int, _Watched] = {}  # by client
        self._clients: dict[int, int] = {}  # caller's handle → client
        self._missing: dict[int, _Missing] = {}  # by the caller's handle
        self._gone: dict[int, float] = {}  # client → when its node, which went, is to be looked for
        self._doubted: set[int] = set()  # clients
        self._looked_s: dict[int, float] = {}  # caller's handle → when it was looked at because of what its values said
        self._look_s = 0.0
        self._renewed = False
        self._lock = asyncio.Lock()

    async def set_watch(self, add: Sequence[WatchItem], remove: Sequence[int]) -> list[ItemState]:
        """A handle that is already watched is replaced.

        Raises:
            EndpointError: The connection is gone. Of a server that does not answer in time the items are refused, and tried again.
        """
        async with self._lock:
            handles = [*remove, *(item.handle for item in add)]
            for handle in handles:
                self._missing.pop(handle, None)
                self._looked_s.pop(handle, None)
            await self._drop(self._clients[handle] for handle in handles if handle in self._clients)
            states = {state.handle: state for state in await self._begin_or_keep(add)}
            return [states[item.handle] for item in add]

    async def close(self) -> None:
        await self._subscription.close()

    async def tend(self) -> None:
        """Called every moment: looks after a subscription that was dropped, nodes that went or came, and values of another type.

        Raises:
            EndpointError: Watching cannot go on.
        """
        await self._subscription.check()
        if self._lock.locked() or not (self._renewed or self._doubted or self._gone or self._missing):
            return
        async with self._lock:
            if self._renewed:
                await self._restore()
            await self._look_at_doubted()
            await self._look_for_gone()
            await self._look_for_missing()

    async def _begin_or_keep(self, items: Sequence[WatchItem], *, search: bool = True, proven: bool = False) -> list[ItemState]:
        """``_begin``; those that the server does not answer about are refused, and tried again."""
        try:
            return await self._begin(items, search=search, proven=proven)
        except EndpointError as error:
            if self._channel.lost:
                raise
            states = [ItemState(handle=item.handle, refused=error.why, status=BAD) for item in items]
            self._keep_missing(items, states)
            return states

    async def _begin(self, items: Sequence[WatchItem], *, search: bool = True, proven: bool = False) -> list[ItemState]:
        """Identify and watch; whoever is refused is remembered, and its last value void."""
        found, refused = await self._identification.identify(items, search=search, proven=proven)
        if found:
            await self._subscription.ensure()
        watched = [_Watched(next(self._numbers), one) for one in found]
        for one in watched:
            self._items[one.client] = one
            self._clients[one.found.item.handle] = one.client
        self._table.add(Row(one.client, one.found.item.handle, one.found.scale, one.found.expected) for one in watched)
        try:
            answers = await self._monitored.create([(one.client, one.found) for one in watched])
        except EndpointError:
            self._forget(watched)
            raise
        states = list(refused)
        for one, (server, state) in zip(watched, answers, strict=True):
            one.server = server
            states.append(state)
            if state.refused:
                self._forget([one])
        self._keep_missing(items, states)
        return states

    def _keep_missing(self, items: Sequence[WatchItem], states: Iterable[ItemState]) -> None:
        known = {item.handle: item for item in items}
        now = monotonic()
        void = []
        for state in states:
            if not state.refused:
                self._missing.pop(state.handle, None)
                continue
            if state.handle not in self._missing:
                void.append((state.handle, state.status or BAD))
            before = self._missing.get(state.handle)
            self._missing[state.handle] = _Missing(known[state.handle], state, now, now, before.glance if before else None)
        if void:
            self._tell(withheld(void, time_ns()))

    def _forget(self, watched: Sequence[_Watched]) -> None:
        self._table.remove(one.client for one in watched)
        for one in watched:
            self._items.pop(one.client, None)
            self._gone.pop(one.client, None)
            self._doubted.discard(one.client)
            if self._clients.get(one.found.item.handle) == one.client:
                del self._clients[one.found.item.handle]

    async def _drop(self, clients: Iterable[int]) -> None:
        watched = [self._items[client] for client in list(clients) if client in self._items]
        self._forget(watched)
        await self._monitored.delete([one.server for one in watched if one.server])

    # Values

    async def _deliver(self, parts: Sequence[Changes]) -> None:
        receive_ns = time_ns()
        for changes in parts:
            if changes.others:
                await self._finish(changes)
            found = self._table.sort(changes, receive_ns)
            if found.overflown:
                self._tell(Gap(handles=found.overflown, why="the server's queue was too short for the changes between two publishes"))
            if len(found.columns):
                self._tell(found.columns)
            if found.strangers:
                self._withhold(found.strangers, receive_ns)
            if found.vanished:
                self._mark_gone(found.vanished)

    async def _finish(self, changes: Changes) -> None:
        """Decode structures; they may have to be asked for what they are."""
        rows = [row for row, value in changes.others.items() if value.builtin >= EXTENSION_OBJECT]
        if rows:
            changes.others.update(zip(rows, await self._types.finished([changes.others[row] for row in rows]), strict=True))

    def _withhold(self, clients: Iterable[int], receive_ns: int) -> None:
        """Their values are not of the type that was identified: another variable may stand there by now."""
        new = [self._items[client].found.item.handle for client in clients if client in self._items and client not in self._doubted]
        self._doubted.update(client for client in clients if client in self._items)
        if new:
            self._tell(withheld(((handle, BAD_TYPE_MISMATCH) for handle in new), receive_ns))

    def _mark_gone(self, vanished: Sequence[int]) -> None:
        now = monotonic()
        for client in vanished:
            if client in self._items:
                looked_s = self._looked_s.get(self._items[client].found.item.handle, -DOUBT_S)
                self._gone[client] = max(now + GONE_S, looked_s + DOUBT_S)

    # Looking again

    def _on_renewed(self) -> None:
        """Another subscription, without items: told by its publish loop, which must not wait for them."""
        self._renewed = True

    async def _restore(self) -> None:
        self._renewed = False
        log.info("%s: watching begins anew", self._channel.url)
        items = [one.found.item for one in self._items.values()] + [one.item for one in self._missing.values()]
        self._forget(list(self._items.values()))
        if items:
            self._tell(ItemStates(states=tuple(await self._begin_or_keep(items))))

    async def _look_at_doubted(self) -> None:
        now = monotonic()
        due = [client for client in self._doubted if now - self._looked_s.get(self._items[client].found.item.handle, -DOUBT_S) >= DOUBT_S]
        if due:
            items = [self._items[client].found.item for client in due]
            self._looked_s.update((item.handle, now) for item in items)
            await self._drop(due)
            self._tell(ItemStates(states=tuple(await self._begin_or_keep(items, proven=True))))

    async def _look_for_gone(self) -> None:
        """Their monitored items may be dead though another node has the id by now, so they are made anew, or begin to be missing."""
        now = monotonic()
        items = [self._items[client].found.item for client, due_s in self._gone.items() if due_s <= now]
        if items:
            self._looked_s.update((item.handle, now) for item in items)
            await self._begin_again(items, search=True)

    async def _look_for_missing(self) -> None:
        """Nodes that are back are watched again; now and then all that are missing are identified anew."""
        now = monotonic()
        if not self._missing or now - self._look_s < TICK_S:
            return
        self._look_s = now
        most = max(1, self._monitored.most // 2)  # two attributes of each
        search = [handle for handle, one in self._missing.items() if now - one.searched_s >= SEARCH_S][:most]
        if search:
            await self._begin_again([self._missing[handle].item for handle in search], search=True)
        due = [one for one in self._missing.values() if now - one.looked_s >= LOOK_S][:most]
        other = []
        for one, glance in zip(due, await self._glances([one.item for one in due]), strict=True):
            if one.glance != glance and not (one.glance is None and is_unknown(glance.status)):
                other.append(one.item)
            one.looked_s, one.glance = now, glance
        if other:
            await self._begin_again(other, search=False)

    async def _glances(self, items: Sequence[WatchItem]) -> list[Glance]:
        try:
            return await self._identification.glance(items)
        except EndpointError:
            if self._channel.lost:
                raise
            return [Glance(BAD_NODE_ID_UNKNOWN)] * len(items)  # for now: it is asked again

    async def _begin_again(self, items: Sequence[WatchItem], *, search: bool) -> None:
        """Tells only of those that are otherwise than they were told."""
        before = {item.handle: self._missing[item.handle].state for item in items if item.handle in self._missing}
        await self._drop(self._clients[item.handle] for item in items if item.handle in self._clients)
        states = [state for state in await self._begin_or_keep(items, search=search) if before.get(state.handle) != state]
        if states:
            self._tell(ItemStates(states=tuple(states)))
