"""The nodes that were browsed before, in a process of its own: a crawl brings more of them than a thread of the window can write unnoticed.

A thread that writes has the interpreter half of the time, and a core that the window may be waiting for. This process has neither, and a
lower priority. ``python -m app.workspace.node_process FILE`` reads jobs and answers each, in order.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from struct import Struct as Layout
from typing import IO, Any, Final

import msgspec

from app.processes import NO_CONSOLE, module_command, module_environment
from app.workspace.database import Database, KnownNode

Row = tuple[str, str, str, str, str]
"""Fields as in ``KnownNode``, without when it was seen."""
Hits = list[tuple[str, KnownNode]]

NICE: Final = 10
GOODBYE_S: Final = 5.0
_LENGTH: Final = Layout("<I")
_BELOW_NORMAL: Final = 0x4000 if sys.platform == "win32" else 0
"""``subprocess.BELOW_NORMAL_PRIORITY_CLASS``; elsewhere it is made nice when it has begun."""


class _Remember(msgspec.Struct, tag=True, array_like=True, gc=False):
    endpoint_key: str
    rows: list[Row]


class _Forget(msgspec.Struct, tag=True, array_like=True, gc=False):
    endpoint_key: str
    id: str


class _ForgetOld(msgspec.Struct, tag=True, array_like=True, gc=False):
    days: int


class _Search(msgspec.Struct, tag=True, array_like=True, gc=False):
    endpoint_keys: list[str]
    text: str
    limit: int


class _Count(msgspec.Struct, tag=True, array_like=True, gc=False):
    endpoint_key: str


_Job = _Remember | _Forget | _ForgetOld | _Search | _Count


class NodeProcessError(Exception):
    """It could not be started, or is no more; what was asked for may not have been done."""


class NodeProcess:
    """Asks as ``Database`` is asked, by one thread, which waits for each answer and keeps nothing of Python's meanwhile."""

    def __init__(self, path: Path) -> None:
        """Start it.

        Raises:
            NodeProcessError: It cannot be.
        """
        import subprocess  # the window starts sooner without

        try:
            self._process = subprocess.Popen(
                module_command("app.workspace.node_process", [str(path)]),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=module_environment(),
                creationflags=NO_CONSOLE | _BELOW_NORMAL,
            )
        except OSError as error:
            raise NodeProcessError(str(error)) from error
        if sys.platform != "win32":  # from here, as its imports alone would keep a core for 100 ms that the window may be waiting for
            with suppress(OSError):  # it has ended already
                os.setpriority(os.PRIO_PROCESS, self._process.pid, os.getpriority(os.PRIO_PROCESS, 0) + NICE)

    def remember(self, endpoint_key: str, rows: Iterable[Row]) -> None:
        self._ask(_Remember(endpoint_key, list(rows)))

    def forget(self, endpoint_key: str, id_: str) -> None:
        self._ask(_Forget(endpoint_key, id_))

    def forget_old(self, days: int) -> None:
        self._ask(_ForgetOld(days))

    def search_all(self, endpoint_keys: Sequence[str], text: str, limit: int) -> Hits:
        return msgspec.msgpack.decode(self._ask(_Search(list(endpoint_keys), text, limit)), type=Hits)

    def count(self, endpoint_key: str) -> int:
        return msgspec.msgpack.decode(self._ask(_Count(endpoint_key)), type=int)

    def kill(self) -> None:
        """From another thread than the one that asks, which is told that it is no more."""
        self._process.kill()

    def close(self) -> None:
        """It ends with its pipe. Safe twice."""
        import subprocess

        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # it is gone, and with it what was to be written to it
                    continue
        try:
            self._process.wait(GOODBYE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _ask(self, job: _Job) -> bytes:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            _write(self._process.stdin, msgspec.msgpack.encode(job))
            answer = _read(self._process.stdout)
        except (OSError, ValueError, msgspec.MsgspecError) as error:  # ValueError: the pipe is closed; half of a surrogate pair in a text
            raise NodeProcessError(str(error)) from error
        if answer is None:
            raise NodeProcessError("its pipe ended")
        return answer


def _write(pipe: IO[bytes], message: bytes) -> None:
    pipe.write(_LENGTH.pack(len(message)) + message)
    pipe.flush()


def _read(pipe: IO[bytes]) -> bytes | None:
    """None at the end."""
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    message = pipe.read(length)
    return message if len(message) == length else None


def _done(database: Database, job: _Job) -> Any:  # Any: what msgpack takes
    match job:
        case _Remember(key, rows):
            database.remember(key, rows)
        case _Forget(key, id_):
            database.forget(key, id_)
        case _ForgetOld(days):
            database.forget_old(days)
        case _Search(keys, text, limit):
            return database.search_all(keys, text, limit)
        case _Count(key):
            return database.count(key)
    return None


def main() -> int:
    """Do jobs until the pipe ends."""
    database, decode = Database(Path(sys.argv[1])), msgspec.msgpack.Decoder(_Job).decode
    try:
        while (message := _read(sys.stdin.buffer)) is not None:
            _write(sys.stdout.buffer, msgspec.msgpack.encode(_done(database, decode(message))))
    except (BrokenPipeError, KeyboardInterrupt):  # Ctrl+C in the terminal is for the window, which ends us with its pipe
        return 0
    finally:
        database.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
