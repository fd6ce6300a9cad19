"""Mutated frames against the real parent: refused with a message, nothing else, and the owner's thread goes on ticking.

Each connector is a real process; it sends good frames first and then mutants, until the parent ends it. The next one goes on behind the
mutant that ended the last.
"""

from __future__ import annotations

import asyncio
import gc
import struct
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from app.connector import frames
from app.connector.frames import FrameError
from app.drivers.base import Learned
from app.edits import Editor
from app.model.columns import SampleColumns
from app.model.plant import Endpoint, Tag
from app.model.project import Project, ProjectInfo
from app.runtime.link import Link
from app.runtime.live import LiveProject
from app.runtime.patience import LinkLimits
from app.runtime.process import ConnectorGoneError, ConnectorProcess
from tests.faults.ticking import Ticker
from tests.peers import frame_mutants
from tests.unit.runtime.conftest import SimSpec
from widgets.reading_text import value_text
from widgets.steady import SWITCH_S
from widgets.workbench import PUMP_BUDGET_S

SCRIPT = Path(frame_mutants.__file__).with_name("mutant_connector.py")
STALL_S = 0.1
GROWTH_BYTES = 300 * 2**20
GOOD = 3  # frames that each connector sends before its mutants


@dataclass
class Seen:
    """What the parent made of one share of the mutants. Written on the I/O thread, read by the test."""

    place: Path
    first: int
    end: int
    taken: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    strange: list[BaseException] = field(default_factory=list)

    @property
    def done(self) -> bool:
        return self.first + max(self.taken - GOOD, 0) >= self.end

    def began(self) -> None:
        self.taken = 0
        self.place.write_text(f"{self.first} {self.end}", "ascii")

    def ended(self, why: str) -> None:
        """Go on behind the one that ended it; one that asks for more bytes than there are ends with the pipe."""
        self.ends[why] += 1
        self.first += max(self.taken - GOOD, 0) + 1
        self.began()


@contextmanager
def watched_parent(monkeypatch: pytest.MonkeyPatch, shares: dict[str, Seen]) -> Iterator[None]:
    """Count what is received, and keep whatever escapes that is no FrameError."""
    receive, read = ConnectorProcess.receive, Link._read
    of_process: dict[int, Seen] = {}

    async def counted(self: ConnectorProcess) -> tuple[frames.ToParent, SampleColumns | None]:
        seen = of_process[id(self)]
        try:
            got = await receive(self)
        except FrameError:
            seen.ended("refused")
            raise
        except ConnectorGoneError:
            seen.ended("pipe ended")
            raise
        seen.taken += 1
        return got

    async def kept(self: Link, process: ConnectorProcess) -> None:
        seen = of_process[id(process)] = shares[self._config.name]
        seen.began()
        try:
            await read(self, process)
        except asyncio.CancelledError:  # ended for another reason, such as the memory that a mutant told of
            if seen.taken:  # else it was counted when its pipe ended
                seen.ended("otherwise")
            raise
        except BaseException as error:
            seen.strange.append(error)
            raise

    with monkeypatch.context() as patch:
        patch.setattr(ConnectorProcess, "receive", counted)
        patch.setattr(Link, "_read", kept)
        yield


def corpus(folder: Path, mutants: Sequence[bytes], shares: int) -> dict[str, Seen]:
    sound = [frame_mutants.opened(), frame_mutants.items(), frames.encode_samples(frame_mutants.samples())]
    assert len(sound) == GOOD
    with (folder / "corpus").open("wb") as file:
        for frame in (str(GOOD).encode(), *sound, *mutants):
            file.write(struct.pack("<I", len(frame)) + frame)
    bounds = [len(mutants) * share // shares for share in range(shares + 1)]
    seen = {str(share): Seen(folder / f"place{share}", bounds[share], bounds[share + 1]) for share in range(shares)}
    for one in seen.values():
        one.began()
    return seen


def project(shares: Iterable[str], *arguments: str) -> LiveProject:
    endpoints = [Endpoint(id=share, name=share, addresses={"default": f"sim://{share}"}) for share in shares]
    tags = [
        Tag(id=f"{endpoint.id}-{number}", endpoint=endpoint.id, address=f"v:{number}", name=f"t{number}")
        for endpoint in endpoints
        for number in frame_mutants.HANDLES
    ]
    return LiveProject(
        Editor(Project(ProjectInfo(id="p", name="P"), [*endpoints, *tags])),
        command=[sys.executable, "-I", "-S", str(SCRIPT), *arguments],
        find_spec=lambda _: SimSpec(),
        limits=LinkLimits(back_off_s=(0.0,), polite_s=0.0, open_timeout_s=5.0),  # a slice may take longer than politeness waits
    )


@dataclass
class Result:
    shares: dict[str, Seen]
    ticker: Ticker = field(default_factory=Ticker)
    grown_bytes: int = 0
    messages: int = 0
    shown: int = 0

    @property
    def ends(self) -> Counter[str]:
        return sum((seen.ends for seen in self.shares.values()), Counter())

    @property
    def strange(self) -> list[BaseException]:
        return [error for seen in self.shares.values() for error in seen.strange]

    def __str__(self) -> str:
        return (
            f"{dict(self.ends)}, {self.messages} messages, {self.shown} texts, worst gap {self.ticker.worst_s * 1000:.0f} ms "
            f"(raw {self.ticker.worst_raw_s * 1000:.0f} ms) of {self.ticker.ticks} ticks, RSS {self.grown_bytes / 2**20:+.0f} MB at most"
        )


def fuzzed(
    monkeypatch: pytest.MonkeyPatch, folder: Path, mutants: Sequence[bytes], timeout_s: float, *, shares: int = 4, batch: int = 100
) -> Result:
    result = Result(corpus(folder, mutants, shares))
    gc.collect()
    before = psutil.Process().memory_info().rss
    live = project(result.shares, str(folder / "corpus"), str(folder / "place"), str(batch))
    tags = list(live.project.all(Tag))

    def look() -> None:
        arrived = live.pump(PUMP_BUDGET_S)
        live.history.tidy()
        result.messages += sum(1 for entry in arrived.logs if entry.level == "ERROR")
        for tag in tags:
            reading = live.reading(tag)
            result.shown += bool(value_text(reading) + reading.problem)
        for share, seen in result.shares.items():
            phase = live.state(share).phase
            if seen.done and phase != "off":
                live.disconnect(share)
            elif not seen.done and phase == "stopped":  # a mutant said that only a person can help
                live.connect(share)

    def tick() -> bool:
        if result.ticker.ticks % 3 == 0:
            look()
        if result.ticker.ticks % 30 == 0:
            result.grown_bytes = max(result.grown_bytes, psutil.Process().memory_info().rss - before)
        return all(seen.done for seen in result.shares.values())

    switch_s = sys.getswitchinterval()
    with watched_parent(monkeypatch, result.shares):
        try:
            sys.setswitchinterval(SWITCH_S)  # as the window does
            live.want("table", tags)
            live.connect_all()
            assert result.ticker.run(tick, timeout_s), f"it came to no end: {result}"
        finally:
            live.close()
            sys.setswitchinterval(switch_s)
    return result


def check(result: Result) -> None:
    assert result.strange == []
    assert result.messages > result.ends["refused"] / 2 > 50, "a connector was ended without a message"
    assert result.shown > 0
    assert result.grown_bytes < GROWTH_BYTES


def test_that_mutated_frames_are_refused_with_a_message_and_end_nothing_but_their_connector(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    check(fuzzed(monkeypatch, tmp_path, list(frame_mutants.mutants(8, 300)), timeout_s=90))


def told(folder: Path, *after: bytes) -> tuple[list[str], list[SampleColumns]]:
    """What the log says, and the samples that came, of connectors that say this behind the good frames, until one was heard to the end."""
    live = project(corpus(folder, after, 1), str(folder / "corpus"), str(folder / "place"), str(len(after)))
    lines: list[str] = []
    came: list[SampleColumns] = []

    def tick() -> bool:
        lines.extend(entry.text for entry in live.pump().logs)
        return any("closed its pipe" in line or "invalid data" in line for line in lines)

    try:
        live.on_samples = lambda _, columns: came.append(columns)
        live.want("table", list(live.project.all(Tag)))
        live.connect_all()
        assert Ticker().run(tick, 30), f"it came to no end: {lines}"
    finally:
        live.close()
    return lines, came


def test_that_a_connector_that_cannot_open_is_not_open_because_it_says_so(tmp_path: Path) -> None:
    failed = frames.encode(frames.Failed(failure=frames.Failure(what="w", where="x", why="y"), retry=False))
    last = b"\xff" * 8
    _, came = told(tmp_path, failed, frame_mutants.opened(), frames.encode_samples(frame_mutants.samples(rows=7)), last)
    assert [len(columns) for columns in came] == [20]


def test_that_a_connector_that_has_learned_more_than_there_is_room_for_is_used_again(tmp_path: Path) -> None:
    much = [
        frames.encode(frames.Taught(learned=Learned(quarantined={f"{part} {number}{'n' * 4_000}": "w" * 4_000 for number in range(100)})))
        for part in range(3)
    ]
    lines, _ = told(tmp_path, *much, frames.encode(frames.Lost(why="so that it is asked to open again")))
    assert any("asked to open again" in line for line in lines)


@pytest.mark.prove("fuzz-connector")
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(1_000, 1_010))
def test_that_twenty_thousand_mutated_frames_never_stall_the_window(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, seed: int, tell: Callable[[str], None]
) -> None:
    result = fuzzed(monkeypatch, tmp_path, list(frame_mutants.mutants(seed, 2_000)), timeout_s=1_800, shares=8)
    tell(f"\nseed {seed}: {result}")
    check(result)
    assert result.ticker.worst_s <= STALL_S


@pytest.mark.prove("fuzz-connector")
@pytest.mark.timeout(3600)
def test_that_a_flood_of_good_frames_never_stalls_the_window(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tell: Callable[[str], None]
) -> None:
    part, last = frame_mutants.parted_reply()
    kinds = [kind for kind in frame_mutants.good() if kind not in (part, frame_mutants.failed())]
    flood = [frame for kind in kinds for frame in [kind] * 2_000] + [part, last] * 1_000  # a reply has an end; nothing follows a failure
    result = fuzzed(monkeypatch, tmp_path, flood, timeout_s=300, shares=1, batch=len(flood))
    tell(f"\nflood: {result}")
    assert result.strange == []
    assert result.grown_bytes < GROWTH_BYTES
    assert result.ticker.worst_s <= STALL_S
