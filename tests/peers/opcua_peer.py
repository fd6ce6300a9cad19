"""The difficult OPC UA server as an object: started in its own process, and killed, stopped, restarted on the same port."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator

import psutil

LINE = "nsu=urn:peer:line%3B1;"
PLC = "nsu=urn:peer:plc;"
"""How the addresses of the peer's own two namespaces begin."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class OpcUaPeer:
    def __init__(self, *options: str) -> None:
        self.port = free_port()
        self.url = f"opc.tcp://127.0.0.1:{self.port}/peer"
        self._process: subprocess.Popen[str] | None = None
        self.start(*options)

    def start(self, *options: str) -> None:
        command = [sys.executable, "-m", "tests.peers.opcua_server", "--port", str(self.port), *options]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n", "the OPC UA peer did not start"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def send(self, command: str) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command}\n")
        self._process.stdin.flush()

    def freeze(self) -> None:
        assert self._process is not None
        psutil.Process(self._process.pid).suspend()

    def thaw(self) -> None:
        assert self._process is not None
        psutil.Process(self._process.pid).resume()

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


@contextlib.contextmanager
def opcua_peer(*options: str) -> Iterator[OpcUaPeer]:
    peer = OpcUaPeer(*options)
    try:
        yield peer
    finally:
        peer.kill()
