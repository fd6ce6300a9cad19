"""A Modbus device that answers whatever the test says: for replies that no real server would give. In the test's own event loop."""

from __future__ import annotations

import asyncio
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.peers.serving import serving


class Request(NamedTuple):
    transaction: int
    unit: int
    function: int
    address: int
    length: int
    """Registers or bits asked for."""
    number: int
    """How many came before it, over all connections."""
    pdu: bytes = b""


Answer = Callable[[Request], Awaitable[bytes | None]]
"""The bytes to send (may be empty); None closes the connection."""


def frame(transaction: int, unit: int, pdu: bytes, *, length: int | None = None, protocol: int = 0) -> bytes:
    return struct.pack(">HHHB", transaction, protocol, len(pdu) + 1 if length is None else length, unit) + pdu


def registers(*words: int, function: int = 3) -> bytes:
    return bytes((function, 2 * len(words))) + struct.pack(f">{len(words)}H", *words)


def right(request: Request) -> bytes:
    """The right reply: each register holds its own address; 43/14 is refused."""
    if request.function == 0x2B:
        return frame(request.transaction, request.unit, b"\xab\x01")
    if request.function in (1, 2):
        return frame(
            request.transaction, request.unit, bytes((request.function, (request.length + 7) // 8, *[0] * ((request.length + 7) // 8)))
        )
    words = range(request.address, request.address + request.length)
    return frame(request.transaction, request.unit, registers(*words, function=request.function))


def refusal(request: Request, code: int) -> bytes:
    return frame(request.transaction, request.unit, bytes((request.function | 0x80, code)))


@dataclass
class FakeDevice:
    answer: Answer
    port: int = 0
    requests: list[Request] = field(default_factory=list)
    """Every request that came, in order."""
    writer: asyncio.StreamWriter | None = None
    """Of the connection that was made last."""
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def send(self, data: bytes) -> None:
        """Bytes out of turn, while an answer is still being made."""
        if self.writer is not None and not self.writer.is_closing():
            self.writer.write(data)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        try:
            while True:
                header = await reader.readexactly(7)
                transaction, _, length, unit = struct.unpack(">HHHB", header)
                pdu = await reader.readexactly(length - 1)
                address, asked = struct.unpack(">HH", pdu[1:5]) if len(pdu) >= 5 else (0, 0)
                request = Request(transaction, unit, pdu[0], address, asked, len(self.requests), pdu)
                self.requests.append(request)
                task = asyncio.create_task(self._reply(request, writer))
                self.tasks.add(task)
                task.add_done_callback(self.tasks.discard)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _reply(self, request: Request, writer: asyncio.StreamWriter) -> None:
        data = await self.answer(request)
        if data is None:
            writer.close()
        elif data and not writer.is_closing():
            writer.write(data)


@asynccontextmanager
async def fake_device(answer: Answer, context: ssl.SSLContext | None = None) -> AsyncIterator[FakeDevice]:
    device = FakeDevice(answer)
    async with serving(lambda reader, writer: device.serve(reader, writer), context, more=device.tasks) as device.port:  # tests replace it
        yield device
