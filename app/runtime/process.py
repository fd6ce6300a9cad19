"""One connector process as the parent sees it: start, send, receive checked frames, end within a bounded time."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Final

from app.connector import frames
from app.connector.command import connector_environment
from app.connector.parts import Parts
from app.model.columns import SampleColumns

GOODBYE_S: Final = 1.0
"""How long a connector may take to close its session before it is ended."""
TERMINATE_S: Final = 0.5
KILL_S: Final = 2.0
"""After which its pipes are closed from here: whoever else holds their other ends keeps them open, and asyncio waits for that."""
UNSENT_BYTES: Final = 32 * 2**20
"""What may wait to be read by the connector; more means that it hangs."""
LINES_PER_S: Final = 50
_CALM: Final = ("I app.", "D app.")
"""Our own lines that tell nothing of an end (``app.connector.main`` writes them so)."""

if sys.platform == "win32":
    _NO_WINDOW = subprocess.CREATE_NO_WINDOW
else:
    _NO_WINDOW = 0


class ConnectorGoneError(Exception):
    """The process ended, or its pipe did."""


class ConnectorProcess:
    """Lives on the I/O thread's loop. ``on_line`` gets what the process writes to stderr, line by line (at most 50 a second)."""

    def __init__(self, process: asyncio.subprocess.Process, on_line: Callable[[str], None]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        self._process, self._on_line = process, on_line
        self._stdin, self._stdout, self._stderr = process.stdin, process.stdout, process.stderr
        self._last_lines: deque[str] = deque(maxlen=3)
        self._parts = Parts()
        self._lines = asyncio.create_task(self._read_lines())

    @classmethod
    async def start(cls, command: Sequence[str], on_line: Callable[[str], None]) -> ConnectorProcess:
        """Start one.

        Raises:
            OSError: The program cannot be started.
        """
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            env=connector_environment(),
            limit=1 << 20,
            creationflags=_NO_WINDOW,
        )
        return cls(process, on_line)

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, frame: frames.ToChild) -> None:
        """Send without waiting.

        Raises:
            ConnectorGoneError: It does not read what it is sent, or is no more.
        """
        if self._stdin.is_closing():
            raise ConnectorGoneError("its pipe is closed")
        self._stdin.write(frames.encode(frame))
        if self._stdin.transport.get_write_buffer_size() > UNSENT_BYTES:
            raise ConnectorGoneError("it does not read what it is sent")

    async def receive(self) -> tuple[frames.ToParent, SampleColumns | None]:
        """The next frame; one that comes in parts when it is whole.

        Raises:
            FrameError: What came is none.
            ConnectorGoneError: The pipe ended.
        """
        try:
            while True:
                header, payload = frames.lengths(await self._stdout.readexactly(frames.LENGTHS.size))
                part = frames.decode_to_parent(await self._stdout.readexactly(header), await self._stdout.readexactly(payload))
                if (whole := self._parts.take(*part)) is not None:
                    return whole
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise ConnectorGoneError("its pipe ended") from error

    async def how_it_ended(self) -> str:
        """Exit code and last words, for a person; waits a little for both."""
        await asyncio.wait([self._lines], timeout=TERMINATE_S)  # `wait_for` of Python 3.11 loses a cancellation that comes with the end
        await self._ended_within(TERMINATE_S)
        code = self._process.returncode
        ended = "has closed its pipe" if code is None else f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
        last = next((line.strip() for line in reversed(self._last_lines) if line.strip()), "")
        return f"its process {ended}" + (f": {last}" if last else "")

    async def stop(self) -> None:
        """Ask it to end, then end it; safe twice.

        At most ``GOODBYE_S`` + ``TERMINATE_S`` + ``KILL_S``, whatever it does, and whoever else has its pipes. Not to be interrupted:
        see ``to_the_end``.
        """
        with suppress(ConnectorGoneError, ConnectionError):
            self.send(frames.Close())
        self._stdin.close()
        drain = asyncio.create_task(self._discard())  # a child that is blocked in a write would never read the close
        for end, patience_s in ((None, GOODBYE_S), (self._process.terminate, TERMINATE_S), (self._process.kill, KILL_S)):
            if end is not None:
                with suppress(ProcessLookupError):
                    end()
            if await self._ended_within(patience_s):
                break
        self._process._transport.close()  # type: ignore[attr-defined]  # there is no other way to the reading ends
        drain.cancel()
        self._lines.cancel()
        await asyncio.wait([drain, self._lines])

    async def _ended_within(self, seconds: float) -> bool:
        """Whether the process ended and its pipes with it."""
        ended = asyncio.create_task(self._process.wait())
        try:
            done, _ = await asyncio.wait([ended], timeout=seconds)
        finally:
            ended.cancel()
        return bool(done)

    async def _discard(self) -> None:
        with suppress(ConnectionError, RuntimeError):
            while await self._stdout.read(1 << 16):
                pass

    async def _read_lines(self) -> None:
        budget, second = LINES_PER_S, 0.0
        loop = asyncio.get_running_loop()
        while True:
            try:
                line = (await self._stderr.readline()).decode("utf-8", "replace").rstrip()
            except ValueError:  # a line longer than the stream's limit: it was thrown away
                line = "W connector: a line of output was too long to keep"
            except ConnectionError:
                return
            if not line and self._stderr.at_eof():
                return
            line = frames.clipped(line)
            if not line.startswith(_CALM):
                self._last_lines.append(line)
            if loop.time() - second > 1:
                budget, second = LINES_PER_S, loop.time()
            budget -= 1
            if budget > 0:
                self._on_line(line)
            elif budget == 0:
                self._on_line("W connector: more output in this second was left out")


async def to_the_end(ending: Coroutine[object, object, None]) -> None:
    """Wait for it, whatever happens: a cancellation is passed on afterwards, or a process would be left behind."""
    task = asyncio.create_task(ending)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
