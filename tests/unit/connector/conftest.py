"""A real connector process with a scripted session, spoken to in bare frames."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from app.connector import frames
from app.connector.pipes import read_exactly
from app.drivers.base import EndpointConfig, Item, WatchItem
from app.model.columns import SampleColumns

ROOT = Path(__file__).parents[3]
COMMAND = [sys.executable, "-m", "tests.peers.sim_connector"]


class Child:
    """A connector at the end of two pipes."""

    def __init__(self, **environment: str) -> None:
        from app.connector.command import connector_environment

        pipe = subprocess.PIPE
        self.process = subprocess.Popen(COMMAND, cwd=ROOT, env=connector_environment() | environment, stdin=pipe, stdout=pipe, stderr=pipe)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._stdin, self._stdout = self.process.stdin, self.process.stdout

    def send(self, frame: frames.ToChild) -> None:
        self._stdin.write(frames.encode(frame))
        self._stdin.flush()

    def receive(self) -> tuple[frames.ToParent, SampleColumns | None]:
        prefix = read_exactly(self._stdout.fileno(), 8)
        assert prefix, "the connector closed its pipe"
        header, payload = frames.lengths(prefix)
        return frames.decode_to_parent(
            read_exactly(self._stdout.fileno(), header), read_exactly(self._stdout.fileno(), payload) if payload else b""
        )

    def until(self, kind: type[frames.Frame], where: Callable[[frames.ToParent], bool] = lambda _: True) -> frames.ToParent:
        while True:
            frame, _ = self.receive()
            if isinstance(frame, kind) and where(frame):
                return frame

    def open(self, **settings: bool | float | str) -> frames.ToParent:
        self.send(frames.Open(config=EndpointConfig(name="Sim", url="sim://x", settings=dict(settings)), timeout_s=1))
        while True:
            frame, _ = self.receive()
            if isinstance(frame, frames.Opened | frames.Failed):
                return frame

    def watch(self, handle: int, address: str) -> None:
        self.send(frames.Watch(add=(WatchItem(handle=handle, address=address),)))

    def do(self, what: str, token: int = 99) -> None:
        self.send(frames.Read(token=token, items=(Item(address=f"do:{what}"),)))

    def rss(self) -> int:
        return int(psutil.Process(self.process.pid).memory_info().rss)

    def close_stdin(self) -> None:
        self._stdin.close()

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe is not None:
                with suppress(BrokenPipeError):  # bytes that it never read
                    pipe.close()

    def ended_within(self, seconds: float) -> float:
        begun = time.monotonic()
        self.process.wait(seconds)
        return time.monotonic() - begun


@pytest.fixture
def start() -> Iterator[Callable[..., Child]]:
    """Starts connectors and leaves none behind."""
    children: list[Child] = []

    def begin(**environment: str) -> Child:
        children.append(Child(**environment))
        return children[-1]

    yield begin
    for child in children:
        child.end()


@pytest.fixture
def child(start: Callable[..., Child]) -> Child:
    return start()
