"""Mutated OPC UA answers between a real server and real connectors: told in words, survived, and nothing shown under a wrong tag.

Without security a client cannot know a changed number from the server's own, so what is inside messages (``content``) may change what is
shown; what happens to messages as such (``form``) may not. Every value says whose it is.
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from app.drivers.base import Item
from app.edits import Editor
from app.model.plant import Endpoint, Group, Tag
from app.model.project import Project, ProjectInfo
from app.model.values import Quality
from app.runtime.live import LiveProject
from app.runtime.patience import LinkLimits
from app.runtime.state import LogEntry
from tests.faults.ticking import Ticker
from tests.peers.telltale import owner, read
from tests.peers.telltale_peer import TelltalePeer
from widgets.reading_text import value_text

STALL_S = 0.1
MEMORY_BYTES = 1024 * 2**20
SPACES = (("urn:telltale:line%3B1", 1), ("urn:telltale:plc", 2))
NUMBERS = range(6)
ASKED = 6  # questions under way at each endpoint


class Mutator:
    """``tests.peers.opcua_mutator`` as an object."""

    def __init__(self, target: int) -> None:
        command = [sys.executable, "-m", "tests.peers.opcua_mutator", str(target)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = self._heard()

    def tell(self, command: str) -> int:
        """How many mutants have gone out."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command}\n")
        self._process.stdin.flush()
        return self._heard()

    def _heard(self) -> int:
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


@dataclass
class Run:
    """One project at several servers, each behind a mutator, and what was seen of it."""

    live: LiveProject
    mutators: list[Mutator]
    owners: dict[str, int]
    ticker: Ticker = field(default_factory=Ticker)
    wrong: list[str] = field(default_factory=list)
    logs: list[LogEntry] = field(default_factory=list)
    good: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    memory_bytes: int = 0
    asked: dict[int, str] = field(default_factory=dict)

    def look(self) -> None:
        arrived = self.live.pump()
        self.logs += arrived.logs
        for reply in arrived.replies:
            self.asked.pop(reply.token, None)
            self.answers[type(reply.result).__name__] += 1
        for tag, code in self.owners.items():
            reading = self.live.reading(tag)
            value_text(reading)
            sample = reading.sample
            if sample is None or reading.stale or sample.quality is not Quality.GOOD:
                continue
            self.good += 1
            shown = read(sample.value).owner if isinstance(sample.value, int | float) and abs(sample.value) < 2**60 else sample.value
            if shown != code:
                self.wrong.append(f"{tag}: {sample.value!r}")
        for endpoint in self.live.project.all(Endpoint):
            self.memory_bytes = max(self.memory_bytes, self.live.state(endpoint).memory_bytes)
            self._ask(endpoint)

    def _ask(self, endpoint: str) -> None:
        """Questions of every kind, so that there are answers of every kind."""
        state = self.live.state(endpoint)
        if state.phase == "stopped":
            self.live.connect(endpoint)
        if state.phase != "connected":
            return
        for number in range(ASKED - sum(1 for of in self.asked.values() if of == endpoint)):
            addresses = [tag.address for tag in self.live.project.all(Tag).values() if tag.endpoint == endpoint]
            match (self.ticker.ticks + number) % 8:
                case 0:
                    token = self.live.browse(endpoint, [""])
                case 1:
                    token = self.live.details(endpoint, addresses[:3])
                case 2:
                    token = self.live.crawl(endpoint, "", 60)
                case _:
                    token = self.live.read(endpoint, [Item(address=address) for address in addresses])
            self.asked[token] = endpoint

    def sent(self) -> int:
        return sum(mutator.tell("count") for mutator in self.mutators)

    def fuzz(self, seed: int, share: float, ways: str, count: int, timeout_s: float) -> None:
        """Until so many more mutants have gone out."""
        goal = self.sent() + count
        for place, mutator in enumerate(self.mutators):
            mutator.tell(f"mutate {seed + place} {share} {ways}")

        def tick() -> bool:
            if self.ticker.ticks % 3 == 0:
                self.look()
            return self.ticker.ticks % 30 == 0 and self.sent() >= goal

        assert self.ticker.run(tick, timeout_s), f"{goal - self.sent()} of {count} mutants never came: {self}"

    def recover(self, timeout_s: float = 100.0) -> None:
        """Everything honest again: all values come, under their own tags."""
        for mutator in self.mutators:
            mutator.tell("honest")
        self.wrong.clear()

        def tick() -> bool:
            if self.ticker.ticks % 3 == 0:
                self.look()
            readings = [self.live.reading(tag) for tag in self.owners]
            return all(not one.stale and one.sample is not None and one.sample.quality is Quality.GOOD for one in readings)

        assert self.ticker.run(tick, timeout_s), f"it never recovered: {self}"
        if self.wrong:  # what was shown when honesty began may still have been of before
            self.wrong.clear()
            self.ticker.run(self._looked, 1.0)
        assert self.wrong == []

    def _looked(self) -> bool:
        self.look()
        return False

    def leaks(self) -> list[str]:
        """Lines of the log that tell of an error nobody thought of."""
        return [entry.text for entry in self.logs if "Traceback" in entry.text or "the driver failed" in entry.text]

    def __str__(self) -> str:
        lost = sum(1 for entry in self.logs if entry.level == "WARNING")
        return (
            f"{self.sent()} mutants, {self.good} good readings, {len(self.wrong)} of another, answers {dict(self.answers)}, "
            f"{lost} warnings, connector memory at most {self.memory_bytes / 2**20:.0f} MB, worst gap {self.ticker.worst_s * 1000:.0f} ms "
            f"(raw {self.ticker.worst_raw_s * 1000:.0f} ms) of {self.ticker.ticks} ticks"
        )


@contextmanager
def fuzzing(endpoints: int) -> Iterator[Run]:
    peers = [TelltalePeer("opcua", 1 + place) for place in range(endpoints)]
    mutators: list[Mutator] = []
    live: LiveProject | None = None
    run: Run | None = None
    try:
        for peer in peers:
            peer.start()
        for peer in peers:
            peer.wait_ready()
            mutators.append(Mutator(peer.port))
        live, owners = project([mutator.port for mutator in mutators])
        run = Run(live, mutators, owners)
        live.want("table", list(owners))
        live.connect_all()
        run.recover()
        yield run
    finally:
        if live is not None:
            live.close()
            for entry in [] if run is None else run.logs[-20:]:
                sys.stdout.write(f"{entry.level} {entry.source}: {entry.text}\n")
        for mutator in mutators:
            mutator.end()
        for peer in peers:
            peer.kill()


def project(ports: list[int]) -> tuple[LiveProject, dict[str, int]]:
    elements: list[Endpoint | Tag | Group] = [Group(id="fast", name="fast", interval_ms=100)]
    owners = {}
    for place, port in enumerate(ports):
        name = f"e{place}"
        address = f"opc.tcp://127.0.0.1:{port}/"
        elements.append(Endpoint(id=name, name=name, addresses={"default": address}, settings={"timeout_s": 2.0}))
        for uri, space in SPACES:
            for number in NUMBERS:
                tag = Tag(
                    id=f"{name}-{space}-{number}", endpoint=name, address=f"nsu={uri};i={1000 + number}", name=f"{space}/{number}",
                    group="fast",
                )  # fmt: skip
                elements.append(tag)
                owners[tag.id] = owner(1 + place, space, number)
    live = LiveProject(Editor(Project(ProjectInfo(id="p", name="P"), elements)), limits=LinkLimits(back_off_s=(0.05,), open_timeout_s=40.0))
    return live, owners


def test_that_mutated_answers_end_in_words_and_the_honest_server_is_shown_again() -> None:
    with fuzzing(2) as run:
        run.fuzz(4, 0.15, "form", 60, 60)
        assert run.wrong == []
        run.fuzz(8, 0.25, "all", 240, 90)
        run.recover()
        assert run.leaks() == []
        assert run.memory_bytes < MEMORY_BYTES


@pytest.mark.prove("fuzz-opcua")
@pytest.mark.timeout(7200)
@pytest.mark.parametrize(("ways", "count"), [("form", 4_000), ("all", 16_000)])
def test_that_twenty_thousand_mutated_answers_never_stall_the_window(ways: str, count: int, capsys: pytest.CaptureFixture[str]) -> None:
    with fuzzing(4) as run:
        for seed in range(0, count, 1_000):
            run.fuzz(100 + seed, 0.15 if ways == "form" else 0.25, ways, 1_000, 900)
            with capsys.disabled():
                sys.stdout.write(f"\n{ways} {100 + seed}: {run}\n")
            if ways == "form":
                assert run.wrong == []
            run.recover()
            assert run.leaks() == []
        assert run.memory_bytes < MEMORY_BYTES
        assert run.ticker.worst_s <= STALL_S
