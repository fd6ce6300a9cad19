"""What a soak runs on: ten thousand tags at one sample a second, of two OPC UA servers and a Modbus device, behind links that fail."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from app.edits import Editor
from app.model.element import Element
from app.model.plant import Endpoint, Group, Tag
from app.model.project import Project, ProjectInfo
from app.runtime.live import LiveProject
from app.runtime.state import LogEntry
from tests.peers.fault_proxy import FaultProxy
from tests.peers.server_process import ServerProcess

OPCUA_TAGS: Final = 4_000
"""Of each of two servers, of all types the publisher has."""
MODBUS_TAGS: Final = 2_000
UNITS: Final = 3
LOOK_S: Final = 0.05
"""As the window does."""


class Server(ServerProcess):
    """One of the plant's. Running already."""

    def __init__(self, module: str, *options: str) -> None:
        super().__init__(module, *options)
        self.start()

    def start(self, *options: str) -> None:
        super().start(*options)
        self.wait_ready()

    def go(self) -> None:
        """A publisher publishes on the connections it has now; the Modbus device does not listen."""
        if self._process is not None:
            self.send("go")


@dataclass
class SoakPlant:
    """``values`` have come so far. ``endpoints`` by id: server and link."""

    live: LiveProject
    endpoints: dict[str, tuple[Server, FaultProxy]]
    values: int = 0
    logs: list[LogEntry] = field(default_factory=list)
    _told_s: float = 0.0

    def look(self) -> None:
        now_s = time.monotonic()
        if now_s - self._told_s > 0.5:
            self._told_s = now_s
            for server, _ in self.endpoints.values():
                server.go()
        self.logs += self.live.pump().logs
        time.sleep(LOOK_S)

    def run(self, seconds: float) -> None:
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            self.look()

    def until(self, condition: Callable[[], object], timeout_s: float) -> float:
        """Seconds it took; infinite when it did not come."""
        begun_s = time.monotonic()
        while not condition():
            if time.monotonic() - begun_s > timeout_s:
                return float("inf")
            self.look()
        return time.monotonic() - begun_s

    def missing(self, endpoint: str, every: int = 40) -> list[str]:
        """Of each so many tags, those without a sample of the last two seconds."""
        tags = [tag.id for tag in self.live.project.all(Tag).values() if tag.endpoint == endpoint][::every]
        readings = {tag: self.live.reading(tag) for tag in tags}
        return [tag for tag, reading in readings.items() if reading.stale or reading.problem or reading.age_s > 2]

    def connectors(self) -> dict[str, int]:
        """Endpoint → process id."""
        found = {}
        for endpoint in self.endpoints:
            link = self.live._connections.endpoints[endpoint].link
            process = link._process if link is not None else None
            if process is not None:
                found[endpoint] = process.pid
        return found

    def fill_history(self) -> None:
        """Write to every page of what is kept: its size is fixed, but the system gives memory only when it is written to, and with one
        sample a second that takes days, in which everything would seem to grow."""
        for block in self.live.history._blocks:
            for array in (block._ring, block.levels._tables):
                array.reshape(-1)[::512] |= 0


def project_of(endpoints: dict[str, tuple[Server, FaultProxy]]) -> Project:
    elements: list[Element] = [Group(id="slow", name="slow", interval_ms=1000)]
    for id_, (_, link) in endpoints.items():
        if id_ == "modbus":
            url = f"modbus://127.0.0.1:{link.port}"
            addresses = [f"{1 + number % UNITS}/holding:{4 + 4 * (number // UNITS)}:uint64" for number in range(MODBUS_TAGS)]
            settings: dict[str, bool | int | float | str] = {}
        else:
            url = f"opc.tcp://127.0.0.1:{link.port}/publisher"
            addresses = [f"nsu=urn:peer:publisher;i={1 + number % 5}" for number in range(OPCUA_TAGS)]
            settings = {"publishing_interval_ms": 1000}
        elements.append(Endpoint(id=id_, name=id_, addresses={"default": url}, settings=settings))
        elements += [
            Tag(id=f"{id_}/{number}", endpoint=id_, address=address, name=f"{id_}/{number}", group="slow")
            for number, address in enumerate(addresses)
        ]
    return Project(ProjectInfo(id="p", name="Soak"), elements)


@contextmanager
def soak_plant() -> Iterator[SoakPlant]:
    servers = {
        "opcua-1": Server("tests.peers.opcua_publisher", "--interval-ms", "1000"),
        "opcua-2": Server("tests.peers.opcua_publisher", "--interval-ms", "1000"),
        "modbus": Server("tests.peers.telltale_modbus", "--server", "1", "--places", str(MODBUS_TAGS // UNITS + 1)),
    }
    endpoints = {id_: (server, FaultProxy(server.port)) for id_, server in servers.items()}
    live = LiveProject(Editor(project_of(endpoints)))
    plant = SoakPlant(live, endpoints)

    def count(_: object, columns: object) -> None:
        plant.values += len(columns)  # type: ignore[arg-type]  # whatever the batch is made of, it has a length

    live.on_samples = count
    try:
        yield plant
    finally:
        live.close()
        for server, link in endpoints.values():
            link.close()
            server.kill()
