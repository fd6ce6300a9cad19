"""Nodes are kept and searched in another thread: in order, at once when little is left, before the rest when much is."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from app.workspace import node_cache
from app.workspace.database import Database, KnownNode
from app.workspace.node_cache import BATCH_ROWS, ELSEWHERE_AFTER, SEARCH_AFTER, NodeCache
from app.workspace.node_process import NICE, NodeProcess, NodeProcessError, Row

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


# In a process, where there is much to write


class Counted(NodeProcess):
    """``rows``: written by processes of this kind."""

    rows: list[int] = []  # noqa: RUF012  one list for all, on purpose
    begun: list[Counted] = []  # noqa: RUF012

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.begun.append(self)

    def remember(self, endpoint_key: str, rows: Iterable[Row]) -> None:
        rows = list(rows)
        super().remember(endpoint_key, rows)
        self.rows.append(len(rows))


@pytest.fixture
def counted() -> Iterator[NodeCache]:
    Counted.rows.clear()
    Counted.begun.clear()
    with closing(NodeCache(Database, lambda: Counted(Database().path))) as opened:
        yield opened


def test_that_a_process_writes_and_searches_when_very_many_nodes_come(counted: NodeCache) -> None:
    counted.remember("p/e", nodes(30), same)
    assert counted.settle(WAIT_S)
    assert Counted.begun == [], "it takes longer to begin than to write so few"
    counted.remember("p/e", nodes(3 * ELSEWHERE_AFTER), same)
    counted.forget("p/e", "i=7")
    assert counted.settle(WAIT_S)
    assert sum(Counted.rows) > 2 * ELSEWHERE_AFTER
    found = counted.search(["p/e"], "node77", 900).result(WAIT_S)
    assert {node.name for _, node in found.hits} >= {"node77", "node770", "node779"}
    assert isinstance(found.hits[0][1], KnownNode)
    assert found.known == 3 * ELSEWHERE_AFTER - 1
    assert len(Counted.begun) == 1


def test_that_the_process_ends_with_its_work(counted: NodeCache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_cache, "IDLE_S", 0.01)
    counted.remember("p/e", nodes(2 * ELSEWHERE_AFTER), same)
    assert counted.settle(WAIT_S)
    (process,) = Counted.begun
    assert process._process.wait(WAIT_S) == 0
    assert counted.search(["p/e"], "node77", 9).result(WAIT_S).known == 2 * ELSEWHERE_AFTER


def test_that_the_process_gives_way_to_the_window_from_its_beginning() -> None:
    process = NodeProcess(Database().path)
    try:
        given = psutil.Process(process._process.pid).nice()
    finally:
        process.close()
    if sys.platform == "win32":
        assert given == psutil.BELOW_NORMAL_PRIORITY_CLASS
    else:
        assert given == min(int(psutil.Process().nice()) + NICE, 19)


def test_that_a_process_that_hangs_does_not_keep_the_window_from_closing(counted: NodeCache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_cache, "CLOSE_S", 0.2)
    counted.remember("p/e", nodes(2 * ELSEWHERE_AFTER), same)
    assert counted.settle(WAIT_S)
    (process,) = Counted.begun
    psutil.Process(process._process.pid).suspend()
    counted.remember("p/e", nodes(5, "late"), same)
    begun_s = time.monotonic()
    counted.close()
    assert time.monotonic() - begun_s < WAIT_S / 2
    assert process._process.wait(WAIT_S) != 0
    with closing(Database()) as database:
        assert database.count("p/e") == 2 * ELSEWHERE_AFTER, "the ids are the same"
        assert database.search_all(["p/e"], "late4", 9), "what it did not write is written without it"


def test_that_nothing_is_lost_with_a_process_that_is_killed(counted: NodeCache) -> None:
    counted.remember("p/e", nodes(2 * ELSEWHERE_AFTER), same)
    assert counted.settle(WAIT_S)
    Counted.begun[0]._process.kill()
    counted.remember("p/e", nodes(3 * ELSEWHERE_AFTER), same)
    assert counted.search(["p/e"], "node1", 9).result(WAIT_S).hits
    assert counted.settle(WAIT_S)
    assert counted.search(["p/e"], "node1", 9).result(WAIT_S).known == 3 * ELSEWHERE_AFTER
    assert len(Counted.begun) == 1, "one that fails is not begun again"


def test_that_a_search_is_answered_when_its_process_is_gone(counted: NodeCache) -> None:
    counted.remember("p/e", nodes(2 * ELSEWHERE_AFTER), same)
    assert counted.settle(WAIT_S)
    Counted.begun[0]._process.kill()
    assert counted.search(["p/e"], "node1", 9).result(WAIT_S).known == 2 * ELSEWHERE_AFTER


def test_that_a_process_that_cannot_be_begun_is_not_missed() -> None:
    def none() -> NodeProcess:
        raise NodeProcessError("no such program")

    with closing(NodeCache(Database, none)) as cache:
        cache.remember("p/e", nodes(2 * ELSEWHERE_AFTER), same)
        assert cache.settle(WAIT_S)
        assert cache.search(["p/e"], "node1", 9).result(WAIT_S).known == 2 * ELSEWHERE_AFTER
