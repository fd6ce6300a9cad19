"""How often one waits for a server that is far away: round trips in a row, counted at the channel, with a real server behind."""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic
from typing import Any

import pytest

from app.drivers.opcua.session import OpcUaSession
from tests.peers.opcua_connection import connected
from tests.peers.opcua_peer import LINE, OpcUaPeer, opcua_peer

MOST = 3


@pytest.fixture(scope="module")
def peer() -> Iterator[OpcUaPeer]:
    with opcua_peer("--many", "200") as running:
        yield running


class Rounds:
    """Requests as intervals. One that began when another had ended may have waited for it: the longest such chain is what one waits."""

    def __init__(self, session: OpcUaSession, monkeypatch: pytest.MonkeyPatch) -> None:
        self._asked: list[tuple[float, float]] = []
        channel = session._services.channel
        for name in ("call", "call_body"):
            monkeypatch.setattr(channel, name, self._timed(getattr(channel, name)))

    def _timed(self, call: Any) -> Any:
        async def timed(*args: Any, **named: Any) -> Any:
            begin_s = monotonic()
            try:
                return await call(*args, **named)
            finally:
                self._asked.append((begin_s, monotonic()))

        return timed

    def count(self) -> int:
        """Of all since the last time."""
        depths: list[tuple[float, int]] = []
        for begin_s, end_s in sorted(self._asked):
            depths.append((end_s, 1 + max((depth for ended_s, depth in depths if ended_s <= begin_s), default=0)))
        self._asked.clear()
        return max(depth for _, depth in depths)


async def test_that_the_first_level_of_the_tree_takes_three_round_trips_after_connecting(
    peer: OpcUaPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with connected(peer.url) as session:
        rounds = Rounds(session, monkeypatch)
        root = await session.browse([""])
        assert "Objects" in root.name
        assert rounds.count() <= MOST
        below = await session.browse([root.id[0]])
        assert "Line1" in below.name
        assert rounds.count() <= MOST


@pytest.mark.parametrize(("folder", "children"), [("Big", 200), ("Line1", 12), ("Structures", 6), ("Types", 23)])
async def test_that_expanding_a_node_takes_three_round_trips_also_with_types_never_met(
    peer: OpcUaPeer, monkeypatch: pytest.MonkeyPatch, folder: str, children: int
) -> None:
    async with connected(peer.url) as session:
        for node in ("", "nsu=http://opcfoundation.org/UA/;i=85", LINE + "s=Line1"):
            if node.endswith(folder):
                break
            await session.browse([node])
        rounds = Rounds(session, monkeypatch)
        columns = await session.browse([f"{LINE}s={folder}"])
        assert len(columns) == children
        assert "" not in [columns.type[row] for row in range(len(columns)) if columns.is_data(row)]
        assert rounds.count() <= MOST
