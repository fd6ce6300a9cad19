"""A scripted session, equal to the real ones in form, for the tests of connector and runtime.

What a watched address gives: ``v:<n>`` always the number n; ``count`` 0, 1, 2 …; ``text:<s>`` a string; ``bad`` bad quality;
``refused`` is refused; ``other`` is refused as another variable, gone to ``v:5``; ``moved`` is watched at ``v:6``; ``switch`` is a
bool that ``do:switch`` toggles. Reading an address ``do:<what>`` makes something happen: see ``_do``. The details of ``watched`` say how
many items are. The endpoint's settings say the rest: ``open`` how opening goes, or the code of the error with which it fails;
``secret`` how the password begins that it wants; ``identity_in`` a file with the application URI, and on further lines the product and
the value of the identity's register; ``attempts_in`` a file that gets a line with the order of unit 3 for every attempt.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import numpy as np

from app.drivers.base import (
    Alive,
    BrowseColumns,
    Ended,
    EndpointConfig,
    EndpointReport,
    Event,
    Exchange,
    Gap,
    Item,
    ItemState,
    Learned,
    NodeDetails,
    Traffic,
    WatchItem,
    Wire,
)
from app.drivers.questions import Anywhere, Progress, Question
from app.errors import EndpointError, UserError
from app.model.columns import SampleColumns, type_code
from app.model.plant import Identity
from app.model.values import Quality, Sample


class Echoed(Wire, frozen=True, kw_only=True, tag="echoed"):
    text: str


class Echo(Question, frozen=True, kw_only=True, tag="sim.echo"):
    ANSWERS = Progress | Echoed
    text: str


class EchoAnywhere(Anywhere, frozen=True, kw_only=True, tag="sim.echo_anywhere"):
    ANSWERS = Progress | Echoed
    ANSWERED_BY = "tests.peers.sim_session"
    text: str


async def answer(question: EchoAnywhere) -> AsyncIterator[Wire]:
    """Letter by letter."""
    for letter in question.text:
        yield Echoed(text=letter)


_REFUSED = {"refused": ("BadNodeIdUnknown (0x80340000)", ""), "other": ("identity changed: at this address is now Other (int32)", "v:5")}


def _state_of(item: WatchItem) -> ItemState:
    if item.address in _REFUSED:
        refused, rebind = _REFUSED[item.address]
        return ItemState(handle=item.handle, refused=refused, rebind=rebind)
    return ItemState(handle=item.handle, interval_ms=item.interval_ms, rebind="v:6" if item.address == "moved" else "")


frames_descriptor = -1
"""Set by ``sim_connector``, for ``do:garbage``."""


class SimSession:
    def __init__(self, config: EndpointConfig) -> None:
        self._config = config
        self._items: dict[int, WatchItem] = {}
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []
        self._count = 0
        self._switched = False
        self._alive = True

    async def open(self, timeout_s: float) -> EndpointReport:
        self._note_attempt()
        match self._config.settings.get("open", "fine"):
            case ("user" | "certificate" | "rejected") as code:
                raise EndpointError("Cannot connect", where=self._config.url, why=f"refused: {code}", code=str(code))
            case "delayed":
                await asyncio.sleep(0.5)
            case "refused":
                raise EndpointError("Cannot connect", where=self._config.url, why="BadRefused (0x1)", fix="Start it")
            case "wrong":
                raise UserError("Cannot connect", where=self._config.url, why="the setting is wrong", fix="Mend the setting")
            case "bug":
                raise ZeroDivisionError("a bug in a driver")
            case "slow":
                await asyncio.sleep(3600)
        if not self._config.secret.startswith(str(self._config.settings.get("secret", ""))):
            raise EndpointError("Cannot connect", where=self._config.url, why="wrong password", code="user")
        self._tasks = [asyncio.create_task(self._sample()), asyncio.create_task(self._live())]
        orders = ",".join(f"{unit.number}={unit.order}" for unit in self._config.units)
        return EndpointReport(
            title="Sim 1.0", url=self._config.url, round_trip_s=0.001, product=f"{os.getpid()} {orders}", identity=self._identity()
        )

    def _note_attempt(self) -> None:
        if file := str(self._config.settings.get("attempts_in", "")):
            order = next((unit.order for unit in self._config.units if unit.number == 3), "")
            with Path(file).open("a", encoding="utf-8") as attempts:
                attempts.write(f"{order}\n")

    def _identity(self) -> Identity:
        file = str(self._config.settings.get("identity_in", ""))
        uri, product, value, *_ = [*(Path(file).read_text("utf-8") if file else "").splitlines(), "", "", ""]
        register = self._config.identity.register if value else ""
        return Identity(application_uri=uri, product=product, register=register, value=value if register else "")

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def browse(self, nodes: Sequence[str], resume: bytes | None = None) -> BrowseColumns:
        if "slow" in nodes:
            await asyncio.sleep(3600)
        return _children([f"{node}/{name}" for node in nodes for name in "abc"])

    async def crawl(self, root: str, limit: int) -> AsyncIterator[BrowseColumns]:
        for start in range(0, limit, 100):
            await asyncio.sleep(0.001)
            yield _children([f"{root}/{number}" for number in range(start, min(start + 100, limit))])

    async def read(self, items: Sequence[Item]) -> SampleColumns:
        for item in items:
            if item.address.startswith("do:"):
                await self._do(item.address[3:])
        return SampleColumns.of([(place, self._value(item)) for place, item in enumerate(items)])

    async def details(self, nodes: Sequence[str]) -> list[NodeDetails]:
        names = {"watched": str(len(self._items))}
        return [NodeDetails(id=node, name=names.get(node, node.rsplit("/", 1)[-1])) for node in nodes]

    async def set_watch(self, add: Sequence[WatchItem], remove: Sequence[int]) -> list[ItemState]:
        await asyncio.sleep(0)
        for handle in remove:
            self._items.pop(handle, None)
        refused = [item for item in add if item.address in _REFUSED]
        self._items.update((item.handle, item) for item in add if item not in refused)
        self._events.put_nowait(self._now([item for item in add if item not in refused]))
        return [_state_of(item) for item in add]

    async def ask(self, question: Question) -> AsyncIterator[Wire]:
        """Counts up to the text of ``Echo``, then echoes it."""
        if not isinstance(question, Echo):
            raise EndpointError("Cannot ask that here", where=type(question).__name__, why="the script does not know it")
        for done in range(len(question.text)):
            yield Progress(done=done, total=len(question.text))
        yield Echoed(text=question.text)

    def trace(self, on: bool) -> None:
        if on:
            exchange = Exchange(at_ns=time.time_ns(), sent=True, size=3, text="traced", data=b"abc")
            self._events.put_nowait(Traffic(exchanges=(exchange,)))

    async def events(self) -> AsyncIterator[Event]:
        while True:
            event = await self._events.get()
            yield event
            if isinstance(event, Ended):
                return

    async def _sample(self) -> None:
        while True:
            await asyncio.sleep(0.05)
            self._count += 1
            self._events.put_nowait(self._now([item for item in self._items.values() if item.address in ("count", "switch")]))

    async def _live(self) -> None:
        while True:
            if self._alive:
                self._events.put_nowait(Alive(round_trip_s=0.001))
            await asyncio.sleep(0.5)

    def _now(self, items: Sequence[WatchItem]) -> SampleColumns:
        return SampleColumns.of([(item.handle, self._value(item)) for item in items])

    def _value(self, item: Item) -> Sample:
        now_ns = time.time_ns()
        kind, _, rest = item.address.partition(":")
        match kind:
            case "moved":
                return Sample(6.0, "float64", Quality.GOOD, 0, now_ns, now_ns, now_ns)
            case "v":
                return Sample(float(rest) * item.gain + item.offset, "float64", Quality.GOOD, 0, now_ns, now_ns, now_ns)
            case "count":
                return Sample(self._count, "int32", Quality.GOOD, 0, now_ns, None, now_ns)
            case "switch":
                return Sample(self._switched, "bool", Quality.GOOD, 0, now_ns, None, now_ns)
            case "text":
                return Sample(rest, "string", Quality.GOOD, 0, now_ns, None, now_ns)
            case _:
                return Sample(None, "float64", Quality.BAD, 0x80340000, None, None, now_ns)

    async def _do(self, what: str) -> None:
        deeds: dict[str, Callable[[], object]] = {
            "crash": self._crash,
            "garbage": lambda: os.write(frames_descriptor, b"\xff" * 64),
            "hang": lambda: time.sleep(3600),
            "lose": lambda: self._events.put_nowait(Ended(why="the cable was pulled")),
            "learn": lambda: self._events.put_nowait(Learned(limits={"read": 250}, quarantined={"v:9": "it makes a read time out"})),
            "gap": lambda: self._events.put_nowait(Gap(why="queue overflow")),
            "fail": self._fail,
            "switch": lambda: setattr(self, "_switched", not self._switched),
            "eat": lambda: setattr(self, "eaten", bytearray(os.urandom(1 << 20) * 200)),
            "hush": lambda: setattr(self, "_alive", False),
            "flood": lambda: self._tasks.append(asyncio.create_task(self._flood())),
            "unsendable": lambda: self._events.put_nowait(self._unsendable()),
            "print": lambda: sys.stdout.write("a library prints\n"),
        }
        deeds[what]()

    @staticmethod
    def _crash() -> None:
        os.write(2, b"Segmentation fault in libplc\n")
        os._exit(3)

    @staticmethod
    def _fail() -> None:
        raise ZeroDivisionError("a bug in a driver")

    def _unsendable(self) -> SampleColumns:
        handle = next(iter(self._items))
        return SampleColumns.of([(handle, Sample(object(), "struct", Quality.GOOD, 0, None, None, 1))])

    async def _flood(self) -> None:
        """200,000 samples a second of the first watched item, numbered."""
        rows, number = 10_000, 0.0
        while True:
            handle = next(iter(self._items), 0)
            ones = np.ones(rows, np.int64)
            self._events.put_nowait(
                SampleColumns(
                    handle=(ones * handle).astype(np.uint32),
                    type=(ones * type_code("float64")).astype(np.uint8),
                    quality=np.zeros(rows, np.uint8),
                    status=np.zeros(rows, np.uint32),
                    number=np.arange(number, number + rows, dtype=np.float64),
                    source_ns=ones * time.time_ns(),
                    server_ns=ones * 0,
                    receive_ns=ones * time.time_ns(),
                )
            )
            number += rows
            await asyncio.sleep(0.05)


def _children(ids: list[str]) -> BrowseColumns:
    rows = len(ids)
    names = tuple(id_.rsplit("/", 1)[-1] for id_ in ids)
    return BrowseColumns(
        parent=(0,) * rows,
        id=tuple(ids),
        name=names,
        browse_name=names,
        path=tuple(ids),
        node_class=("object",) * rows,
        type=("",) * rows,
        has_children=(True,) * rows,
        description=("",) * rows,
    )


async def discover(url: str, timeout_s: float) -> EndpointReport:
    if "nobody" in url:
        raise EndpointError("Nothing answers", where=url, why="connection refused", fix="Check the address")
    await asyncio.sleep(3600 if "slow" in url else 0)
    return EndpointReport(title="Sim 1.0", url=url)
