"""Nodes browsed before, written and searched in a thread of its own: a crawl brings them faster than a window may wait for a disk."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from threading import Condition, Thread
from time import monotonic, sleep
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from app.workspace.database import Database, KnownNode

if TYPE_CHECKING:
    from concurrent.futures import Future

Row = tuple[str, str, str, str, str]
"""Fields as in ``KnownNode``, without when it was seen."""
T = TypeVar("T")

BATCH_ROWS: Final = 100
"""Written in one transaction, some 3 ms: so long a search waits at most, and so long others may not write."""
REST_S: Final = 0.02
"""After a transaction the thread rests as long as that took, but at most so long: it may have one core with the window, and a system
gives the core to the one that works for several milliseconds before the other is let on."""
SEARCH_AFTER: Final = 2_000
"""With fewer rows than this unwritten, a search waits for them, so that it finds what was just read."""
CLOSE_S: Final = 5.0


class Found(NamedTuple):
    """Hits with the key of their endpoint, shortest paths first; ``known`` is how many nodes there are to be searched."""

    hits: list[tuple[str, KnownNode]]
    known: int


class NodeCache:
    """One thread asks; the thread of this object, begun by the first question, works with a connection of its own."""

    def __init__(self, make_database: Callable[[], Database]) -> None:
        self._make_database = make_database
        self._changed = Condition()
        self._writes: deque[Callable[[Database], object]] = deque()
        self._searches: deque[tuple[Future[Found], Sequence[str], str, int]] = deque()
        self._unwritten = 0
        self._awaited = 0
        self._is_busy = self._ends = False
        self._thread: Thread | None = None

    @property
    def unwritten(self) -> int:
        """Rows that were given and are not in the file yet."""
        return self._unwritten

    def remember(self, endpoint_key: str, nodes: Sequence[T], row_of: Callable[[T], Row]) -> None:
        """As ``Database.remember``, later; ``row_of`` is called in the other thread."""
        batches = [nodes[start : start + BATCH_ROWS] for start in range(0, len(nodes), BATCH_ROWS)]
        self._write(*((partial(_remember, endpoint_key, batch, row_of), len(batch)) for batch in batches))

    def forget(self, endpoint_key: str, id_: str) -> None:
        """Drop a node that the endpoint has no longer, after what was to be written before."""
        self._write((lambda database: database.forget(endpoint_key, id_), 1))

    def forget_old(self, days: int) -> None:
        self._write((lambda database: database.forget_old(days), 1))

    def search(self, endpoint_keys: Sequence[str], text: str, limit: int) -> Future[Found]:
        """Done when it is done; cancel it when another is asked."""
        from concurrent.futures import Future

        future: Future[Found] = Future()
        with self._changed:
            self._searches.append((future, tuple(endpoint_keys), text, limit))
            self._begin()
        return future

    def settle(self, timeout_s: float) -> bool:
        """Wait until everything is written, at most so long; whether it is."""
        until_s = monotonic() + timeout_s
        with self._changed:
            self._awaited += 1
            try:
                while self._writes or self._is_busy:
                    if not self._changed.wait(max(0.0, until_s - monotonic())):
                        return False
            finally:
                self._awaited -= 1
        return True

    def close(self) -> None:
        """Write what is left, for a few seconds at most, and end the thread. Safe twice."""
        if self._thread is None:
            return
        self.settle(CLOSE_S)
        with self._changed:
            self._ends = True
            self._changed.notify_all()
        self._thread.join()
        self._thread = None
        self._ends = False

    def _write(self, *jobs: tuple[Callable[[Database], object], int]) -> None:
        """Each with how many rows it writes."""
        with self._changed:
            self._writes.extend(partial(self._counted, work, rows) for work, rows in jobs)
            self._unwritten += sum(rows for _, rows in jobs)
            self._begin()

    def _counted(self, work: Callable[[Database], object], rows: int, database: Database) -> None:
        work(database)
        with self._changed:
            self._unwritten -= rows

    def _begin(self) -> None:
        if self._thread is None:
            self._thread = Thread(target=self._run, name="nodes", daemon=True)
            self._thread.start()
        self._changed.notify_all()

    # In the thread

    def _run(self) -> None:
        database = self._make_database()
        try:
            while (job := self._next()) is not None:
                begun_s = monotonic()
                job(database)
                with self._changed:
                    self._is_busy = False
                    self._changed.notify_all()
                if self._unwritten and not self._awaited:
                    sleep(min(monotonic() - begun_s, REST_S))
        finally:
            database.close()

    def _next(self) -> Callable[[Database], object] | None:
        """The next thing to do; None to end."""
        with self._changed:
            while not (self._writes or self._searches or self._ends):
                self._changed.wait()
            if self._ends:
                return None
            self._is_busy = True
            if self._writes and (not self._searches or self._unwritten < SEARCH_AFTER):
                return self._writes.popleft()
            future, keys, text, limit = self._searches.popleft()
            return lambda database: _answer(database, future, keys, text, limit)


def _remember(endpoint_key: str, nodes: Sequence[T], row_of: Callable[[T], Row], database: Database) -> None:
    database.remember(endpoint_key, map(row_of, nodes))


def _answer(database: Database, future: Future[Found], keys: Sequence[str], text: str, limit: int) -> None:
    if future.set_running_or_notify_cancel():
        hits = database.search_all(keys, text, limit)
        future.set_result(Found(hits, sum(database.count(key) for key in keys)))
