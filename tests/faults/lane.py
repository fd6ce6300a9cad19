"""One endpoint under faults: two servers, a link that fails on command, the real stack, and the judge."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Final, Literal

import psutil

from app.edits import Editor
from app.model.element import Element
from app.model.plant import Endpoint, Group, Identity, Security, Tag
from app.model.project import Project, ProjectInfo
from app.runtime.live import LiveProject
from app.runtime.patience import SETTLE_S, LinkLimits
from app.runtime.state import LogEntry
from tests.faults.clock import ShiftedClock
from tests.faults.judge import Judge
from tests.peers import telltale_modbus, telltale_opcua
from tests.peers.fault_proxy import FaultProxy
from tests.peers.opcua_certificates import Made, certificate
from tests.peers.opcua_secure_peer import store_that_trusts
from tests.peers.telltale import owner
from tests.peers.telltale_peer import TelltalePeer

Kind = Literal["opcua", "secure", "modbus"]
ENDPOINT: Final = "e"
LOOK_S: Final = 0.02
FRESH_S: Final = 1.0
"""A tag is back when its value was made after the link was, and is no older than this."""
GIVE_UP_S: Final = 25.0
BEGIN_S: Final = 120.0
"""When all lanes start their processes at once."""
CALM_S: Final = 0.5
"""After an outage is over in the log as well, before the next fault."""
_SPACES: Final = list(telltale_opcua.SPACES)


class Lane:
    """Used by one thread. ``expected`` are the tags whose variable exists now; the others must not show a value."""

    def __init__(self, kind: Kind, folder: Path, settle_s: float = SETTLE_S, number: int = 1) -> None:
        self.kind: Kind = kind
        self.calm_s = settle_s + CALM_S
        self.clock = ShiftedClock()
        protocol: Literal["opcua", "modbus"] = "modbus" if kind == "modbus" else "opcua"
        numbers = (number, number + 1)
        made = [certificate(folder, f"server {one}", uri=f"urn:telltale:server:{one}") for one in numbers if kind == "secure"]
        self.home, self.other = (TelltalePeer(protocol, one, *_options(made, place)) for place, one in enumerate(numbers))
        self.home.start()
        self.other.start()
        self.home.wait_ready()
        self.other.wait_ready()
        self.link = FaultProxy(self.home.port)
        self.swapped = False
        owners = dict(_owners(kind, number))
        self.expected = set(owners)
        project = Project(ProjectInfo(id="p", name="P"), _elements(kind, number, self.link.port))
        pki = str(store_that_trusts(folder / "pki", *(one.der for one in made)).folder) if made else ""
        self.live = LiveProject(Editor(project), clock=self.clock, pki=pki, limits=LinkLimits(settle_s=settle_s))
        self.judge = Judge(self.live, self.link, owners)
        self.live.on_samples = self.judge.on_samples
        self.logs: list[LogEntry] = []

    def begin(self) -> None:
        self.live.connect(ENDPOINT)
        self.live.want("judge", self.judge_tags)
        self.until(self.is_back, "it never connected", BEGIN_S)

    @property
    def judge_tags(self) -> list[str]:
        return list(self.live.project.all(Tag))

    def look(self) -> None:
        self.logs += self.live.pump().logs
        self.judge.look()

    def run(self, seconds: float) -> None:
        """Let time pass, and look all the while."""
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            self.look()
            time.sleep(LOOK_S)

    def until(self, condition: Callable[[], object], otherwise: str, timeout_s: float = GIVE_UP_S) -> None:
        deadline_s = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < deadline_s, f"{self.kind}: {otherwise}; {self.words()}"
            self.look()
            time.sleep(LOOK_S)

    def is_back(self, since_ms: int = 0) -> bool:
        """Whether every tag whose variable exists shows a value of now."""
        return not self.missing(since_ms)

    def missing(self, since_ms: int = 0) -> list[str]:
        values = {tag: self.judge.live_value(tag) for tag in self.expected}
        allowed_s = FRESH_S + 2 * self.judge.held_s
        return sorted(tag for tag, value in values.items() if value is None or value.made_ms < since_ms or value.age_s > allowed_s)

    def words(self) -> str:
        state = self.live.state(ENDPOINT)
        missing = {tag: self.live.reading(tag).problem for tag in self.missing()[:3]}
        return f"{state.phase}, why {state.why}, missing {missing}, the last of the log: {[entry.text for entry in self.logs[-6:]]}"

    def connector(self) -> psutil.Process | None:
        """The process, which nobody but a test has to know; None while there is none."""
        link = self.live._connections.endpoints[ENDPOINT].link
        process = link._process if link is not None else None
        return psutil.Process(process.pid) if process is not None else None

    def restart(self, *options: str) -> None:
        """Another start of the server of this project; what its address space is like then is in the options."""
        self.home.kill()
        self.home.start(*options)
        self._until_ready()

    def _until_ready(self) -> None:
        """The lane goes on looking meanwhile."""
        waiting = Thread(target=self.home.wait_ready)
        waiting.start()
        while waiting.is_alive():
            self.look()
            time.sleep(LOOK_S)

    def end(self) -> None:
        self.live.close()
        self.link.close()
        for server in (self.home, self.other):
            server.kill()


@contextmanager
def lane(kind: Kind, folder: Path, settle_s: float = SETTLE_S) -> Iterator[Lane]:
    folder.mkdir(parents=True, exist_ok=True)
    made = Lane(kind, folder, settle_s)
    try:
        made.begin()
        yield made
    finally:
        made.end()


def _options(made: list[Made], place: int) -> tuple[str, ...]:
    return ("--certificate", made[place].paths[0], "--key", made[place].paths[1]) if made else ()


def _owners(kind: Kind, server: int) -> Iterator[tuple[str, int]]:
    if kind == "modbus":
        for unit in telltale_modbus.UNITS:
            for place in telltale_modbus.PLACES:
                yield f"{unit}/{place}", owner(server, unit, place)
        return
    for space, name in enumerate(_SPACES, 1):
        for number in telltale_opcua.NUMBERS:
            yield f"{name}/{number}", owner(server, space, number)


def _elements(kind: Kind, server: int, port: int) -> list[Element]:
    tags = [_modbus_tag(name) if kind == "modbus" else _opcua_tag(name) for name, _ in _owners(kind, server)]
    if kind == "modbus":
        identity = Identity(register="holding:0:uint16", value=str(server))
        url = f"modbus://127.0.0.1:{port}"
    else:
        identity = Identity(application_uri=f"urn:telltale:server:{server}")
        url = f"opc.tcp://127.0.0.1:{port}/peer"
    security = Security(policy="Basic256Sha256", mode="SignAndEncrypt") if kind == "secure" else Security()
    settings: dict[str, bool | int | float | str] = {} if kind == "modbus" else {"publishing_interval_ms": 100}
    endpoint = Endpoint(id=ENDPOINT, name=kind, addresses={"default": url}, identity=identity, security=security, settings=settings)
    deep = Group(id="deep", name="deep", interval_ms=100, queue_size=200)
    shallow = Group(id="shallow", name="shallow", interval_ms=100, queue_size=3)
    return [endpoint, deep, shallow, *tags]


def _opcua_tag(name: str) -> Tag:
    space, _, number = name.partition("/")
    uri = telltale_opcua.SPACES[space].replace("%", "%25").replace(";", "%3B")
    even = int(number) % 2 == 0
    return Tag(
        id=name,
        endpoint=ENDPOINT,
        address=f"nsu={uri};i={1000 + int(number)}",
        name=name,
        group="deep" if int(number) < 3 else "shallow",
        type="float64" if even else "int64",
        path=f"{space}/V{number}",
    )


def _modbus_tag(name: str) -> Tag:
    unit, _, place = name.partition("/")
    return Tag(id=name, endpoint=ENDPOINT, address=f"{unit}/holding:{4 * int(place)}:uint64", name=name, group="deep")
