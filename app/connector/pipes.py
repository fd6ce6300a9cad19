"""The child's ends of the pipe: file descriptor 1 is kept for frames, one thread reads, one writes.

Imports nothing but the standard library: ``claim_stdout`` has to run before any other library can print.
"""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from threading import Condition, Thread

SAMPLE_BYTES = 4 * 2**20
"""What may wait for a slow parent: about 100,000 samples. Older ones are dropped and counted."""
PIPE_BYTES = 1 << 20
OTHER_BYTES = 64 * 2**20
"""Replies wait at ``room`` beyond this, so that a crawl stops instead of growing."""


def claim_stdout() -> int:
    """Keep the pipe for frames: whatever a library prints from now on goes to stderr, and so to the log.

    Returns:
        A private descriptor of what was standard output.
    """
    sys.stdout.flush()
    frames = os.dup(1)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    if sys.platform == "win32":
        import msvcrt

        msvcrt.setmode(frames, os.O_BINARY)
        msvcrt.setmode(0, os.O_BINARY)
    if sys.platform == "linux":
        import fcntl

        with suppress(OSError):  # 64 KiB otherwise: seven wake-ups of a busy window for the values of one tenth of a second
            fcntl.fcntl(frames, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    return frames


def read_exactly(descriptor: int, size: int) -> bytes:
    """``size`` bytes, or b"" when the pipe closed before them."""
    parts: list[bytes] = []
    while size:
        part = os.read(descriptor, min(size, 1 << 20))
        if not part:
            return b""
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


class Outbox:
    """Frames on their way to the parent, written by a thread of its own, so that a slow parent never blocks the event loop.

    Any thread may put. Samples beyond ``SAMPLE_BYTES`` push out the oldest samples; the count of lost rows is written, as the
    frame that ``note`` makes of it, at the place where they are missing. Nothing else is ever dropped.
    """

    def __init__(self, descriptor: int, note: Callable[[int], bytes]) -> None:
        self._descriptor, self._note = descriptor, note
        self._frames: deque[list[bytes]] = deque()  # each in a cell, so that a dropped one is emptied where it stands
        self._samples: deque[tuple[list[bytes], int]] = deque()
        self._sample_bytes = self._other_bytes = self._dropped = 0
        self._ended = self._broken = False
        self._changed = Condition()
        self._thread = Thread(target=self._run, name="outbox", daemon=True)
        self._thread.start()

    def put(self, frame: bytes) -> None:
        with self._changed:
            self._frames.append([frame])
            self._other_bytes += len(frame)
            self._changed.notify()

    def put_samples(self, frame: bytes, rows: int) -> None:
        with self._changed:
            cell = [frame]
            self._frames.append(cell)
            self._samples.append((cell, rows))
            self._sample_bytes += len(frame)
            while self._sample_bytes > SAMPLE_BYTES and len(self._samples) > 1:
                oldest, lost = self._samples.popleft()
                self._sample_bytes -= len(oldest.pop())
                self._dropped += lost
            self._changed.notify()

    @property
    def has_room(self) -> bool:
        """Whether a long reply should go on; True as well when nobody reads any more."""
        return self._other_bytes < OTHER_BYTES or self._broken

    def end(self, timeout_s: float) -> None:
        """Write what is there, at most for ``timeout_s``."""
        with self._changed:
            self._ended = True
            self._changed.notify()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while frame := self._next():
            view = memoryview(frame)
            try:
                while view:
                    view = view[os.write(self._descriptor, view[: 1 << 16]) :]
            except OSError:  # the parent is gone; the reader sees it too and ends the process
                self._broken = True
                return

    def _next(self) -> bytes:
        with self._changed:
            while True:
                while self._frames:
                    cell = self._frames.popleft()
                    if frame := self._take(cell):
                        return frame
                if self._ended:
                    return b""
                self._changed.wait()

    def _take(self, cell: list[bytes]) -> bytes:
        if not cell:
            return b""
        frame = cell.pop()
        if self._samples and self._samples[0][0] is cell:
            self._samples.popleft()
            self._sample_bytes -= len(frame)
        else:
            self._other_bytes -= len(frame)
        if self._dropped:
            dropped, self._dropped = self._dropped, 0
            return self._note(dropped) + frame
        return frame
