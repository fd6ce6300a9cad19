"""The real command line as a process, as a person starts it in a folder of his own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from app.processes import module_command, module_environment

TIMEOUT_S = 60


class Done(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:  # Any: JSON
        return [json.loads(line) for line in self.out.splitlines()]


def environment() -> dict[str, str]:
    """Without a display, whatever the machine has."""
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    return {name: value for name, value in module_environment().items() if name not in hidden}


def tagloom(*arguments: str | Path, cwd: Path, stdin: bytes = b"", timeout_s: float = TIMEOUT_S) -> Done:
    """Run one command to its end. No traceback may ever be seen."""
    command = module_command("app.commands", [str(argument) for argument in arguments])
    done = subprocess.run(command, cwd=cwd, env=environment(), input=stdin, capture_output=True, timeout=timeout_s, check=False)
    found = Done(done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8"))
    assert "Traceback" not in found.err, found.err
    return found


class Running:
    """A command that goes on by itself; its output goes to a file that can be looked at meanwhile."""

    def __init__(self, *arguments: str | Path, cwd: Path) -> None:
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # started in the background by a shell: children would never see Ctrl+C
            signal.signal(signal.SIGINT, signal.default_int_handler)
        self._out, self._err = (cwd / "out.txt").open("wb"), (cwd / "err.txt").open("wb")
        self.process: subprocess.Popen[bytes] = subprocess.Popen(
            module_command("app.commands", [str(argument) for argument in arguments]),
            cwd=cwd, env=environment(), stdin=subprocess.DEVNULL, stdout=self._out, stderr=self._err,
            start_new_session=os.name != "nt",
        )  # fmt: skip
        self._cwd = cwd

    @property
    def lines(self) -> list[dict[str, Any]]:  # Any: JSON
        """Whole lines so far."""
        text = (self._cwd / "out.txt").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    @property
    def err(self) -> str:
        return (self._cwd / "err.txt").read_text(encoding="utf-8")

    def until(self, what: str, condition: Callable[[], object], within_s: float = 20.0) -> None:
        deadline = time.monotonic() + within_s
        while not condition():
            assert self.process.poll() is None, f"it ended with {self.process.returncode} before {what}: {self.err}"
            assert time.monotonic() < deadline, f"not within {within_s} s: {what}\n{self.err}\n{self.lines[-3:]}"
            time.sleep(0.05)

    def interrupt(self) -> None:
        """Ctrl+C as a terminal sends it: to the whole group. Nothing happens on Windows, where it cannot be sent to one group."""
        if sys.platform != "win32":
            os.killpg(self.process.pid, signal.SIGINT)

    def end(self, within_s: float = 20.0) -> int:
        try:
            return self.process.wait(within_s)
        finally:
            self.close()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._out.close()
        self._err.close()
