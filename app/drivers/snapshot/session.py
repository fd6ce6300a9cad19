"""A snapshot as a connection: everything is answered from its file, with the values, qualities and times of then."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Final, Protocol

from msgspec import structs

from app.drivers.base import (
    Alive,
    BrowseColumns,
    Ended,
    EndpointConfig,
    EndpointReport,
    Event,
    Item,
    ItemState,
    NodeDetails,
    WatchItem,
    Wire,
)
from app.drivers.questions import Question, unanswered
from app.drivers.snapshot.contents import Contents, read_contents
from app.drivers.snapshot.of_nodes import OfNodes
from app.drivers.snapshot.of_registers import OfRegisters
from app.drivers.snapshot.spec import path_of, url_of
from app.errors import EndpointError
from app.model.columns import SampleColumns
from app.model.plant import Identity
from app.model.times import rfc3339

LOOK_S: Final = 0.5
"""How often it is looked whether the file is still there: what is on a stick may be pulled out."""

_State = tuple[int, int, int]


class Kept(Protocol):
    """What a snapshot holds, of either kind."""

    def browse(self, nodes: Sequence[str]) -> BrowseColumns: ...
    def crawl(self, root: str, limit: int) -> AsyncIterator[BrowseColumns]: ...
    def read(self, items: Sequence[Item], handles: Sequence[int]) -> SampleColumns: ...
    def refusal(self, item: WatchItem) -> ItemState | None: ...
    async def details(self, node: str) -> NodeDetails: ...
    def ask(self, question: Question) -> AsyncIterator[Wire]: ...
    def identity(self, known: Identity, found: Identity) -> Identity: ...


def open_session(config: EndpointConfig) -> SnapshotSession:
    return SnapshotSession(config)


async def discover(url: str, timeout_s: float) -> EndpointReport:
    """What answered when it was taken."""
    session = SnapshotSession(EndpointConfig(name=url, url=url))
    try:
        return await session.open(timeout_s)
    finally:
        await session.close()


class SnapshotSession:
    """See ``app.drivers.base.Session``. Each watched item has exactly one sample: that of then."""

    def __init__(self, config: EndpointConfig) -> None:
        self._config, self._path = config, path_of(config.url)
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._kept: Kept | None = None
        self._life: asyncio.Task[None] | None = None
        self._ended = False

    async def open(self, timeout_s: float) -> EndpointReport:
        """Read the whole file; ``timeout_s`` is not needed.

        Raises:
            EndpointError: The file is not there, or cannot be read now.
            UserError: It is no snapshot, damaged, or unfinished.
        """
        del timeout_s
        begun_s = time.perf_counter()
        state = _state_of(self._path)
        if state is None:
            fix = "Check the path; a stick or a network drive may be gone"
            raise EndpointError("Cannot open the snapshot", where=self._path.as_posix(), why="there is no such file", fix=fix)
        contents = await asyncio.to_thread(read_contents, self._path)
        self._kept = _kept(contents, self._config)
        self._life = asyncio.create_task(self._live(state), name="snapshot proof of life")
        return _report(contents, self._config, self._kept, time.perf_counter() - begun_s)

    async def close(self) -> None:
        if self._life is not None:
            self._life.cancel()
            await asyncio.gather(self._life, return_exceptions=True)
        self._end("closed")

    async def browse(self, nodes: Sequence[str], resume: bytes | None = None) -> BrowseColumns:
        del resume  # an answer is always whole
        return self._open.browse(nodes)

    async def crawl(self, root: str, limit: int) -> AsyncIterator[BrowseColumns]:
        async for page in self._open.crawl(root, limit):
            yield page

    async def read(self, items: Sequence[Item]) -> SampleColumns:
        return self._open.read(items, range(len(items)))

    async def details(self, nodes: Sequence[str]) -> list[NodeDetails]:
        return [await self._open.details(node) for node in nodes]

    async def set_watch(self, add: Sequence[WatchItem], remove: Sequence[int]) -> list[ItemState]:
        del remove  # nothing follows the one sample
        states = [self._open.refusal(item) or ItemState(handle=item.handle, interval_ms=float(item.interval_ms)) for item in add]
        shown = [item for item, state in zip(add, states, strict=True) if not state.refused]
        if shown:
            self._events.put_nowait(self._open.read(shown, [item.handle for item in shown]))
        return states

    def ask(self, question: Question) -> AsyncIterator[Wire]:
        return self._kept.ask(question) if self._kept is not None else unanswered(question)

    def trace(self, on: bool) -> None:
        """Nothing goes over a wire."""

    async def events(self) -> AsyncIterator[Event]:
        while True:
            event = await self._events.get()
            yield event
            if isinstance(event, Ended):
                return

    @property
    def _open(self) -> Kept:
        if self._kept is None:
            raise EndpointError("Cannot read the snapshot", where=self._path.as_posix(), why="it is not open", fix="Connect first")
        return self._kept

    async def _live(self, state: _State) -> None:
        while await asyncio.to_thread(_state_of, self._path) == state:
            self._events.put_nowait(Alive())
            await asyncio.sleep(LOOK_S)
        self._end("the file is not there any more, or another one is")

    def _end(self, why: str) -> None:
        if not self._ended:
            self._ended = True
            self._events.put_nowait(Ended(why=why))


def _kept(contents: Contents, config: EndpointConfig) -> Kept:
    header = contents.header
    assert header is not None
    as_of_ns = contents.end.ended_ns if contents.end is not None else header.begun_ns
    if contents.tree is not None:
        return OfNodes(contents.tree, header, as_of_ns)
    assert contents.registers is not None
    return OfRegisters(contents.registers, header, config.units, as_of_ns)


def _report(contents: Contents, config: EndpointConfig, kept: Kept, opening_s: float) -> EndpointReport:
    """What answered then, with where it is now and when then was."""
    header, end = contents.header, contents.end
    assert header is not None
    assert end is not None
    then = header.report
    note = f"Taken from {header.url} between {rfc3339(header.begun_ns)} and {rfc3339(end.ended_ns)}"
    return structs.replace(
        then, url=url_of(contents.path), as_of_ns=end.ended_ns, round_trip_s=opening_s, notes=(note, *then.notes), granted={},
        identity=kept.identity(config.identity, then.identity),
    )  # fmt: skip


def _state_of(path: Path) -> _State | None:
    """What tells this file from another one at its place; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
