"""Nodes browsed before, written and searched in a thread of its own: a crawl brings them faster than a window may wait for a disk.

When they come faster than that thread writes them, a process does it in its place, for as long as it has something to do.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from threading import Condition, Thread
from time import monotonic, sleep
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from app.workspace.database import Database, KnownNode
from app.workspace.node_process import NodeProcess, NodeProcessError, Row

if TYPE_CHECKING:
    from concurrent.futures import Future

_LOGGER = logging.getLogger(__name__)
T = TypeVar("T")
Store = Database | NodeProcess
Work = Callable[[Store], object]

BATCH_ROWS: Final = 100
"""Written in one transaction, some 3 ms: so long a search waits at most, and so long others may not write."""
REST_S: Final = 0.02
"""After a transaction the thread rests as long as that took, but at most so long: it may have one core with the window, and a system
gives the core to the one that works for several milliseconds before the other is let on."""
SEARCH_AFTER: Final = 2_000
"""With fewer rows than this unwritten, a search waits for them, so that it finds what was just read."""
ELSEWHERE_AFTER: Final = 400
"""With more rows than this unwritten, which take a thread 12 ms, a process is begun to write them."""
IDLE_S: Final = 10.0
"""Without anything to do for so long, it is ended."""
CLOSE_S: Final = 5.0


class Found(NamedTuple):
    """Hits with the key of their endpoint, shortest paths first; ``known`` is how many nodes there are to be searched."""

    hits: list[tuple[str, KnownNode]]
    known: int


class NodeCache:
    """One thread asks; the thread of this object, begun by the first question, works with a connection of its own.

    ``elsewhere`` begins a process for when there is much to write; it may raise ``NodeProcessError``. None never does.
    """

    def __init__(self, make_database: Callable[[], Database], elsewhere: Callable[[], NodeProcess] | None = None) -> None:
        self._make_database, self._elsewhere = make_database, elsewhere
        self._changed = Condition()
        self._writes: deque[Work] = deque()
        self._searches: deque[tuple[Future[Found], Sequence[str], str, int]] = deque()
        self._unwritten = 0
        self._awaited = 0
        self._is_busy = self._ends = False
        self._thread: Thread | None = None
        self._process: NodeProcess | None = None

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
        self._write((lambda store: store.forget(endpoint_key, id_), 1))

    def forget_old(self, days: int) -> None:
        self._write((lambda store: store.forget_old(days), 1))

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
        written = self.settle(CLOSE_S)
        with self._changed:
            self._ends = True
            self._changed.notify_all()
        while not written and self._thread.is_alive():
            if (process := self._process) is not None:
                process.kill()  # it may hang, and the thread with it
            self._thread.join(0.1)
        self._thread.join()
        self._thread = None
        self._ends = False

    def _write(self, *jobs: tuple[Work, int]) -> None:
        """Each with how many rows it writes."""
        with self._changed:
            self._writes.extend(partial(self._counted, work, rows) for work, rows in jobs)
            self._unwritten += sum(rows for _, rows in jobs)
            self._begin()

    def _counted(self, work: Work, rows: int, store: Store) -> None:
        work(store)
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
            while True:
                if self._process is not None and not self._has_work(IDLE_S):
                    self._end_process()
                if (job := self._next()) is None:
                    return
                if self._process is None and self._elsewhere is not None and self._unwritten > ELSEWHERE_AFTER:
                    self._begin_process(self._elsewhere)
                begun_s = monotonic()
                self._do(job, database)
                with self._changed:
                    self._is_busy = False
                    self._changed.notify_all()
                if self._process is None and self._unwritten and not self._awaited:
                    sleep(min(monotonic() - begun_s, REST_S))
        finally:
            self._end_process()
            database.close()

    def _begin_process(self, elsewhere: Callable[[], NodeProcess]) -> None:
        try:
            self._process = elsewhere()
        except NodeProcessError as error:
            self._give_up(error)

    def _end_process(self) -> None:
        if self._process is not None:
            self._process.close()
            self._process = None

    def _do(self, job: Work, database: Database) -> None:
        """One job, by the process where there is one that can."""
        if self._process is not None:
            try:
                job(self._process)
            except NodeProcessError as error:
                self._give_up(error)
                self._end_process()
            else:
                return
        job(database)

    def _give_up(self, error: NodeProcessError) -> None:
        _LOGGER.info("nodes are written by a thread of the window: the process for it failed: %s", error)
        self._elsewhere = None

    def _has_work(self, timeout_s: float) -> bool:
        """Whether there is something to do, or it has to end, within so long."""
        with self._changed:
            return self._changed.wait_for(lambda: bool(self._writes or self._searches or self._ends), timeout_s)

    def _next(self) -> Work | None:
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
            return lambda store: _answer(store, future, keys, text, limit)


def _remember(endpoint_key: str, nodes: Sequence[T], row_of: Callable[[T], Row], store: Store) -> None:
    store.remember(endpoint_key, map(row_of, nodes))


def _answer(store: Store, future: Future[Found], keys: Sequence[str], text: str, limit: int) -> None:
    if future.running() or future.set_running_or_notify_cancel():  # it runs already when another could not answer it
        hits = store.search_all(keys, text, limit)
        future.set_result(Found(hits, sum(store.count(key) for key in keys)))
