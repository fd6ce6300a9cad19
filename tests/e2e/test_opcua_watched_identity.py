"""Whose value it is, while a server changes under a session that watches: the values of the peer say whose they are (``telltale``)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from app.drivers.base import Event, ItemState, ItemStates, WatchItem
from app.drivers.opcua.session import OpcUaSession
from app.errors import EndpointError
from app.model.columns import SampleColumns
from app.model.values import Quality
from tests.peers.opcua_connection import connected, first_samples, until
from tests.peers.telltale import owner, read
from tests.peers.telltale_peer import TelltalePeer

LINE = "nsu=urn:telltale:line%3B1;"
MINE = owner(1, 1, 0)
"""Whose the values of line/0 are."""


@pytest.fixture(scope="module")
def running() -> Iterator[TelltalePeer]:
    peer = TelltalePeer("opcua", 1)
    peer.start()
    peer.wait_ready()
    yield peer
    peer.kill()


@pytest.fixture
def peer(running: TelltalePeer) -> Iterator[TelltalePeer]:
    running.tell("add line/0")
    yield running
    running.tell("add line/0")


@pytest.fixture
async def session(peer: TelltalePeer) -> AsyncIterator[OpcUaSession]:
    async with connected(f"opc.tcp://127.0.0.1:{peer.port}/peer", publishing_interval_ms=50) as opened:
        yield opened


def item(kind: str = "float64") -> WatchItem:
    return WatchItem(address=LINE + "i=1000", handle=0, interval_ms=50, type=kind, path="line/V0")


class Witness:
    """Everything told of the one item; a value of anybody else's fails the test."""

    def __init__(self, session: OpcUaSession) -> None:
        self.events = session.events()
        self.state = ItemState(handle=0)
        self.good = 0
        self.last = Quality.GOOD

    def __call__(self, event: Event) -> None:
        if isinstance(event, ItemStates):
            self.state = event.states[-1]
        elif isinstance(event, SampleColumns):
            for _, sample in event.samples():
                self.last = sample.quality
                if isinstance(sample.value, int | float):
                    assert read(sample.value).owner == MINE, "a value of another variable"
                    self.good += 1

    async def until_live(self, more: int = 3) -> None:
        wanted = self.good + more

        def done(event: Event) -> bool:
            self(event)
            return self.good >= wanted

        await until(self.events, done)

    async def until_refused(self) -> None:
        def done(event: Event) -> bool:
            self(event)
            return bool(self.state.refused)

        await until(self.events, done)
        assert self.last is Quality.BAD, "nothing old stays"


@pytest.mark.parametrize("how", ["usurp", "retype"])
async def test_that_another_variable_under_the_id_is_withheld_until_the_tags_own_is_back(
    peer: TelltalePeer, session: OpcUaSession, how: str
) -> None:
    witness = Witness(session)
    await session.set_watch([item()], [])
    await witness.until_live()
    peer.tell(f"{how} line/0")
    await witness.until_refused()
    assert witness.state.refused.startswith("identity changed")
    peer.tell("add line/0")
    await witness.until_live()
    assert witness.state.refused == ""


async def test_that_a_node_that_went_and_came_back_is_watched_again(peer: TelltalePeer, session: OpcUaSession) -> None:
    witness = Witness(session)
    await session.set_watch([item()], [])
    await witness.until_live()
    peer.tell("remove line/0")
    await witness.until_refused()
    assert witness.state.refused.startswith("BadNodeIdUnknown")
    peer.tell("add line/0")
    await witness.until_live()


async def test_that_a_variable_with_a_new_id_is_found_by_its_path_and_back_again(peer: TelltalePeer, session: OpcUaSession) -> None:
    peer.tell("move line/0")
    witness = Witness(session)
    (state,) = await session.set_watch([item()], [])
    assert (state.refused, state.rebind) == ("", LINE + "s=Moved0")
    assert "its node id is gone" in state.note
    await witness.until_live()
    peer.tell("add line/0")
    await witness.until_live()
    assert witness.state.rebind == ""


async def test_that_the_path_does_not_lead_to_a_variable_of_another_type(peer: TelltalePeer, session: OpcUaSession) -> None:
    peer.tell("move line/0")
    (state,) = await session.set_watch([item("string")], [])
    assert state.refused.startswith("BadNodeIdUnknown")
    assert state.rebind == ""


async def test_that_a_usurped_tag_is_told_where_its_own_variable_went(peer: TelltalePeer, session: OpcUaSession) -> None:
    """The tag was made of what is now line/1; another has its id."""
    wanted = WatchItem(address=LINE + "i=1000", handle=0, type="int64", path="line/V1")
    (state,) = await session.set_watch([wanted], [])
    assert state.refused.startswith("identity changed: the tag is line/V1 (int64)")
    assert state.rebind == LINE + "i=1001"
    (sample,) = (await first_samples(session.events(), {0})).values()
    assert (sample.value, sample.quality, sample.status) == (None, Quality.BAD, 0x80890000)


async def test_that_items_that_could_not_be_made_are_refused_and_tried_again(session: OpcUaSession) -> None:
    """The server is busy for longer than one request may take: the session lives on, and so do its tags."""
    monitored = session._watch._monitored
    create = monitored.create

    async def busy(items: object) -> list[tuple[int, ItemState]]:
        monitored.create = create  # type: ignore[method-assign]  # once
        raise EndpointError("Watching failed", where="peer", why="no answer within 10 s")

    monitored.create = busy  # type: ignore[method-assign]  # ours, not the library's
    witness = Witness(session)
    (state,) = await session.set_watch([item()], [])
    assert state.refused == "no answer within 10 s"
    await witness.until_live()
    assert witness.state.refused == ""
