"""A telltale server as an object: started in its own process, told what to do, stopped, killed, started again on the same port."""

from __future__ import annotations

import subprocess
import sys
from typing import Literal

import psutil

from tests.peers.opcua_peer import free_port

Protocol = Literal["opcua", "modbus"]


class TelltalePeer:
    """``number`` is what its values name it by. Not running yet."""

    def __init__(self, protocol: Protocol, number: int, *options: str) -> None:
        self.number, self.port = number, free_port()
        self._module, self._options = f"tests.peers.telltale_{protocol}", options
        self._process: subprocess.Popen[str] | None = None

    def start(self, *options: str) -> None:
        """Start it; ``wait_ready`` says when it serves."""
        arguments = ["--port", str(self.port), "--server", str(self.number), *self._options, *options]
        command = [sys.executable, "-m", self._module, *arguments]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def wait_ready(self) -> None:
        assert self._heard() == "ready", f"{self._module} did not start"

    def tell(self, command: str) -> None:
        """Returns when it is done."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command}\n")
        self._process.stdin.flush()
        assert self._heard() == "ok"

    def freeze(self) -> None:
        self._running().suspend()

    def thaw(self) -> None:
        self._running().resume()

    def kill(self) -> None:
        """Safe twice."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _running(self) -> psutil.Process:
        assert self._process is not None
        return psutil.Process(self._process.pid)

    def _heard(self) -> str:
        assert self._process is not None
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()
