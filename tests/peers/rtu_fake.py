"""Modbus RTU devices on one line that answer whatever the test says, on a pseudo terminal or over TCP. In the test's own event loop.

Unless the test says otherwise, register ``n`` of unit ``u`` holds ``u * 4096 + n``: every value says where it came from.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from app.drivers.modbus.framing_rtu import frame_of, has_right_crc
from app.drivers.modbus.guard import REQUEST_SIZES
from tests.peers.serial_line import serial_port


class RtuRequest(NamedTuple):
    unit: int
    function: int
    address: int
    length: int
    number: int
    frame: bytes


Answer = Callable[[RtuRequest], Awaitable[bytes]]
"""The bytes to send, which may be empty. It may wait; the other units are not held up meanwhile."""


def value(unit: int, address: int) -> int:
    return (unit * 4096 + address) & 0xFFFF


def words(request: RtuRequest) -> list[int]:
    return [value(request.unit, request.address + n) for n in range(request.length)]


def registers(*content: int, function: int = 3) -> bytes:
    return bytes((function, 2 * len(content))) + struct.pack(f">{len(content)}H", *content)


def right(request: RtuRequest) -> bytes:
    """The right reply; 43/14 is refused."""
    if request.function == 0x2B:
        return frame_of(request.unit, b"\xab\x01")
    if request.function in (1, 2):
        size = (request.length + 7) // 8
        return frame_of(request.unit, bytes((request.function, size)) + bytes(size))
    return frame_of(request.unit, registers(*words(request), function=request.function))


def refusal(request: RtuRequest, code: int) -> bytes:
    return frame_of(request.unit, bytes((request.function | 0x80, code)))


@dataclass
class RtuLine:
    """A line with devices on it.

    Attributes:
        url: Where a session finds it.
        send: Puts bytes on the line, asked or not.
        pull: Unplugs the adapter (a port only).
        requests: Every request that came, in order.
        other: Bytes that were no request: there must be none.
    """

    answer: Answer
    echo: bool = False
    url: str = ""
    send: Callable[[bytes], None] = lambda data: None
    pull: Callable[[], None] = lambda: None
    requests: list[RtuRequest] = field(default_factory=list)
    other: bytes = b""
    connections: int = 0
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    buffer: bytes = b""
    busy: dict[int, asyncio.Lock] = field(default_factory=dict)

    def take(self, data: bytes) -> None:
        self.buffer += data
        while len(self.buffer) >= 2:
            size = REQUEST_SIZES.get(self.buffer[1], 0) + 3
            if size == 3:
                self.other, self.buffer = self.other + self.buffer, b""
                return
            if len(self.buffer) < size:
                return
            frame, self.buffer = self.buffer[:size], self.buffer[size:]
            self._ask(frame)

    def _ask(self, frame: bytes) -> None:
        if not has_right_crc(frame):
            self.other += frame
            return
        if self.echo:
            self.send(frame)
        address, length = struct.unpack(">HH", frame[2:6]) if len(frame) == 8 else (0, 0)
        request = RtuRequest(frame[0], frame[1], address, length, len(self.requests), frame)
        self.requests.append(request)
        task = asyncio.create_task(self._reply(request))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _reply(self, request: RtuRequest) -> None:
        """One after the other: a device has one request at a time, however long it takes; another unit may speak in between."""
        async with self.busy.setdefault(request.unit, asyncio.Lock()):
            if data := await self.answer(request):
                self.send(data)

    async def end(self) -> None:
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


@asynccontextmanager
async def rtu_port(answer: Answer, *, echo: bool = False, query: str = "?baudrate=115200&parity=N") -> AsyncIterator[RtuLine]:
    line = RtuLine(answer, echo)
    async with serial_port(line.take) as terminal:
        line.url, line.send, line.pull = f"modbus-rtu:{terminal.path}{query}", terminal.send, terminal.pull
        try:
            yield line
        finally:
            await line.end()


@asynccontextmanager
async def rtu_over_tcp(answer: Answer, *, echo: bool = False) -> AsyncIterator[RtuLine]:
    line = RtuLine(answer, echo)
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        line.connections += 1
        line.send = lambda data: None if writer.is_closing() else writer.write(data)
        try:
            while data := await reader.read(4096):
                line.take(data)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    line.url = f"modbus-rtutcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield line
    finally:
        server.close()
        await line.end()
        for writer in writers:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in writers), return_exceptions=True)
