"""LiveProject over real connector processes with scripted sessions."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import psutil
import pytest

from app.drivers.base import Item, SettingField
from app.edits import Editor
from app.errors import UserError
from app.model.element import Element
from app.model.plant import Endpoint, Tag
from app.model.project import Project, ProjectInfo
from app.runtime.clock import SYSTEM_CLOCK, Clock
from app.runtime.live import LiveProject
from app.runtime.patience import LinkLimits
from app.runtime.state import Arrivals, LogEntry

COMMAND = [sys.executable, "-m", "tests.peers.sim_connector"]


def connectors() -> list[psutil.Process]:
    """Connector processes that this test run has left; other children (the plant of the gui tests) are none of ours."""
    found = []
    for child in psutil.Process().children():
        try:
            if COMMAND[-1] in child.cmdline():
                found.append(child)
        except psutil.NoSuchProcess:
            continue
    return found


FAST = LinkLimits(back_off_s=(0.1, 0.2), polite_s=0.2, settle_s=0.2, open_timeout_s=2.0)


@dataclass
class SimSpec:
    key: str = "sim"
    title: str = "Sim"
    schemes: tuple[str, ...] = ("sim",)
    default_port: int = 1
    settings: tuple[SettingField, ...] = ()
    source_times: bool = True
    polls: bool = False

    def parse_url(self, text: str) -> str:
        if not text.startswith("sim:"):
            raise UserError("Not an address", where=text, why="it does not begin with sim:", fix="Write sim://x")
        return text

    def parse_address(self, text: str, **_: object) -> str:
        return text

    def type_of(self, address: str) -> str:
        return ""

    def status_text(self, status: int) -> str:
        return f"Bad (0x{status:08X})"

    def short_address(self, address: str) -> str:
        return address

    def describe(self, address: str) -> dict[str, str]:
        return {}


@dataclass
class Bench:
    """A live project with its seen log, and waits that pump."""

    live: LiveProject
    logs: list[LogEntry] = field(default_factory=list)
    dropped: int = 0

    def pump(self) -> Arrivals:
        arrived = self.live.pump()
        self.logs += arrived.logs
        self.dropped += arrived.dropped
        return arrived

    def until(self, condition: Callable[[], object], timeout_s: float = 10.0) -> float:
        """Pump until it holds; how long it took."""
        begun = time.monotonic()
        while not condition():
            assert time.monotonic() - begun < timeout_s, "it never became so"
            time.sleep(0.01)
            self.pump()
        return time.monotonic() - begun

    def connect(self, endpoint: str = "e") -> int:
        """Connect; the connector's process id."""
        self.live.connect(endpoint)
        self.until(lambda: self.live.state(endpoint).phase == "connected")
        return self.pid(endpoint)

    def pid(self, endpoint: str = "e") -> int:
        report = self.live.state(endpoint).report
        assert report is not None
        return int(report.product.split()[0])

    def value(self, tag: str) -> object:
        sample = self.live.reading(tag).sample
        return sample.value if sample is not None else None

    def is_live(self, tag: str) -> bool:
        reading = self.live.reading(tag)
        return reading.sample is not None and not reading.stale

    def do(self, what: str, endpoint: str = "e") -> int:
        return self.live.read(endpoint, [Item(address=f"do:{what}")])


def tag(id_: str, address: str, endpoint: str = "e", **fields: object) -> Tag:
    return Tag(id=id_, endpoint=endpoint, address=address, name=id_, **fields)  # type: ignore[arg-type]  # what the test gives


def endpoint(id_: str = "e", url: str = "sim://x", **fields: object) -> Endpoint:
    return Endpoint(id=id_, name=id_.upper(), addresses={"default": url}, **fields)  # type: ignore[arg-type]  # what the test gives


@pytest.fixture
def bench() -> Iterator[Callable[..., Bench]]:
    """Makes benches: ``bench(*elements, polls=…, clock=…)``."""
    made: list[Bench] = []

    def make(*elements: Element, polls: bool = False, clock: Clock = SYSTEM_CLOCK, limits: LinkLimits = FAST, **options: object) -> Bench:
        editor = Editor(Project(ProjectInfo(id="p", name="P"), elements))
        live = LiveProject(
            editor,
            command=COMMAND,
            find_spec=lambda _: SimSpec(polls=polls),
            clock=clock,
            limits=limits,
            **options,  # type: ignore[arg-type]  # what the test gives
        )
        made.append(Bench(live))
        return made[-1]

    yield make
    for one in made:
        one.live.close()
