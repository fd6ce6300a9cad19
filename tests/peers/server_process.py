"""A server of the tests in a process of its own: started, told things, stopped, killed, started again on the same port."""

from __future__ import annotations

import socket
import subprocess
import sys

import psutil


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class ServerProcess:
    """``python -m MODULE --port PORT OPTION…`` that prints ``ready``, and takes commands, a line each. Not running yet.

    Attributes:
        port: Free when this was made; it stays the same.
    """

    def __init__(self, module: str, *options: str) -> None:
        self.port = free_port()
        self._module, self._options = module, options
        self._process: subprocess.Popen[str] | None = None

    def start(self, *options: str) -> None:
        """Start it with these options too; ``wait_ready`` says when it serves."""
        command = [sys.executable, "-m", self._module, "--port", str(self.port), *self._options, *options]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def wait_ready(self) -> None:
        assert self.heard() == "ready", f"{self._module} did not start"

    @property
    def pid(self) -> int:
        return self._running().pid

    def send(self, command: str) -> None:
        stdin = self._running().stdin
        assert stdin is not None
        stdin.write(f"{command}\n")
        stdin.flush()

    def tell(self, command: str) -> None:
        """Returns when it is done."""
        self.send(command)
        assert self.heard() == "ok"

    def heard(self) -> str:
        """The next line."""
        stdout = self._running().stdout
        assert stdout is not None
        return stdout.readline().strip()

    def freeze(self) -> None:
        psutil.Process(self.pid).suspend()

    def thaw(self) -> None:
        psutil.Process(self.pid).resume()

    def kill(self) -> None:
        """Safe twice."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _running(self) -> subprocess.Popen[str]:
        assert self._process is not None, f"{self._module} does not run"
        return self._process
