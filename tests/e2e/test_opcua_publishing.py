"""Notifications on the wire: decoded as asyncua does, lost ones made good or told, those of a silent link caught up with."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import struct_from_binary

from app.drivers.base import Ended, Event, Gap, WatchItem
from app.drivers.opcua.binary import EXTENSION_OBJECT
from app.drivers.opcua.changes import ChangeReader
from app.drivers.opcua.notifications import read_publish
from app.drivers.opcua.samples import PLAIN, sample_columns
from app.drivers.opcua.session import OpcUaSession
from app.drivers.opcua.session_channel import ServiceError
from app.drivers.opcua.watch_table import Expected, Row, WatchTable
from app.model.columns import COLUMN_DTYPES, SampleColumns
from app.trust.store import TrustStore
from tests.e2e.opcua_secure import made_store, peer, running, server_certificate, store
from tests.peers.fault_proxy import fault_proxy
from tests.peers.opcua_connection import connected, first_samples, until
from tests.peers.opcua_peer import LINE, opcua_peer
from tests.peers.opcua_publisher import FIRST_TICKS, TICKS, URI, value_of
from tests.peers.opcua_secure_peer import SecurePeer, config
from tests.peers.opcua_secure_peer import connected as secured
from tests.peers.server_process import free_port
from tests.unit.drivers.opcua.notification_values import NAMESPACES, plain_value, ua

__all__ = ["made_store", "peer", "running", "server_certificate", "store"]

INTERVAL_MS = 50
FIRST_NS = (FIRST_TICKS - 116_444_736_000_000_000) * 100


# --- the same as asyncua's decoder


async def published(session: OpcUaSession) -> list[bytes]:
    """Answers to Publish until every variable of the server that can be watched has sent a value."""
    call = session._channel.call_body
    heard: list[bytes] = []

    async def listening(name: str, *args: Any, **named: Any) -> bytes:
        answer = await call(name, *args, **named)
        heard.extend([answer] if name == "Publish" else [])
        return answer

    session._channel.call_body = listening  # type: ignore[method-assign]  # the only place where whole answers pass
    variables = [
        node
        async for page in session.crawl("nsu=http://opcfoundation.org/UA/;i=84", 3000)
        for node, kind in zip(page.id, page.node_class, strict=True)
        if kind == "variable"
    ]
    states = await session.set_watch([WatchItem(address=node, handle=row, interval_ms=100) for row, node in enumerate(variables)], [])
    watched = {state.handle for state in states if not state.refused}
    assert len(watched) > 100
    await first_samples(session.events(), watched)
    return heard


def check_answer(data: bytes) -> set[int]:
    """One PublishResponse both ways; returns the built-in types met."""
    ours = read_publish(data, NAMESPACES, ChangeReader())
    theirs = struct_from_binary(ua.PublishResponse, Buffer(data)).Parameters
    assert (ours.subscription, ours.sequence) == (theirs.SubscriptionId, theirs.NotificationMessage.SequenceNumber)
    assert (list(ours.available), ours.more) == (list(theirs.AvailableSequenceNumbers or ()), theirs.MoreNotifications)
    met: set[int] = set()
    for changes, part in zip(ours.parts, theirs.NotificationMessage.NotificationData or (), strict=True):
        structures = [row for row, value in changes.others.items() if value.builtin == EXTENSION_OBJECT]
        values = [(item.ClientHandle, item.Value) for item in part.MonitoredItems]
        rows = [
            (client, changes.others[row] if row in structures else plain_value(value), PLAIN)  # asyncua opens those that it knows
            for row, (client, value) in enumerate(values)
        ]
        table = WatchTable()
        table.add(Row(client, client, PLAIN, Expected()) for client in {client for client, _ in values})
        expected, columns = sample_columns(rows, 5), table.sort(changes, 5).columns
        for name in COLUMN_DTYPES:
            assert np.array_equal(getattr(columns, name), getattr(expected, name), equal_nan=name == "number"), name
        assert repr(dict(sorted(columns.objects.items()))) == repr(expected.objects)
        met |= {data_value.builtin for _, data_value, _ in rows}
    return met


async def test_that_notifications_of_a_plain_connection_are_decoded_as_asyncua_does() -> None:
    with opcua_peer() as plain:
        async with connected(plain.url) as session:
            met = set().union(*(check_answer(data) for data in await published(session)))
    assert set(range(1, 23)) - met == {16, 18}, "XmlElement, ExpandedNodeId"


async def test_that_notifications_of_an_encrypted_connection_are_decoded_as_asyncua_does(peer: SecurePeer, store: TrustStore) -> None:
    async with secured(config(peer.url, store, "Basic256Sha256", "SignAndEncrypt")) as (session, _):
        met = set().union(*(check_answer(data) for data in await published(session)))
    assert len(met) > 5


# --- losses


class Publisher:
    def __init__(self) -> None:
        self.port = free_port()
        command = [sys.executable, "-m", "tests.peers.opcua_publisher", "--port", str(self.port), "--interval-ms", str(INTERVAL_MS)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.heard() == "ready"

    def tell(self, command: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{command}\n")
        self.process.stdin.flush()

    def heard(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


@pytest.fixture(scope="module")
def publisher() -> Iterator[Publisher]:
    one = Publisher()
    yield one
    one.process.kill()
    one.process.communicate()


@pytest.fixture
async def publishing(publisher: Publisher) -> AsyncIterator[OpcUaSession]:
    """Watching an item of each type; handle n is variable n + 1."""
    async with connected(f"opc.tcp://127.0.0.1:{publisher.port}/publisher", publishing_interval_ms=INTERVAL_MS) as session:
        items = [WatchItem(address=f"nsu={URI};i={row + 1}", handle=row, interval_ms=INTERVAL_MS) for row in range(5)]
        assert not any(state.refused for state in await session.set_watch(items, []))
        publisher.tell("go")
        yield session


class Ticks:
    """What came, by tick: every value is checked."""

    def __init__(self) -> None:
        self.rows: dict[int, int] = {}
        self.gaps: list[str] = []

    def __call__(self, event: Event) -> None:
        assert not isinstance(event, Ended)
        if isinstance(event, Gap):
            self.gaps.append(event.why)
        if not isinstance(event, SampleColumns):
            return
        for row, handle in enumerate(event.handle.tolist()):
            tick = (int(event.source_ns[row]) - FIRST_NS) // (100 * TICKS)
            expected = value_of(handle + 1, np.array([handle + 1]), np.array([tick]))[0]
            assert event.value(row) == (expected.decode() if handle == 4 else expected)
            self.rows[tick] = self.rows.get(tick, 0) + 1

    def after(self, tick: int) -> Callable[[Event], bool]:
        """Whether something of four ticks later has come."""

        def done(event: Event) -> bool:
            self(event)
            return max(self.rows, default=0) >= tick + 4

        return done


@pytest.mark.parametrize(("command", "lost"), [("lose", 0), ("skip", 1)])
async def test_that_a_lost_notification_is_asked_for_again_and_told_when_it_cannot_be_had(
    publisher: Publisher, publishing: OpcUaSession, command: str, lost: int
) -> None:
    ticks, events = Ticks(), publishing.events()
    await until(events, ticks.after(0))
    first = max(ticks.rows)
    publisher.tell("stats")
    now = json.loads(publisher.heard())["tick"]
    publisher.tell(command)
    await until(events, ticks.after(now))
    missing = [tick for tick in range(first, max(ticks.rows)) if ticks.rows.get(tick) != 5]
    assert len(missing) == lost
    assert len(ticks.gaps) == lost
    assert all("it cannot send it again" in why for why in ticks.gaps)


async def test_that_the_values_of_a_short_silence_all_come_when_it_is_over() -> None:
    """The counter rises by one with each change: none may be missing."""
    with opcua_peer() as server, fault_proxy(server.port) as link:
        async with connected(f"opc.tcp://127.0.0.1:{link.port}/peer", publishing_interval_ms=100) as session:
            events = session.events()
            wanted = WatchItem(address=LINE + "s=Counter", handle=1, interval_ms=50, type="uint32", path="Line1/Counter")
            (state,) = await session.set_watch([wanted], [])
            assert state.queue_size >= 100
            counts: list[float] = []

            def more(wanted: int) -> Callable[[Event], bool]:
                def done(event: Event) -> bool:
                    assert not isinstance(event, Ended | Gap), event
                    if isinstance(event, SampleColumns):
                        counts.extend(event.number.tolist())
                    return len(counts) >= wanted

                return done

            await until(events, more(10))
            link.hang()
            with suppress(TimeoutError):
                await until(events, more(10**6), 3.0)
            link.mend()
            await until(events, more(len(counts) + 60))
    assert {later - earlier for earlier, later in itertools.pairwise(counts)} == {1.0}


async def test_that_no_more_publish_requests_wait_than_the_server_bears() -> None:
    waiting, refused, values = 0, 0, 0
    with opcua_peer() as plain:
        async with connected(plain.url) as session:
            call = session._channel.call_body

            async def bearing_two(name: str, *args: Any, **named: Any) -> bytes:
                nonlocal waiting, refused
                if name != "Publish":
                    return await call(name, *args, **named)
                if waiting >= 2:
                    refused += 1
                    raise ServiceError("opc.tcp://here", "Publish", 0x80780000)
                waiting += 1
                try:
                    return await call(name, *args, **named)
                finally:
                    waiting -= 1

            session._channel.call_body = bearing_two  # type: ignore[method-assign]  # the only place where all requests pass
            session._channel.round_trip_s = 1.0  # as of a server far away, to which many requests are sent ahead
            await session.set_watch(
                [WatchItem(address=LINE + "s=Counter", handle=1, interval_ms=INTERVAL_MS, type="uint32", path="Line1/Counter")], []
            )
            async for event in session.events():
                assert not isinstance(event, Ended)
                values += isinstance(event, SampleColumns)
                if values == 6:
                    break
    assert 1 <= refused <= 30
