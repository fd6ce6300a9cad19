"""A link that fails on command: a TCP proxy on 127.0.0.1 whose behaviour is changed while clients are connected.

``with fault_proxy(server_port) as link:`` clients connect to ``link.port``. Every control may be called from any thread but the
proxy's own, and holds when it returns. "up" is from the client to the server, "down" the answers.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Thread
from typing import Final, Literal

Direction = Literal["up", "down"]
WAYS: Final[tuple[Direction, Direction]] = ("up", "down")
READ_SIZE: Final = 65_536
SLICE_SIZE: Final = 1_460  # of a limited link: a slow line carries packets, not buffers
CONTROL_S: Final = 10.0
NO_LINGER: Final = struct.pack("hh" if hasattr(socket, "WSAStartup") else "ii", 1, 0)


@dataclass(slots=True)
class Counts:
    """What went through: ``up`` and ``down`` in bytes forwarded, ``dropped`` in bytes swallowed.

    ``last_s`` is ``time.monotonic`` of the last bytes forwarded in each direction, 0 before the first.
    """

    up: int = 0
    down: int = 0
    dropped: int = 0
    connections: int = 0
    last_s: dict[Direction, float] = field(default_factory=lambda: {"up": 0.0, "down": 0.0})


class FaultProxy:
    """``port`` is where clients connect. ``counts`` may be read at any time."""

    def __init__(self, target: int) -> None:
        self.counts = Counts()
        self._target = target
        self._delay_s = 0.0
        self._rate: float | None = None
        self._busy_until_s: dict[Direction, float] = {"up": 0.0, "down": 0.0}
        self._cut_after: dict[Direction, int | None] = {"up": None, "down": None}
        self._flows = asyncio.Event()
        self._keeps = asyncio.Event()  # every byte; not set while they are swallowed
        self._connections: set[_Connection] = set()
        self._server: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        for event in (self._flows, self._keeps):
            event.set()
        self._thread = Thread(target=self._loop.run_forever, name="fault-proxy", daemon=True)
        self._thread.start()
        self.port = 0
        self._do(self._listen)

    # Controls
    def mend(self) -> None:
        """A good link again, from now on. Connections that lost bytes are reset: what is lost in a stream cannot be made good."""
        self._do(self._mend)

    def drop(self) -> None:
        """Swallow every byte, both ways; connections stay, and new ones are accepted (what they send is held until mended)."""
        self._do(self._drop)

    def hang(self) -> None:
        """Accept, and hold every byte; what is held goes on when mended, as after TCP's own repetition."""
        self._do(self._hang)

    def orphan(self) -> None:
        """What is connected now is silent for ever, as after a firewall forgot it; new connections are good."""
        self._do(self._orphan)

    def delay(self, seconds: float) -> None:
        """Each way, so that the round trip is twice that."""
        self._set(_delay_s=seconds)

    def limit(self, bytes_per_s: float | None) -> None:
        """Each way, over all connections; None is as fast as it goes."""
        self._set(_rate=bytes_per_s)

    def cut(self, after: int, direction: Direction = "down") -> None:
        """Once: forward exactly so many more bytes in this direction, then close that connection at both ends."""
        self._do(self._plan_cut, after, direction)

    def reset(self) -> None:
        """End what is connected with RST, at both ends. New connections are good."""
        self._do(self._reset)

    def refuse(self) -> None:
        """Nobody listens any more, and what is connected is reset; until mended."""
        self._do(self._refuse)

    def redirect(self, target: int) -> None:
        """Another server is at this address from now on; what is connected to the old one is reset."""
        self._target = target
        self.reset()

    @property
    def open(self) -> int:
        """Connections that stand now."""
        return len(self._connections)

    @property
    def is_cut(self) -> bool:
        """Whether no cut is outstanding."""
        return all(after is None for after in self._cut_after.values())

    def close(self) -> None:
        """Safe twice."""
        if self._loop.is_closed():
            return
        self._do(self._end)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CONTROL_S)
        self._loop.close()

    # On the loop
    async def _listen(self) -> None:
        deadline_s = time.monotonic() + CONTROL_S
        while self._server is None:
            try:
                self._server = await asyncio.start_server(self._on_client, "127.0.0.1", self.port, limit=READ_SIZE)
            except OSError:  # after a refusal, somebody may stand on the port for a moment
                if time.monotonic() > deadline_s:
                    raise
                await asyncio.sleep(0.02)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _on_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.counts.connections += 1
        connection = _Connection(self, reader, writer)
        self._connections.add(connection)
        try:
            await connection.run()
        finally:
            self._connections.discard(connection)

    async def _mend(self) -> None:
        self._delay_s, self._rate = 0.0, None
        self._cut_after = {"up": None, "down": None}
        for connection in list(self._connections):
            if connection.lost_bytes and not connection.orphaned:
                connection.reset()
        self._flows.set()
        self._keeps.set()
        await self._listen()

    async def _drop(self) -> None:
        self._keeps.clear()

    async def _hang(self) -> None:
        self._flows.clear()

    async def _orphan(self) -> None:
        for connection in self._connections:
            connection.orphaned = True

    async def _plan_cut(self, after: int, direction: Direction) -> None:
        self._cut_after[direction] = after
        if after == 0:
            await self._reset()
            self._cut_after[direction] = None

    async def _reset(self) -> None:
        for connection in list(self._connections):
            connection.reset()

    async def _refuse(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        await self._reset()

    async def _end(self) -> None:
        await self._refuse()
        self._flows.set()
        left = asyncio.all_tasks(self._loop) - {asyncio.current_task(self._loop)}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await asyncio.sleep(0)  # the transports' own closing callbacks

    async def pass_on(self, connection: _Connection, direction: Direction, data: bytes, writer: asyncio.StreamWriter) -> bool:
        """One slice, as the link is now; False when the connection was cut after it."""
        await self._flows.wait()
        if not self._keeps.is_set() or connection.orphaned:
            connection.lost_bytes = True
            self.counts.dropped += len(data)
            return True
        if self._rate is not None:
            start_s = max(time.monotonic(), self._busy_until_s[direction])
            self._busy_until_s[direction] = start_s + len(data) / self._rate
            await asyncio.sleep(self._busy_until_s[direction] - time.monotonic())
        after = self._cut_after[direction]
        last = after is not None and len(data) >= after
        if after is not None:
            data = data[:after]
            self._cut_after[direction] = None if last else after - len(data)
        writer.write(data)
        await writer.drain()
        setattr(self.counts, direction, getattr(self.counts, direction) + len(data))
        self.counts.last_s[direction] = time.monotonic()
        return not last

    @property
    def slice_size(self) -> int:
        return READ_SIZE if self._rate is None else SLICE_SIZE

    @property
    def delay_s(self) -> float:
        return self._delay_s

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        await self._flows.wait()
        await self._keeps.wait()
        return await asyncio.open_connection("127.0.0.1", self._target, limit=READ_SIZE)

    def _set(self, **values: object) -> None:
        async def change() -> None:
            for name, value in values.items():
                setattr(self, name, value)

        self._do(change)

    def _do(self, control: Callable[..., Coroutine[object, object, None]], *arguments: object) -> None:
        asyncio.run_coroutine_threadsafe(control(*arguments), self._loop).result(CONTROL_S)


class _Connection:
    """One client and its way to the server. On the proxy's loop."""

    def __init__(self, link: FaultProxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._link, self._client = link, (reader, writer)
        self._writers = [writer]
        self._task = asyncio.current_task()
        self.lost_bytes = self.orphaned = False

    async def run(self) -> None:
        try:
            try:
                server = await self._link.connect()
            except OSError:  # nobody there: as near to a refusal as somebody who has accepted can be
                self.reset()
                return
            self._writers.append(server[1])
            async with asyncio.TaskGroup() as ways:
                ways.create_task(self._carry("up", self._client[0], server[1]))
                ways.create_task(self._carry("down", server[0], self._client[1]))
        except (OSError, asyncio.CancelledError, _Cut, ExceptionGroup):
            pass  # however it ended, both ends are closed now
        finally:
            for writer in self._writers:
                writer.close()

    def reset(self) -> None:
        for writer in self._writers:
            with suppress(OSError):
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
            writer.transport.abort()
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()

    async def _carry(self, direction: Direction, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(64)
        reading = asyncio.create_task(self._read(reader, under_way))
        try:
            while True:
                due_s, data = await under_way.get()
                if (wait_s := due_s - time.monotonic()) > 0:
                    await asyncio.sleep(wait_s)
                if not data:
                    break
                for start in range(0, len(data), self._link.slice_size):
                    piece = data[start : start + self._link.slice_size]
                    if not await self._link.pass_on(self, direction, piece, writer):
                        raise _Cut
            await self._finish(writer)
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _read(self, reader: asyncio.StreamReader, under_way: asyncio.Queue[tuple[float, bytes]]) -> None:
        data = b"."
        while data:
            try:
                data = await reader.read(READ_SIZE)
            except OSError:
                data = b""
            await under_way.put((time.monotonic() + self._link.delay_s, data))

    async def _finish(self, writer: asyncio.StreamWriter) -> None:
        """The end of one direction; a silent link does not carry that either."""
        link_is_silent = self.lost_bytes or self.orphaned
        if not link_is_silent and writer.can_write_eof():
            with suppress(OSError):
                writer.write_eof()


class _Cut(Exception):  # noqa: N818 - not an error: what was asked for
    pass


@contextmanager
def fault_proxy(target: int) -> Iterator[FaultProxy]:
    link = FaultProxy(target)
    try:
        yield link
    finally:
        link.close()
