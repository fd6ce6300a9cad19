"""A real broker on a free port of 127.0.0.1, and a subscriber that collects what is published: mosquitto's own programs."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

import pytest

from tests.peers.server_process import free_port

PACKAGES = ("mosquitto", "mosquitto-clients")
PATHS = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))


class Delivered(NamedTuple):
    topic: str
    payload: Any  # Any: JSON as it came
    qos: int
    retain: bool
    at_s: float


def program(name: str) -> str:
    """Path of one of mosquitto's programs; installed first where that is possible (Debian, root), else the test is skipped."""
    found = shutil.which(name, path=PATHS)
    if found is None and hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "install", "-y", "--no-install-recommends", *PACKAGES], check=False, capture_output=True, timeout=300)
        found = shutil.which(name, path=PATHS)
    if found is None:
        pytest.skip(f"{name} is not installed and cannot be: apt-get install {' '.join(PACKAGES)}")
    return found


@contextmanager
def running(command: list[str], log: Path, *, cwd: Path, env: Mapping[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """A process for the time of a ``with`` block, its output in ``log``."""
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=cwd, env=env, stdout=out, stderr=subprocess.STDOUT)
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def broker(folder: Path) -> Iterator[int]:
    """Its port."""
    port = free_port()
    config = folder / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    with running([program("mosquitto"), "-c", str(config)], folder / "mosquitto.log", cwd=folder) as process:
        wait_until(lambda: _answers(port) or process.poll() is not None, 15, "the broker to listen")
        yield port


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Subscriber:
    """Everything that was published since it began, oldest first."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._messages: list[Delivered] = []
        self._thread = threading.Thread(target=self._read, args=(pipe,), daemon=True)
        self._thread.start()

    def _read(self, pipe: IO[bytes]) -> None:
        for line in pipe:
            found = json.loads(line)
            payload = json.loads(found["payload"])
            message = Delivered(found["topic"], payload, int(found["qos"]), bool(found["retain"]), time.monotonic())
            self._messages.append(message)

    def join(self) -> None:
        self._thread.join(5)

    @property
    def messages(self) -> list[Delivered]:
        return list(self._messages)

    def newest(self, topic: str) -> Delivered | None:
        return next((message for message in reversed(self.messages) if message.topic == topic), None)


@contextmanager
def subscriber(port: int) -> Iterator[Subscriber]:
    command = [program("mosquitto_sub"), "-h", "127.0.0.1", "-p", str(port), "-q", "2", "-t", "#", "-F", "%j"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    collected = Subscriber(process.stdout)
    try:
        yield collected
    finally:
        process.terminate()
        process.wait()
        collected.join()
        process.stdout.close()


def wait_until(done: Callable[[], object], timeout_s: float, what: str) -> None:
    deadline = time.monotonic() + timeout_s
    while not done():
        assert time.monotonic() < deadline, f"waited {timeout_s:g} s in vain for {what}"
        time.sleep(0.1)


def show(text: str) -> None:
    """For whoever reads the proof's output: what was counted, or a gateway's own log beside a failure."""
    sys.stdout.write(text + "\n")
