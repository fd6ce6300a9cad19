"""Serial lines without hardware: pseudo terminals, in the test's own event loop. POSIX only, as they are.

They have no parity: URLs say ``parity=N``, or the kernel refuses the parameters.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import pytest

needs_terminals = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo terminals to stand for a serial line")


@dataclass
class Terminal:
    """One pseudo terminal: ``path`` is what a program opens as its serial port, ``far`` the descriptor of the other end."""

    far: int
    near: int
    path: str

    def send(self, data: bytes) -> None:
        os.write(self.far, data)

    def pull(self) -> None:
        """As if the adapter were unplugged: the program's port is gone."""
        asyncio.get_running_loop().remove_reader(self.far)
        os.close(self.far)
        self.far = -1


@contextmanager
def _terminal() -> Iterator[Terminal]:
    if sys.platform != "win32":  # its tests are skipped there
        import tty

        far, near = os.openpty()
        tty.setraw(near)
        os.set_blocking(far, False)
        terminal = Terminal(far, near, os.ttyname(near))  # ``near`` stays open: else the far end would see an end when the program closes
        try:
            yield terminal
        finally:
            if terminal.far >= 0:
                asyncio.get_running_loop().remove_reader(far)
                os.close(far)
            os.close(near)
    else:
        yield from ()


@asynccontextmanager
async def serial_port(on_bytes: Callable[[bytes], None]) -> AsyncIterator[Terminal]:
    """What the program writes comes to ``on_bytes``; what ``send`` is given, it reads."""
    with _terminal() as terminal:
        asyncio.get_running_loop().add_reader(terminal.far, lambda: on_bytes(os.read(terminal.far, 4096)))
        yield terminal


@asynccontextmanager
async def serial_cable() -> AsyncIterator[tuple[str, str]]:
    """Two ports, connected with each other."""
    loop = asyncio.get_running_loop()
    with _terminal() as left, _terminal() as right:
        loop.add_reader(left.far, lambda: right.send(os.read(left.far, 4096)))
        loop.add_reader(right.far, lambda: left.send(os.read(right.far, 4096)))
        yield left.path, right.path
