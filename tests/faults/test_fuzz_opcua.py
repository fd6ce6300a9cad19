"""Mutated OPC UA answers between a real server and real connectors: told in words, survived, and nothing shown under a wrong tag.

Without security a client cannot know a changed number from the server's own, so what is inside messages (``content``) may change what is
shown; what happens to messages as such (``form``) may not. Every value says whose it is.
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from app.drivers.base import Item
from app.edits import Editor
from app.model.plant import Endpoint, Group, Security, Tag
from app.model.project import Project, ProjectInfo
from app.model.values import Quality
from app.runtime.live import LiveProject
from app.runtime.patience import LinkLimits
from app.runtime.state import LogEntry
from tests.faults.ticking import Ticker
from tests.peers.opcua_certificates import certificate
from tests.peers.opcua_secure_peer import LONG, SPEED, SecurePeer, store_that_trusts
from tests.peers.telltale import owner, read
from tests.peers.telltale_peer import TelltalePeer
from widgets.reading_text import value_text

STALL_S = 0.1
MEMORY_BYTES = 1024 * 2**20
SPACES = (("urn:telltale:line%3B1", 1), ("urn:telltale:plc", 2))
NUMBERS = range(6)
LIMITS = LinkLimits(back_off_s=(0.05,), polite_s=0.05, open_timeout_s=40.0)
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
    owners: dict[str, object]
    ticker: Ticker = field(default_factory=Ticker)
    wrong: list[str] = field(default_factory=list)
    logs: list[LogEntry] = field(default_factory=list)
    good: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    memory_bytes: int = 0
    again: int = 0
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
            if sample.value != code and whose(sample.value) != code:
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

    def missing(self) -> list[str]:
        """Tags without a good value of now."""
        readings = {tag: self.live.reading(tag) for tag in self.owners}
        return [
            tag for tag, one in readings.items() if one.stale or one.sample is None or one.sample.quality is not Quality.GOOD
        ]  # fmt: skip

    def recover(self, by_itself_s: float = 20.0, timeout_s: float = 100.0) -> None:
        """Everything honest again: all values come, under their own tags.

        What a mutant told us a server refuses stays refused until somebody connects again; the tag says so.
        """
        for mutator in self.mutators:
            mutator.tell("honest")
        self.wrong.clear()

        def tick() -> bool:
            if self.ticker.ticks % 3 == 0:
                self.look()
            return self.ticker.ticks % 3 == 0 and not self.missing()

        if not self.ticker.run(tick, by_itself_s):
            told = {tag: self.live.reading(tag).problem for tag in self.missing()}
            assert all(told.values()), f"neither a value nor a reason: {told}"
            for endpoint in {tag.partition("-")[0] for tag in told}:
                self.live.disconnect(endpoint)
                self.live.connect(endpoint)
                self.again += 1
            assert self.ticker.run(tick, timeout_s), f"it never recovered: {told}, {self}"
        if self.wrong:  # what was shown when honesty began may still have been of before
            self.wrong.clear()
            self.ticker.run(self._looked, 1.0)
        assert self.wrong == []

    def _looked(self) -> bool:
        self.look()
        return False

    def leaks(self) -> list[str]:
        """Of the log, what tells of an error nobody thought of: each with the lines around it."""
        texts = [entry.text for entry in self.logs]
        found = [place for place, text in enumerate(texts) if "Traceback" in text or "the driver failed" in text]
        return ["\n".join(texts[max(place - 3, 0) : place + 40]) for place in found[:3]]

    def __str__(self) -> str:
        lost = sum(1 for entry in self.logs if entry.level == "WARNING")
        return (
            f"{self.sent()} mutants, {self.good} good readings, {len(self.wrong)} of another, answers {dict(self.answers)}, "
            f"{lost} warnings, {self.again} connected again by hand, connector memory at most {self.memory_bytes / 2**20:.0f} MB, "
            f"worst gap {self.ticker.worst_s * 1000:.0f} ms (raw {self.ticker.worst_raw_s * 1000:.0f} ms) of {self.ticker.ticks} ticks"
        )


def whose(value: object) -> int | None:
    return read(value).owner if isinstance(value, int | float) and abs(value) < 2**60 else None


@contextmanager
def fuzzing(endpoints: int) -> Iterator[Run]:
    """At two servers: what mutants make of a connection is mostly waiting."""
    peers = [TelltalePeer("opcua", 1), TelltalePeer("opcua", 2)]
    try:
        for peer in peers:
            peer.start()
        for peer in peers:
            peer.wait_ready()
        ports = [peers[place % 2].port for place in range(endpoints)]
        with mutated(ports) as mutators, connected(*project([one.port for one in mutators]), mutators) as run:
            yield run
    finally:
        for peer in peers:
            peer.kill()


@contextmanager
def fuzzing_secured(folder: Path) -> Iterator[Run]:
    """At a server with signed and encrypted messages."""
    made = certificate(folder, "Secure peer")
    store = store_that_trusts(folder / "pki", made.der)
    store.own()
    peer = SecurePeer(made)
    try:
        with mutated([peer.port] * 2) as mutators:
            live, owners = secured_project([one.port for one in mutators], str(store.folder))
            with connected(live, owners, mutators) as run:
                yield run
    finally:
        peer.kill()


@contextmanager
def mutated(ports: list[int]) -> Iterator[list[Mutator]]:
    mutators: list[Mutator] = []
    try:
        mutators.extend(Mutator(port) for port in ports)
        yield mutators
    finally:
        for mutator in mutators:
            mutator.end()


@contextmanager
def connected(live: LiveProject, owners: dict[str, object], mutators: list[Mutator]) -> Iterator[Run]:
    run = Run(live, mutators, owners)
    try:
        live.want("table", list(owners))
        live.connect_all()
        run.recover(by_itself_s=100.0)  # a busy machine takes long to start so many
        yield run
    finally:
        live.close()
        for entry in run.logs[-20:]:
            sys.stdout.write(f"{entry.level} {entry.source}: {entry.text}\n")


def project(ports: list[int]) -> tuple[LiveProject, dict[str, object]]:
    elements: list[Endpoint | Tag | Group] = [Group(id="fast", name="fast", interval_ms=100)]
    owners: dict[str, object] = {}
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
                owners[tag.id] = owner(1 + place % 2, space, number)
    return LiveProject(Editor(Project(ProjectInfo(id="p", name="P"), elements)), limits=LIMITS), owners


def secured_project(ports: list[int], pki: str) -> tuple[LiveProject, dict[str, object]]:
    elements: list[Endpoint | Tag] = []
    owners: dict[str, object] = {}
    for place, port in enumerate(ports):
        name = f"e{place}"
        elements.append(
            Endpoint(
                id=name, name=name, addresses={"default": f"opc.tcp://127.0.0.1:{port}/peer"}, settings={"timeout_s": 2.0},
                security=Security(policy="Basic256Sha256", mode="SignAndEncrypt"),
            )
        )  # fmt: skip
        for address, value in ((SPEED, 103.0), (LONG, "x" * 150_000)):
            elements.append(Tag(id=f"{name}-{address}", endpoint=name, address=address, name=address[-5:]))
            owners[elements[-1].id] = value
    return LiveProject(Editor(Project(ProjectInfo(id="p", name="P"), elements)), pki=pki, limits=LIMITS), owners


def test_that_mutated_answers_end_in_words_and_the_honest_server_is_shown_again() -> None:
    with fuzzing(2) as run:
        run.fuzz(4, 0.15, "form", 30, 60)
        assert run.wrong == []
        run.fuzz(8, 0.25, "all", 120, 90)
        run.recover()
        assert run.leaks() == []
        assert run.memory_bytes < MEMORY_BYTES


@pytest.mark.prove("fuzz-opcua")
@pytest.mark.timeout(7200)
@pytest.mark.parametrize(("ways", "count"), [("form", 2_000), ("all", 18_000)])
def test_that_twenty_thousand_mutated_answers_never_stall_the_window(ways: str, count: int, tell: Callable[[str], None]) -> None:
    leaks: list[str] = []
    with fuzzing(6) as run:
        for seed in range(0, count, 1_000):
            run.fuzz(100 + seed, 0.15 if ways == "form" else 0.25, ways, 1_000, 900)
            tell(f"\n{ways} {100 + seed}: {run}")
            if ways == "form":
                assert run.wrong == []
            run.recover()
            for leak in run.leaks():
                tell(f"\nA LEAK\n{leak}")
                leaks.append(leak)
            run.logs.clear()
        assert leaks == []
        assert run.memory_bytes < MEMORY_BYTES
        assert run.ticker.worst_s <= STALL_S


@pytest.mark.prove("fuzz-opcua")
@pytest.mark.timeout(3600)
def test_that_nothing_of_a_mutated_answer_passes_where_messages_are_signed_and_encrypted(
    tmp_path: Path, tell: Callable[[str], None]
) -> None:
    with fuzzing_secured(tmp_path) as run:
        run.fuzz(1, 0.15, "all", 300, 600)
        tell(f"\nsigned and encrypted: {run}")
        assert run.wrong == []
        run.recover()
        assert run.leaks() == []
        assert run.memory_bytes < MEMORY_BYTES
        assert run.ticker.worst_s <= STALL_S
