"""A TCP proxy on 127.0.0.1 that keeps every byte of both directions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

_CHUNK: Final = 65_536
_LEAVE_S: Final = 2.0


@dataclass
class Sniffed:
    """One connection that went through."""

    sent: bytearray = field(default_factory=bytearray)
    received: bytearray = field(default_factory=bytearray)

    @property
    def messages(self) -> list[str]:
        """``HEL``, ``OPN``, ``MSG``, ``CLO`` as the client sent them (OPC 10000-6 §7.1.2.2)."""
        kinds, rest = [], bytes(self.sent)
        while len(rest) >= 8:
            size = int.from_bytes(rest[4:8], "little")
            kinds.append(rest[:3].decode("ascii"))
            rest = rest[max(size, 8) :]
        return kinds


@dataclass
class Sniffer:
    port: int
    connections: list[Sniffed] = field(default_factory=list)

    @property
    def everything(self) -> bytes:
        return b"|".join(bytes(part) for one in self.connections for part in (one.sent, one.received))

    @property
    def messages(self) -> list[list[str]]:
        return [one.messages for one in self.connections]


@asynccontextmanager
async def sniffer(port: int) -> AsyncIterator[Sniffer]:
    """Between a port of its own and ``port``."""
    tasks: list[asyncio.Task[None]] = []

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        kept = Sniffed()
        found.connections.append(kept)
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        with suppress(OSError):
            await asyncio.gather(_pump(reader, inner_writer, kept.sent), _pump(inner_reader, writer, kept.received))
        for one in (writer, inner_writer):
            one.close()

    def taken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.create_task(pass_on(reader, writer)))

    server = await asyncio.start_server(taken, "127.0.0.1", 0)
    found = Sniffer(server.sockets[0].getsockname()[1])
    try:
        yield found
    finally:
        server.close()
        if tasks:
            await asyncio.wait(tasks, timeout=_LEAVE_S)  # what was sent last is to be seen too
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, kept: bytearray) -> None:
    while data := await reader.read(_CHUNK):
        kept += data
        writer.write(data)
        await writer.drain()
    writer.close()
