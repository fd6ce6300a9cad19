"""The OPC UA session against a real server in another process, kind and unkind: opening, watching, restarts, and the end."""

import asyncio
import gc
import itertools
import socket
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

import pytest
from asyncua import ua
from asyncua.client.ua_client import UASocketProtocol
from asyncua.ua.ua_binary import struct_to_binary

from app.drivers import open_session
from app.drivers.base import Alive, Ended, EndpointConfig, Event, Gap, Item, ItemStates, WatchItem
from app.drivers.opcua.binary import DataValue
from app.drivers.opcua.session import OpcUaSession, discover
from app.drivers.opcua.session_browse import Browser
from app.errors import EndpointError, UserError
from app.model.columns import SampleColumns
from app.model.plant import Security
from app.model.values import Quality, Value
from tests.peers.listeners import listener
from tests.peers.opcua_connection import connected, first_samples, until
from tests.peers.opcua_peer import LINE, PLC, OpcUaPeer, opcua_peer
from tests.peers.server_process import free_port


@pytest.fixture(scope="module")
def peer() -> Iterator[OpcUaPeer]:
    with opcua_peer("--many", "1000") as running:
        yield running


@pytest.fixture
def own_peer() -> Iterator[Callable[..., OpcUaPeer]]:
    peers: list[OpcUaPeer] = []

    def start(*options: str) -> OpcUaPeer:
        peers.append(OpcUaPeer(*options))
        return peers[-1]

    yield start
    for one in peers:
        one.kill()


# --- opening


async def test_that_opening_reports_product_namespaces_limits_clock_and_offers(peer: OpcUaPeer) -> None:
    session = open_session(EndpointConfig(name="peer", url=peer.url))
    try:
        report = await session.open(10.0)
    finally:
        await session.close()
    assert report.title == "FreeOpcUa Python Server 1.0pre"
    assert report.namespaces[0] == "http://opcfoundation.org/UA/"
    assert report.namespaces[2:] == ("urn:peer:line;1", "urn:peer:plc")
    assert report.limits["MaxNodesPerRead"] == 10000
    assert report.clock_offset_s is not None
    assert abs(report.clock_offset_s) < 1.0
    assert [(offer.policy, offer.mode) for offer in report.offered] == [("None", "None")]
    assert "anonymous" in report.offered[0].users
    assert 0.0 < report.round_trip_s < 1.0


async def test_that_discovering_tells_the_offers_without_a_session(peer: OpcUaPeer) -> None:
    report = await discover(peer.url, 5.0)
    assert report.title == "Difficult peer"
    assert report.offered[0].url == peer.url
    assert report.namespaces == ()


async def test_that_an_array_for_a_data_type_or_rank_is_no_type_and_the_others_have_theirs(
    peer: OpcUaPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    attributes, spoilt = Browser._attributes, 0

    async def with_arrays(self: Browser, nodes: Sequence[bytes], numbers: Sequence[int]) -> list[list[Value | DataValue]]:
        nonlocal spoilt
        answers = [list(column) for column in await attributes(self, nodes, numbers)]
        for column in answers[:2]:  # data types and ranks
            for place in range(0, len(column), 7):
                column[place] = ["i=11"] * 2
                spoilt += 1
        return answers

    async with connected(peer.url) as session:
        honest = {id_: type_ async for page in session.crawl("", 3000) for id_, type_ in zip(page.id, page.type, strict=True)}
        monkeypatch.setattr(Browser, "_attributes", with_arrays)
        told = {id_: type_ async for page in session.crawl("", 3000) for id_, type_ in zip(page.id, page.type, strict=True)}
    assert told.keys() == honest.keys()
    assert 0 < sum(told[id_] != honest[id_] for id_ in honest) <= spoilt


async def test_that_an_answer_that_asyncua_trips_over_is_an_error_in_words(peer: OpcUaPeer, monkeypatch: pytest.MonkeyPatch) -> None:
    def trip(*_: object) -> None:
        raise struct.error("unpack requires a buffer of 2 bytes")

    async with connected(peer.url) as session:
        monkeypatch.setattr(UASocketProtocol, "check_answer", trip)
        (refused,) = await session.set_watch([WatchItem(handle=1, address=LINE + "s=Counter", interval_ms=100)], [])
        monkeypatch.undo()
    assert "the answer cannot be decoded (error: unpack requires" in refused.refused


async def test_that_a_browse_cancelled_twice_leaves_no_error_behind(peer: OpcUaPeer, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["message"]))
    async with connected(peer.url) as session:
        services, asked, answer = session._services, asyncio.Event(), asyncio.Event()

        async def fails(*_: object, **__: object) -> bytes:
            asked.set()
            await answer.wait()
            raise EndpointError("Cannot talk to the server", where="", why="Browse: no answer")

        monkeypatch.setattr(services.channel, "call_body", fails)
        browsing = asyncio.create_task(services.browse_encoded([b"\x00\x55"]))
        await asked.wait()
        browsing.cancel()
        await asyncio.sleep(0)
        browsing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await browsing
        monkeypatch.undo()
        answer.set()
        await asyncio.sleep(0.01)
        gc.collect()
        await asyncio.sleep(0)
    assert told == []


async def test_that_a_closed_port_is_named_as_one() -> None:
    with pytest.raises(EndpointError, match="nothing listens on port"):
        await discover(f"opc.tcp://127.0.0.1:{free_port()}", 5.0)


async def test_that_an_answer_to_open_secure_channel_that_stops_within_is_said_to_be_none() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(b"ACKF" + struct.pack("<6I", 28, 0, 65536, 65536, 0, 0))
        asked = (await reader.read(4096))[8:]
        whole = struct_to_binary(ua.OpenSecureChannelResponse())
        policy = b"http://opcfoundation.org/UA/SecurityPolicy#None"
        body = struct.pack("<II", 7, len(policy)) + policy + struct.pack("<iiI", -1, -1, 1) + asked[8 + len(policy) + 12 :][:4] + whole[:-6]
        writer.write(b"OPNF" + struct.pack("<I", len(body) + 8) + body)
        await reader.read(1)

    async with listener(talk) as server:
        session = OpcUaSession(EndpointConfig(name="e", url=f"opc.tcp://127.0.0.1:{server.port}", settings={"timeout_s": 1.0}))
        with pytest.raises(EndpointError, match="cannot be taken") as refused:
            await session.open(3)
        await session.close()
    assert "Good" not in refused.value.why


async def test_that_an_unknown_host_is_named_as_one() -> None:
    with pytest.raises(EndpointError, match=r"the host name nowhere\.invalid is unknown"):
        await discover("opc.tcp://nowhere.invalid:4840", 10.0)


async def test_that_a_port_that_says_nothing_is_told_from_a_closed_one() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(EndpointError, match="did not answer an OPC UA hello within"):
            await discover(f"opc.tcp://127.0.0.1:{silent.getsockname()[1]}", 0.5)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "a web server"),
        (b"SSH-2.0-x\r\n", "something that begins with"),
        (b"", "closed it without an answer"),
        (b"ERRF\x1c\x00\x00\x00\x00\x00\x83\x80\x0c\x00\x00\x00no such path", "BadTcpEndpointUrlInvalid .* no such path"),
    ],
)
async def test_that_what_is_not_opc_ua_is_named(answer: bytes, why: str) -> None:
    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(reply, "127.0.0.1", 0)
    async with server:
        with pytest.raises(EndpointError, match=why.replace("BadTcpEndpointUrlInvalid", "BadTcpEndpointUrlInvalid|refused the hello")):
            await discover(f"opc.tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}", 5.0)


@pytest.mark.parametrize("user", ["anonymous", "password", "certificate"])
async def test_that_security_the_server_has_not_is_refused_and_never_downgraded(
    peer: OpcUaPeer, user: Literal["anonymous", "password", "certificate"]
) -> None:
    security = Security(policy="Basic256Sha256", mode="SignAndEncrypt", user=user, name="operator")
    session = open_session(EndpointConfig(name="peer", url=peer.url, security=security, secret="hunter2"))
    with pytest.raises(EndpointError, match=r"no connection with Basic256Sha256 SignAndEncrypt for .*, only None None for anonymous"):
        await session.open(5.0)
    await session.close()


@pytest.mark.parametrize(
    ("security", "why"),
    [
        (Security(policy="Basic256Sha256", mode="None"), "do not go together"),
        (Security(policy="None", mode="Sign"), "do not go together"),
        (Security(policy="Rot13", mode="Sign"), "does not know the security policy Rot13"),
        (Security(user="password", secret="secret://x/password"), "no user name is set"),
        (Security(user="certificate"), "no user certificate is chosen"),
    ],
)
async def test_that_settings_that_no_server_can_meet_are_refused_before_anything_is_sent(security: Security, why: str) -> None:
    async def count(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visits.append(1)
        writer.close()

    visits: list[int] = []
    server = await asyncio.start_server(count, "127.0.0.1", 0)
    async with server:
        url = f"opc.tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        session = open_session(EndpointConfig(name="peer", url=url, security=security, secret="hunter2"))
        with pytest.raises(UserError, match=why) as refused:
            await session.open(5.0)
        await session.close()
    assert not isinstance(refused.value, EndpointError), "it is not tried again by itself"
    assert not visits, "nothing may be sent"


async def test_that_closing_is_safe_twice_and_after_a_failed_open(peer: OpcUaPeer) -> None:
    failed = open_session(EndpointConfig(name="peer", url=f"opc.tcp://127.0.0.1:{free_port()}"))
    with pytest.raises(EndpointError):
        await failed.open(2.0)
    await failed.close()
    await failed.close()
    async with connected(peer.url) as session:
        await session.close()
        with pytest.raises(EndpointError, match="closed"):
            await session.read([Item(address="i=2258")])
        assert [type(event) async for event in session.events()][-1] is Ended


# --- watching


async def test_that_changes_arrive_in_order_and_stop_when_no_longer_watched(peer: OpcUaPeer) -> None:
    async with connected(peer.url, publishing_interval_ms=50) as session:
        events = session.events()
        (state,) = await session.set_watch(
            [WatchItem(address=LINE + "s=Counter", handle=7, interval_ms=50, type="uint32", path="Line1/Counter")], []
        )
        assert state.interval_ms is not None
        assert state.interval_ms > 0
        counts: list[int] = []

        def ten(event: Event) -> bool:
            if isinstance(event, SampleColumns):
                assert set(event.handle) == {7}
                counts.extend(int(number) for number in event.number)
            return len(counts) > 10

        await until(events, ten)
        assert counts == sorted(set(counts))
        await session.set_watch([], [7])
        quiet = await until(events, lambda event: isinstance(event, Alive))
        quiet = await until(events, lambda event: isinstance(event, Alive))
        assert not any(isinstance(event, SampleColumns) for event in quiet)


async def test_that_a_handle_watched_again_is_replaced(peer: OpcUaPeer) -> None:
    async with connected(peer.url) as session:
        events = session.events()
        await session.set_watch([WatchItem(address=LINE + "i=1003", handle=1)], [])
        assert (await first_samples(events, {1}))[1].value == 103.0
        await session.set_watch([WatchItem(address=PLC + "i=1003", handle=1)], [])
        assert (await first_samples(events, {1}))[1].value == 903.0


@pytest.mark.parametrize("watched", [[], [WatchItem(address=LINE + "s=Counter", handle=1, interval_ms=100)]], ids=["silence", "changes"])
async def test_that_life_is_told_every_second_whether_something_changes_or_not(peer: OpcUaPeer, watched: list[WatchItem]) -> None:
    async with connected(peer.url) as session:
        events = session.events()
        await session.set_watch(watched, [])
        moments = [time.monotonic()]
        for _ in range(6):
            (*_, alive) = await until(events, lambda event: isinstance(event, Alive))
            assert isinstance(alive, Alive)
            assert alive.round_trip_s > 0
            moments.append(time.monotonic())
    assert max(later - earlier for earlier, later in itertools.pairwise(moments)) < 1.3


async def test_that_a_deadband_on_what_is_no_number_is_not_sent(peer: OpcUaPeer) -> None:
    async with connected(peer.url) as session:
        items = [
            WatchItem(address=f"{LINE}s=Types.{name}", handle=row, deadband=0.5) for row, name in enumerate(("Double", "String", "Int16"))
        ]
        states = await session.set_watch(items, [])
        assert not any(state.refused for state in states)
        samples = await first_samples(session.events(), {0, 1, 2})
    assert samples[1].value == "Füller ☃"


async def test_that_a_refused_deadband_is_left_out_and_said_so(own_peer: Callable[..., OpcUaPeer]) -> None:
    server = own_peer("--no-deadband")
    async with connected(server.url) as session:
        items = [WatchItem(address=LINE + "s=Counter", handle=row, deadband=deadband) for row, deadband in enumerate((0.5, 0.0))]
        states = await session.set_watch(items, [])
        assert [state.refused for state in states] == ["", ""]
        assert "the server refused the deadband of 0.5" in states[0].note
        assert states[1].note == ""
        await first_samples(session.events(), {0, 1})


async def test_that_an_overflown_queue_is_a_gap_before_the_value(peer: OpcUaPeer) -> None:
    async with connected(peer.url) as session:
        items = [WatchItem(address=f"{LINE}s={name}", handle=row) for row, name in enumerate(("Overflown", "Limited"))]
        await session.set_watch(items, [])
        seen = await until(session.events(), lambda event: isinstance(event, SampleColumns))
    gaps = [event for event in seen if isinstance(event, Gap)]
    assert [gap.handles for gap in gaps] == [(0,)]
    assert isinstance(seen[-1], SampleColumns)
    assert set(seen[-1].status) == {0x480, 0x100}


@pytest.mark.parametrize("how", ["loudly", "silently"])
async def test_that_a_subscription_dropped_by_the_server_is_made_again_once(own_peer: Callable[..., OpcUaPeer], how: str) -> None:
    server = own_peer()
    async with connected(server.url) as session:
        events = session.events()
        await session.set_watch([WatchItem(address=LINE + "s=Counter", handle=3, interval_ms=100)], [])
        await first_samples(events, {3})
        server.send(f"drop-{how}")
        seen = await until(events, lambda event: isinstance(event, ItemStates | Ended), 20.0)
        assert isinstance(seen[-1], ItemStates)
        assert any(isinstance(event, Gap) for event in seen)
        assert (await first_samples(events, {3}))[3].quality is Quality.GOOD
        server.send("drop-loudly")
        (*_, ended) = await until(events, lambda event: isinstance(event, Ended), 5.0)
        assert isinstance(ended, Ended)
        assert "dropped it twice" in ended.why


# --- restart: never another variable's value


async def test_that_swapped_namespaces_never_give_another_variables_value(own_peer: Callable[..., OpcUaPeer]) -> None:
    server = own_peer()
    items = [
        WatchItem(address=LINE + "i=1003", handle=1, type="float64", path="Line1/Speed"),
        WatchItem(address=PLC + "i=1003", handle=2, type="float64", path="Plc/Speed"),
    ]
    for options in ((), ("--swap",)):
        server.kill()
        server.start(*options)
        async with connected(server.url) as session:
            states = await session.set_watch(items, [])
            assert [state.refused for state in states] == ["", ""]
            samples = await first_samples(session.events(), {1, 2})
            read = await session.read(items)
        assert (samples[1].value, samples[2].value) == (103.0, 903.0)
        assert [read.value(0), read.value(1)] == [103.0, 903.0]


async def test_that_a_node_gone_is_refused_and_the_others_live(own_peer: Callable[..., OpcUaPeer]) -> None:
    server = own_peer("--without", "Pressure")
    async with connected(server.url) as session:
        items = [
            WatchItem(address=LINE + "i=2001", handle=1, type="float64", path="Line1/Pressure"),
            WatchItem(address=LINE + "s=Counter", handle=2),
        ]
        gone, live = await session.set_watch(items, [])
        assert gone.refused.startswith("BadNodeIdUnknown (0x80340000)")
        assert gone.status == 0x80340000
        assert gone.interval_ms is None
        assert not live.refused
        await first_samples(session.events(), {2})


async def test_that_an_id_given_to_another_variable_is_refused_by_its_fingerprint(own_peer: Callable[..., OpcUaPeer]) -> None:
    server = own_peer("--shuffle")
    items = [
        WatchItem(address=LINE + "i=2001", handle=1, type="float64", path="Line1/Pressure"),
        WatchItem(address=LINE + "i=1003", handle=2, type="int16", path="Line1/Speed"),
        WatchItem(address=PLC + "i=1003", handle=3, type="float64", path="Line2/Speed"),
        WatchItem(address=LINE + "s=Counter", handle=4, type="uint32", path="Line1/Counter"),
    ]
    async with connected(server.url) as session:
        states = await session.set_watch(items, [])
        assert [bool(state.refused) for state in states] == [True, True, True, False]
        assert (
            states[0].refused == "identity changed: the tag is Line1/Pressure (float64), at this address is now Line1/Temperature (float64)"
        )
        assert all(state.status >> 30 == 2 for state in states[:3])
        samples = await first_samples(session.events(), {1, 2, 3, 4})
    assert [(samples[handle].value, samples[handle].quality) for handle in (1, 2, 3)] == [(None, Quality.BAD)] * 3, "nothing old stays"
    assert samples[1].status == 0x80890000
    assert samples[4].quality is Quality.GOOD


# --- the end


async def test_that_a_killed_server_ends_the_session_within_two_seconds(own_peer: Callable[..., OpcUaPeer]) -> None:
    server = own_peer()
    async with connected(server.url) as session:
        events = session.events()
        await session.set_watch([WatchItem(address=LINE + "s=Counter", handle=1)], [])
        await first_samples(events, {1})
        begin = time.monotonic()
        server.kill()
        (*_, ended) = await until(events, lambda event: isinstance(event, Ended), 5.0)
        assert time.monotonic() - begin < 2.0
        assert isinstance(ended, Ended)
        assert "connection" in ended.why
        with pytest.raises(EndpointError):
            await session.read([Item(address="i=2258")])


async def test_that_a_frozen_server_ends_the_session_after_the_watchdog(own_peer: Callable[..., OpcUaPeer]) -> None:
    server = own_peer()
    async with connected(server.url) as session:
        events = session.events()
        await session.set_watch([WatchItem(address=LINE + "s=Counter", handle=1)], [])
        await first_samples(events, {1})
        begin = time.monotonic()
        server.freeze()
        (*_, ended) = await until(events, lambda event: isinstance(event, Ended), 20.0)
        took_s = time.monotonic() - begin
        server.thaw()
    assert isinstance(ended, Ended)
    assert "no answer" in ended.why
    assert 5.0 < took_s < 9.0


async def test_that_the_secure_channel_is_renewed_and_a_failed_renewal_ends_the_session(own_peer: Callable[..., OpcUaPeer]) -> None:
    server = own_peer()
    session = open_session(EndpointConfig(name="peer", url=server.url, settings={"timeout_s": 1.0}))
    assert isinstance(session, OpcUaSession)
    session._channel.lifetime_ms = 2400  # an hour by default. Renewed at three quarters, so a busy machine has 0.6 s
    try:
        await session.open(10.0)
        events = session.events()
        await session.set_watch([WatchItem(address=LINE + "s=Counter", handle=1, interval_ms=100)], [])
        begin = time.monotonic()
        await until(events, lambda _: time.monotonic() - begin > 4.5)  # two renewals
        server.freeze()
        (*_, ended) = await until(events, lambda event: isinstance(event, Ended), 4.8)
    finally:
        server.thaw()
        await session.close()
    assert isinstance(ended, Ended)
    assert "secure channel could not be renewed" in ended.why


async def test_that_a_short_freeze_is_survived(own_peer: Callable[..., OpcUaPeer]) -> None:
    server = own_peer()
    async with connected(server.url) as session:
        events = session.events()
        await session.set_watch([WatchItem(address=LINE + "s=Counter", handle=1)], [])
        await first_samples(events, {1})
        server.freeze()
        try:
            with pytest.raises(TimeoutError):
                await until(events, lambda event: isinstance(event, Ended), 2.5)
        finally:
            server.thaw()
        assert (await first_samples(events, {1}))[1].quality is Quality.GOOD


async def test_that_closing_with_a_frozen_server_is_bounded(own_peer: Callable[..., OpcUaPeer]) -> None:
    server = own_peer()
    session = open_session(EndpointConfig(name="peer", url=server.url))
    await session.open(10.0)
    server.freeze()
    begin = time.monotonic()
    await session.close()
    assert time.monotonic() - begin < 2.5
    server.thaw()
