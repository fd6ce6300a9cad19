"""One node, or one request too large, never takes the others with it; and what was learned of a server is not learned twice."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from time import monotonic

import pytest

from app.drivers import open_session
from app.drivers.base import EndpointConfig, Item, Learned, WatchItem
from app.drivers.opcua import session_services
from app.drivers.opcua.session import OpcUaSession
from app.drivers.opcua.status import BAD_TIMEOUT
from app.errors import EndpointError
from app.model.values import Quality
from tests.peers.opcua_peer import LINE, OpcUaPeer, opcua_peer

TIMEOUT_S = 2.0
BAD_INTERNAL_ERROR = 0x80020000


@pytest.fixture
def own_peer() -> Iterator[Callable[..., OpcUaPeer]]:
    with contextlib.ExitStack() as stack:
        yield lambda *options: stack.enter_context(opcua_peer(*options))


@contextlib.asynccontextmanager
async def met(url: str, learned: Learned, **settings: float) -> AsyncIterator[OpcUaSession]:
    session = open_session(EndpointConfig(name="peer", url=url, settings={"timeout_s": TIMEOUT_S, **settings}, learned=learned))
    assert isinstance(session, OpcUaSession)
    try:
        await session.open(10.0)
        yield session
    finally:
        await session.close()


async def told(session: OpcUaSession) -> Learned:
    """All that the session learned, once it is closed."""
    limits: dict[str, int] = {}
    quarantined: dict[str, str] = {}
    async for event in session.events():
        if isinstance(event, Learned):
            limits |= event.limits
            quarantined |= event.quarantined
    return Learned(limits=limits, quarantined=quarantined)


def big(number: int) -> str:
    return f"{LINE}s=Big.{number}"


async def test_that_a_node_that_hangs_a_read_is_found_and_the_others_have_their_values(own_peer: Callable[..., OpcUaPeer]) -> None:
    peer = own_peer("--many", "60", "--hang", "Big.17")
    begin_s = monotonic()
    async with met(peer.url, Learned()) as session:
        columns = await session.read([Item(address=big(number)) for number in range(60)])
        took_s = monotonic() - begin_s
        again = await session.read([Item(address=big(number)) for number in range(60)])
        sent = session.requests["read"]
        once_more = await session.read([Item(address=big(number)) for number in range(60)])
        assert session.requests["read"] == sent + 1, "the quarantined node is asked by itself once, then not any more"
    learned = await told(session)
    for found in (columns, again, once_more):
        assert [int(status) for status in found.status] == [BAD_TIMEOUT if number == 17 else 0 for number in range(60)]
        assert [found.number[number] for number in range(60) if number != 17] == [float(number) for number in range(60) if number != 17]
    assert took_s < 2 * TIMEOUT_S + 10 * 2.0, "log2(60) short time-outs behind the first"
    assert list(learned.quarantined) == [big(17)]
    assert "gave no answer when it was asked for by itself" in learned.quarantined[big(17)]


async def test_that_the_next_session_asks_a_quarantined_node_by_itself_and_nothing_waits_for_it_twice(
    own_peer: Callable[..., OpcUaPeer],
) -> None:
    peer = own_peer("--many", "40", "--hang", "Big.5")
    learned = Learned(quarantined={big(5): "BadTimeout (0x800A0000): it hung before"})
    async with met(peer.url, learned) as session:
        begin_s = monotonic()
        columns = await session.read([Item(address=big(number)) for number in range(40)])
        assert monotonic() - begin_s < TIMEOUT_S, "no time-out of the whole request"
        assert [row for row in range(40) if columns.quality[row] == Quality.BAD] == [5]
    assert await told(session) == Learned(), "nothing new"


async def test_that_a_quarantined_node_that_is_well_again_has_its_value(own_peer: Callable[..., OpcUaPeer]) -> None:
    peer = own_peer("--many", "3")
    async with met(peer.url, Learned(quarantined={big(1): "it hung before", "nonsense": "", "nsu=urn:gone;i=1": ""})) as session:
        columns = await session.read([Item(address=big(number)) for number in range(3)])
        assert columns.number.tolist() == [0.0, 1.0, 2.0]


async def test_that_a_node_that_fails_a_whole_read_is_quarantined_with_the_servers_reason(own_peer: Callable[..., OpcUaPeer]) -> None:
    peer = own_peer("--many", "30", "--spoil", "Big.9")
    async with met(peer.url, Learned()) as session:
        columns = await session.read([Item(address=big(number)) for number in range(30)])
        assert [int(status) for status in columns.status] == [BAD_INTERNAL_ERROR if number == 9 else 0 for number in range(30)]
    learned = await told(session)
    assert list(learned.quarantined) == [big(9)]
    assert learned.quarantined[big(9)].startswith("BadInternalError (0x80020000)")


async def test_that_a_node_that_hangs_a_browse_is_said_and_its_siblings_are_crawled(own_peer: Callable[..., OpcUaPeer]) -> None:
    peer = own_peer("--many", "12", "--hang-browse", "Big.4")
    async with met(peer.url, Learned()) as session:
        pages = [page async for page in session.crawl(LINE + "s=Big", 1000)]
    ids = [id_ for page in pages for id_ in page.id]
    assert ids == [big(number) for number in range(12)]
    (why,) = [why for page in pages for why in page.errors.values()]
    assert "gave no answer when it was asked for by itself" in why


async def test_that_silence_of_a_standing_link_is_blamed_on_no_node(own_peer: Callable[..., OpcUaPeer]) -> None:
    peer = own_peer("--many", "40")
    async with met(peer.url, Learned()) as session:
        await session.read([Item(address=big(0))])
        peer.freeze()
        reading = asyncio.create_task(session.read([Item(address=big(number)) for number in range(40)]))
        await asyncio.sleep(TIMEOUT_S + 1.0)  # longer than a request, shorter than the watchdog: the time itself is the fault
        peer.thaw()
        columns = await reading
        assert columns.number.tolist() == [float(number) for number in range(40)]
    assert await told(session) == Learned()


async def test_that_a_dead_server_quarantines_nothing(own_peer: Callable[..., OpcUaPeer], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_services, "LIFE_S", 1.0)
    peer = own_peer("--many", "40")
    async with met(peer.url, Learned()) as session:
        peer.freeze()
        with pytest.raises(EndpointError):
            await session.read([Item(address=big(number)) for number in range(40)])
        peer.thaw()
    assert await told(session) == Learned()


async def test_that_sizes_refused_are_halved_told_and_begun_with_by_the_next_session(own_peer: Callable[..., OpcUaPeer]) -> None:
    peer = own_peer("--many", "100", "--most", "30")
    async with met(peer.url, Learned()) as session:
        columns = await session.read([Item(address=big(number)) for number in range(100)])
        assert columns.number.tolist() == [float(number) for number in range(100)]
    learned = await told(session)
    assert learned.limits["read"] == 25
    async with met(peer.url, learned) as session:
        before = session.requests["read"]
        await session.read([Item(address=big(number)) for number in range(100)])
        assert session.requests["read"] == before + 4
    assert await told(session) == Learned()


async def test_that_a_connection_ended_over_a_large_message_teaches_the_next_one_to_ask_for_less(
    own_peer: Callable[..., OpcUaPeer],
) -> None:
    peer = own_peer("--many", "100", "--hang-up", "30")
    learned = Learned()
    for attempt in range(4):
        async with met(peer.url, learned) as session:
            with contextlib.suppress(EndpointError):
                columns = await session.read([Item(address=big(number)) for number in range(100)])
                assert columns.number.tolist() == [float(number) for number in range(100)]
                break
        told_now = await told(session)
        assert told_now.limits["read"] == 100 >> (attempt + 1), "one of the requests under way is blamed, once"
        learned = Learned(limits=learned.limits | told_now.limits)
    assert learned.limits == {"read": 25}


async def test_that_a_watched_tag_says_why_its_node_is_left_out_of_requests_with_others(own_peer: Callable[..., OpcUaPeer]) -> None:
    peer = own_peer("--many", "3", "--hang", "Big.1")
    async with met(peer.url, Learned(quarantined={big(1): "it hung before"})) as session:
        states = await session.set_watch([WatchItem(handle=number, address=big(number)) for number in range(3)], [])
        assert [(state.handle, state.refused, state.note) for state in states] == [(0, "", ""), (1, "", "it hung before"), (2, "", "")]
