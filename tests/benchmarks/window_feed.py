"""A window on a project of many tags, and the connector process that feeds it: shared by the benchmarks of the window.

``python -m tests.benchmarks.window_feed CORE`` is the connector: the real one, with a scripted session. Reading ``do:feed`` of it begins
to send every watched item a new value ten times a second, stamped as a server would (``do:feed 50``: only the project's first fifty);
``do:hush`` ends that; details of ``sent`` name how many values have been sent. ``CrawlBelow`` gives as many nodes as asked for, as fast
as they are taken.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from app.drivers.base import BrowseColumns, EndpointConfig, EndpointReport, Item, ItemState, NodeDetails, WatchItem, Wire
from app.drivers.opcua.questions import CrawlBelow, FoundNode, FoundNodes
from app.drivers.questions import Question
from app.model.columns import SampleColumns, type_code
from app.model.plant import Endpoint, Group, Tag
from app.model.project import Project, ProjectInfo
from tests.peers.sim_session import SimSession

if TYPE_CHECKING:
    from widgets.main_window import MainWindow

PERIOD_S: Final = 0.1
NODES_PER_ANSWER: Final = 500
TICK_MS: Final = 16


class FeedSession(SimSession):
    def __init__(self, config: EndpointConfig) -> None:
        super().__init__(config)
        self._sent = 0
        self._feed: asyncio.Task[None] | None = None

    async def set_watch(self, add: Sequence[WatchItem], remove: Sequence[int]) -> list[ItemState]:
        for handle in remove:
            self._items.pop(handle, None)
        self._items.update((item.handle, item) for item in add)
        return [ItemState(handle=item.handle, interval_ms=100) for item in add]

    async def details(self, nodes: Sequence[str]) -> list[NodeDetails]:
        return [NodeDetails(id=node, name=str(self._sent)) for node in nodes]

    async def read(self, items: Sequence[Item]) -> SampleColumns:
        if self._feed is not None:
            self._feed.cancel()
            self._feed = None
        told = items[0].address.split()
        if told[0] == "do:feed":
            self._feed = asyncio.create_task(self._send(int(told[1]) if told[1:] else len(self._items)))
            self._tasks.append(self._feed)
        return self._columns(np.zeros(1, np.uint32), np.zeros(1))

    async def _send(self, tags: int) -> None:
        loop = asyncio.get_running_loop()
        random, due_s = np.random.default_rng(1), loop.time()
        fed = [handle for handle, item in self._items.items() if int(item.address.rpartition("Value")[2]) < tags]
        handles = np.array(sorted(fed), np.uint32)
        number = random.normal(50, 10, len(handles))
        while True:
            number = number + random.normal(0, 1, len(handles))
            self._events.put_nowait(self._columns(handles, number))
            self._sent += len(handles)
            due_s += PERIOD_S
            await asyncio.sleep(max(0.0, due_s - loop.time()))

    @staticmethod
    def _columns(handles: np.ndarray, number: np.ndarray) -> SampleColumns:  # numpy's own default type arguments
        rows, now_ns = len(handles), time.time_ns()
        return SampleColumns(
            handle=handles,
            type=np.full(rows, type_code("float64"), np.uint8),
            quality=np.zeros(rows, np.uint8),
            status=np.zeros(rows, np.uint32),
            number=number,
            source_ns=np.full(rows, now_ns, np.int64),
            server_ns=np.full(rows, now_ns, np.int64),
            receive_ns=np.full(rows, now_ns, np.int64),
        )

    async def ask(self, question: Question) -> AsyncIterator[Wire]:
        assert isinstance(question, CrawlBelow)
        for start in range(0, question.limit, NODES_PER_ANSWER):
            numbers = range(start, min(start + NODES_PER_ANSWER, question.limit))
            yield FoundNodes(nodes=tuple(_node(number) for number in numbers))
            await asyncio.sleep(0)

    async def browse(self, nodes: Sequence[str], resume: bytes | None = None) -> BrowseColumns:
        return BrowseColumns()


def _node(number: int) -> FoundNode:
    path = f"Plant/Line{number // 10_000}/Machine{number // 100}/Value{number}"
    return FoundNode(id=f"nsu=urn:plant;s={path}", name=f"Value{number}", path=path, node_class="variable", type="float64")


async def discover(url: str, timeout_s: float) -> EndpointReport:
    return EndpointReport(title="feed", url=url)


def connector() -> int:
    from app.connector.pipes import claim_stdout

    descriptor = claim_stdout()
    from app.connector.main import run

    pin(int(sys.argv[1]))
    return run(descriptor, FeedSession, discover)


# The window


def pin(core: int) -> None:
    """This process to one core, where the system can and has so many."""
    if sys.platform == "linux" and core in os.sched_getaffinity(0):
        os.sched_setaffinity(0, {core})


def generated(tags: int) -> Project:
    return Project(
        ProjectInfo(id="bench", name="Benchmark"),
        [
            Endpoint(id="plc", name="plc", addresses={"default": "opc.tcp://127.0.0.1:4840"}),
            Group(id="quick", name="quick", interval_ms=100),
            *(
                Tag(id=f"t{n:05d}", endpoint="plc", address=f"nsu=urn:plant;s=Value{n}", name=f"Value{n}", type="float64", group="quick")
                for n in range(tags)
            ),
        ],
    )


@dataclass
class Phase:
    """What was measured in one stretch of time, or several of the same kind: gaps between ticks in ms, and CPU."""

    gaps_ms: list[float] = field(default_factory=list)
    ui_s: float = 0.0
    process_s: float = 0.0
    wall_s: float = 0.0

    def p(self, percent: float) -> float:
        return float(np.percentile(self.gaps_ms, percent))

    @property
    def ui(self) -> float:
        """Share of one core that the window's thread took."""
        return self.ui_s / self.wall_s

    def __str__(self) -> str:
        return (
            f"gap p50 {statistics.median(self.gaps_ms):5.1f}  p95 {self.p(95):5.1f}  p99 {self.p(99):5.1f}  max {max(self.gaps_ms):6.1f} ms"
            f"   window's thread {self.ui:6.1%}, its process {self.process_s / self.wall_s:6.1%} of a core   ({len(self.gaps_ms)} ticks)"
        )


class Ticks:
    """Gaps between the ticks of a precise timer in the window's thread."""

    def __init__(self) -> None:
        from PySide6.QtCore import Qt, QTimer

        self._timer = QTimer(timerType=Qt.TimerType.PreciseTimer, interval=TICK_MS)
        self._timer.timeout.connect(self._on_tick)
        self._gaps_ms: list[float] = []
        self._last_s = 0.0

    def _on_tick(self) -> None:
        now_s = time.perf_counter()
        self._gaps_ms.append((now_s - self._last_s) * 1000)
        self._last_s = now_s

    def measure(self, into: Phase, seconds: float, until: Callable[[], bool] | None = None) -> None:
        """Run the event loop for so long, or until something is so (at most for ``seconds``)."""
        from PySide6.QtCore import QEventLoop, QTimer

        loop = QEventLoop()
        QTimer.singleShot(int(seconds * 1000), loop.quit)
        watch = QTimer(interval=50)
        if until is not None:
            watch.timeout.connect(lambda: loop.quit() if until() else None)
            watch.start()
        self._gaps_ms = []
        self._last_s, began = time.perf_counter(), (time.thread_time(), time.process_time(), time.perf_counter())
        self._timer.start()
        loop.exec()
        self._timer.stop()
        watch.stop()
        into.ui_s += time.thread_time() - began[0]
        into.process_s += time.process_time() - began[1]
        into.wall_s += time.perf_counter() - began[2]
        into.gaps_ms += self._gaps_ms[1:]


@dataclass
class Fed:
    """A window whose endpoint is connected to the feeding connector, with every tag watched."""

    window: MainWindow
    ticks: Ticks
    came: int = 0

    @property
    def live(self):  # type: ignore[no-untyped-def]  # the workbench's
        return self.window.workbench.live

    def run(self, seconds: float, until: Callable[[], bool] | None = None) -> None:
        self.ticks.measure(Phase(), seconds, until)

    def ask(self, address: str) -> None:
        """``do:feed``, ``do:feed 50`` or ``do:hush``, and wait until it was heard."""
        replies: list[object] = []
        self.window.workbench.ask(self.live.read("plc", [Item(address=address)]), replies.append)
        self.run(20, lambda: bool(replies))
        assert replies, f"the connector did not hear {address}: {self.live.state('plc')}"

    def all_arrived(self) -> int:
        """How many values the connector has sent, when as many have come; call it after ``do:hush``."""
        sent = self._sent()
        self.run(20, lambda: self.came >= sent)
        assert self.came == sent, f"{sent:,} values were sent and {self.came:,} came"
        return sent

    def _sent(self) -> int:
        replies: list[object] = []
        self.window.workbench.ask(self.live.details("plc", ["sent"]), lambda reply: replies.append(reply.result))
        self.run(20, lambda: bool(replies))
        (details,) = replies
        return int(details[0].name)  # type: ignore[index]  # a list of NodeDetails


@contextmanager
def fed_window(tags: int, *, core: int = 1, connector_core: int = 0) -> Iterator[Fed]:
    """Open it, connected, all tags watched, hushed. Its folders are temporary."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("CONFIG", "DATA", "CACHE", "LOG"):
            os.environ[f"TAGLOOM_{kind}_DIR"] = str(Path(folder) / kind)
        pin(core)
        touch_memory()
        from app.projectfile import write
        from app.runtime import live
        from widgets import quick_start
        from widgets.application import start

        vars(live)["connector_command"] = lambda: [sys.executable, "-m", "tests.benchmarks.window_feed", str(connector_core)]
        path = Path(folder) / "bench.tagloom"
        path.write_bytes(write(generated(tags)))
        running = start(path, theme="light")
        quick_start.end()  # as in ``widgets.__main__``
        running.window.resize(1500, 950)
        fed = Fed(running.window, Ticks())
        fed.live.on_samples = lambda _, columns: setattr(fed, "came", fed.came + len(columns))
        try:
            fed.live.connect("plc")
            fed.live.want("bench", list(running.window.workbench.project.all(Tag)))
            fed.run(60, lambda: fed.live.state("plc").accepted == tags)
            assert fed.live.state("plc").accepted == tags, f"not all tags are watched: {fed.live.state('plc')}"
            yield fed
        finally:
            running.window.workbench.editor.mark_saved()
            running.window.close()
            running.window.workbench.shut_down()


def touch_memory(size: int = 700_000_000) -> None:
    """Have the host of a virtual machine give this memory now: at its first use that takes 30 µs a page, which no program can help."""
    np.ones(size // 8)


if __name__ == "__main__":
    sys.exit(connector())
