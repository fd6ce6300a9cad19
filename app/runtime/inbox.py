"""The one way from the I/O thread to the thread that owns the project: Qt-free, bounded, emptied by ``LiveProject.pump``."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from math import inf
from threading import Condition
from time import perf_counter
from typing import NamedTuple

from app.drivers.base import EndpointReport, Exchange, ItemState, Learned
from app.errors import UserError
from app.model.columns import SampleColumns
from app.runtime.identity import Difference
from app.runtime.state import LogEntry, Phase, Reply

SAMPLE_ROWS = 1_000_000
"""Of all links together, about 42 MB of columns: ten seconds at 100,000 values/s in which the owner may not have pumped."""
LINK_ROWS = 500_000
"""A link stops reading its connector while more of its samples than this wait: the connector keeps the newest, and tells what it loses."""
REPLY_ROWS = 200_000
"""Links stop reading their connector while more browsed rows than this wait."""
REPLY_ROWS_AT_ONCE = 2_000
"""40,000 a second at 20 pumps."""
SURELY_ROWS = 20_000
"""Four times what 100,000 values/s bring in a frame; some 5 ms of work."""
ROWS_PER_ARRIVAL = 500
"""What one arrival takes, however few rows it has, in rows."""
ROWS_PER_OBJECT = 3
"""What a text or an array takes, in rows of numbers."""
LOG_ENTRIES = 2_000


class SamplesIn(NamedTuple):
    """``at_s``: ``Clock.monotonic_s`` when the frame came."""

    link: int
    columns: SampleColumns
    at_s: float


class GapIn(NamedTuple):
    """Samples are missing here; of all tags of the link when ``handles`` is empty."""

    link: int
    handles: tuple[int, ...]
    dropped: int
    why: str = ""


class ItemsIn(NamedTuple):
    link: int
    states: tuple[ItemState, ...]


class PhaseIn(NamedTuple):
    link: int
    phase: Phase
    why: UserError | None
    retry_at_s: float | None
    report: EndpointReport | None
    at_s: float
    changed: tuple[Difference, ...] = ()


class AliveIn(NamedTuple):
    link: int
    at_s: float
    round_trip_s: float


class TrafficIn(NamedTuple):
    link: int
    exchanges: tuple[Exchange, ...]
    dropped: int


class MemoryIn(NamedTuple):
    link: int
    rss_bytes: int


class LearnedIn(NamedTuple):
    """All that is known by now, not only what is new."""

    link: int
    learned: Learned


Arrival = SamplesIn | GapIn | ItemsIn | PhaseIn | AliveIn | TrafficIn | MemoryIn | LearnedIn | Reply


class Inbox:
    """Any thread puts; one thread drains. Only samples are dropped, the oldest first, and counted; logs keep the newest."""

    def __init__(self, sample_rows: int = SAMPLE_ROWS) -> None:
        self._limit = sample_rows
        self._cells: deque[list[Arrival]] = deque()  # a cell whose samples were dropped holds the gap they left
        self._samples: deque[list[Arrival]] = deque()
        self._rows = self._reply_rows = 0
        self._rows_of: Counter[int] = Counter()  # by link
        self._logs: deque[LogEntry] = deque(maxlen=LOG_ENTRIES)
        self._filled = Condition()

    def put(self, arrival: Arrival) -> None:
        with self._filled:
            cell = [arrival]
            self._cells.append(cell)
            if isinstance(arrival, SamplesIn):
                self._samples.append(cell)
                self._count(arrival, 1)
                self._drop_oldest()
            elif isinstance(arrival, Reply):
                self._reply_rows += _rows(arrival)
            self._filled.notify()

    def _drop_oldest(self) -> None:
        while self._rows > self._limit and len(self._samples) > 1:
            cell = self._samples.popleft()
            lost = cell[0]
            assert isinstance(lost, SamplesIn)
            self._count(lost, -1)
            cell[0] = GapIn(lost.link, (), len(lost.columns))

    def _count(self, arrival: SamplesIn, sign: int) -> None:
        rows = sign * len(arrival.columns)
        self._rows += rows
        self._rows_of[arrival.link] += rows
        if not self._rows_of[arrival.link]:
            del self._rows_of[arrival.link]

    def log(self, entry: LogEntry) -> None:
        with self._filled:
            self._logs.append(entry)
            self._filled.notify()

    @property
    def has_room(self) -> bool:
        """Whether a link should go on reading replies."""
        return self._reply_rows < REPLY_ROWS

    def has_room_for(self, link: int) -> bool:
        """Whether a link should go on reading samples."""
        return self._rows_of[link] < LINK_ROWS

    def drain(self) -> tuple[list[Arrival], list[LogEntry]]:
        """Everything that came, in order."""
        return list(self.taken()), self.drain_logs()

    def drain_logs(self) -> list[LogEntry]:
        with self._filled:
            logs = list(self._logs)
            self._logs.clear()
        return logs

    def taken(self, budget_s: float | None = None) -> Iterator[Arrival]:
        """What came, in order, one after the other; what comes meanwhile is left for the next time.

        Args:
            budget_s: No further one after so long, but as much work as ``SURELY_ROWS``, which a computer that is busy with other
                programs needs to keep up; and not many more browsed rows than ``REPLY_ROWS_AT_ONCE``. The rest stays here, where it
                counts for the limits. None is everything.
        """
        end_s = inf if budget_s is None else perf_counter() + budget_s
        replied = worked = 0
        for _ in range(len(self._cells)):
            arrival = self._take()
            yield arrival
            replied += _rows(arrival) if isinstance(arrival, Reply) else 0
            worked += ROWS_PER_ARRIVAL
            if isinstance(arrival, SamplesIn):
                worked += len(arrival.columns) + ROWS_PER_OBJECT * len(arrival.columns.objects)
            if budget_s is not None and (replied > REPLY_ROWS_AT_ONCE or (worked > SURELY_ROWS and perf_counter() > end_s)):
                return

    def _take(self) -> Arrival:
        with self._filled:
            cell = self._cells.popleft()
            arrival = cell[0]
            if isinstance(arrival, SamplesIn):
                self._samples.popleft()
                self._count(arrival, -1)
            elif isinstance(arrival, Reply):
                self._reply_rows -= _rows(arrival)
        return arrival

    def wait(self, timeout_s: float) -> None:
        """Until something is there; for commands and tests, which have no timer."""
        with self._filled:
            self._filled.wait_for(lambda: bool(self._cells or self._logs), timeout_s)


def _rows(reply: Reply) -> int:
    result = getattr(reply.result, "nodes", reply.result)  # what a crawl has found is browsed rows too
    return len(result) if hasattr(result, "__len__") else 1
