"""Nodes are kept and searched in another thread: in order, at once when little is left, before the rest when much is."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import closing

import pytest

from app.workspace.database import Database
from app.workspace.node_cache import BATCH_ROWS, SEARCH_AFTER, NodeCache, Row

WAIT_S = 20.0


def nodes(count: int, name: str = "node") -> list[Row]:
    return [(f"i={number}", f"{name}{number}", f"/Line/{name}{number}", "variable", "float64") for number in range(count)]


def same(row: Row) -> Row:
    return row


@pytest.fixture
def cache() -> Iterator[NodeCache]:
    with closing(NodeCache(Database)) as opened:
        yield opened


class Held(Database):
    """Writes when it is let."""

    go = threading.Event()
    wrote: list[int] = []  # noqa: RUF012  one list for all, on purpose

    def remember(self, endpoint_key: str, rows: Iterable[Row]) -> None:
        rows = list(rows)
        assert self.go.wait(WAIT_S)
        super().remember(endpoint_key, rows)
        self.wrote.append(len(rows))


def test_that_what_was_just_given_is_found(cache: NodeCache) -> None:
    cache.remember("p/e", nodes(50), same)
    cache.remember("p/f", nodes(3, "other"), same)
    found = cache.search(["p/e", "p/f"], "ode7", 9).result(WAIT_S)
    assert [(key, node.name) for key, node in found.hits] == [("p/e", "node7")]
    assert found.known == 53
    cache.forget("p/e", "i=7")
    assert cache.search(["p/e"], "ode7", 9).result(WAIT_S).hits == []


def test_that_giving_nodes_waits_for_no_disk_and_a_search_for_no_long_queue() -> None:
    Held.go.clear()
    Held.wrote.clear()
    with closing(NodeCache(Held)) as cache:
        cache.remember("p/e", nodes(SEARCH_AFTER * 3), same)
        assert cache.unwritten == SEARCH_AFTER * 3
        assert not cache.settle(0.01)
        search = cache.search(["p/e"], "node", 9)
        Held.go.set()
        assert search.result(WAIT_S).known < SEARCH_AFTER * 3, "it waited for all"
        assert cache.settle(WAIT_S)
        assert cache.unwritten == 0
        assert set(Held.wrote) == {BATCH_ROWS}
        assert cache.search(["p/e"], "node", 9).result(WAIT_S).known == SEARCH_AFTER * 3


def test_that_a_search_that_nobody_waits_for_is_not_made() -> None:
    Held.go.clear()
    with closing(NodeCache(Held)) as cache:
        cache.remember("p/e", nodes(BATCH_ROWS), same)
        first, second = (cache.search(["p/e"], text, 1) for text in ("node1", "node2"))
        assert first.cancel()
        Held.go.set()
        assert [node.name for _, node in second.result(WAIT_S).hits] == ["node2"]
        assert first.cancelled()


def test_that_closing_writes_what_is_left_and_it_can_be_used_again() -> None:
    cache = NodeCache(Database)
    cache.remember("p/e", nodes(1200), same)
    cache.close()
    cache.close()
    with closing(Database()) as database:
        assert database.count("p/e") == 1200
    assert cache.search(["p/e"], "node1199", 9).result(WAIT_S).hits[0][1].id == "i=1199"
    cache.close()
