"""An OPC UA server that publishes as fast as it is told: ``python -m tests.peers.opcua_publisher --port N --interval-ms 100``.

For benchmarks of clients. Session, security and everything else are asyncua's; what is about subscriptions is answered on the connection
itself. From ``go`` on every interval each connection gets one notification with a new value of each of its items, whose bytes are those
of the last one but for values and times. A value says which client handle and which tick it is of, its source time the tick (``value_of``).

Prints ``ready`` when it serves. Commands on standard input: ``go``; ``stats`` is answered with a line of JSON; ``skip`` leaves one
notification out for good; ``lose`` sends one only when it is asked for again.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import struct
import sys
import threading
import time
from collections import deque
from typing import Any

import asyncua.ua
import numpy as np
import numpy.typing as npt
from asyncua.server.binary_server_asyncio import OPCUAProtocol
from asyncua.server.server import Server

from tests.peers.opcua_fast_space import FastProtocol, _skip

ua: Any = asyncua.ua  # Any: its annotations ask for wrappers that it does not need

URI = "urn:peer:publisher"
KINDS = ("Double", "Float", "Int32", "Boolean", "String")
"""Of the variables with the numbers 1 to 5."""

FIRST_TICKS = 134_000_000_000_000_000
TICKS = 1_000_000
_ENCODINGS = {1: (11, "<f8"), 2: (10, "<f4"), 3: (6, "<i4"), 4: (1, "u1"), 5: (12, "S10")}
_QUEUE = 20
"""Notifications that wait for a Publish request; more are dropped, and counted."""

_CREATE_SUBSCRIPTION, _DELETE_SUBSCRIPTIONS, _CREATE_ITEMS, _DELETE_ITEMS, _PUBLISHING, _PUBLISH, _REPUBLISH = (
    787,
    847,
    751,
    781,
    799,
    826,
    832,
)
_FAULT = 394
_NOT_AVAILABLE = 0x807B0000


def value_of(kind: int, client: npt.NDArray[np.int64], tick: npt.NDArray[np.int64] | int) -> Any:
    """Of items with these client handles; exact in every type."""
    if kind in (1, 3):
        return client * 1000 + tick % 1000
    if kind == 2:
        return client * 16 + tick % 16
    if kind == 4:
        return (client + tick) % 2
    return np.array([f"{one:06d}/{at % 1000:03d}" for one, at in np.broadcast(client, tick)], "S10")


class Publisher(FastProtocol):
    """One connection."""

    def __init__(self, protocol: Any) -> None:
        self._protocol = protocol
        self._pending = b""
        self._requests: deque[tuple[bytes, bytes]] = deque()
        self._items: list[tuple[int, int]] = []
        self._waiting: deque[bytes] = deque()
        self._lost: dict[int, bytes] = {}
        self._sequence = 0
        self._positions: list[tuple[int, npt.NDArray[np.int64], npt.NDArray[np.int64]]] = []
        self._body = np.zeros(0, np.uint8)
        self.omit = ""
        self.goes = False
        self.stats = {"tick": 0, "values": 0, "dropped": 0}

    def _answered(self, chunk: bytes) -> bool:
        processor = self._protocol.processor
        if not chunk.startswith(b"MSGF") or processor is None or processor.session is None:
            return False
        processor._connection._check_incoming_chunk = lambda _: None
        kind = int.from_bytes(chunk[26:28], "little")
        at = _skip(chunk, 28)
        handle = chunk[at + 8 : at + 12]
        (audit,) = struct.unpack_from("<i", chunk, at + 16)
        at = _skip(chunk, at + 24 + max(audit, 0)) + 1
        if kind == _PUBLISH:
            self._requests.append((chunk[:24], handle))
            self._flush()
            return True
        answer = self._answer(kind, chunk, at)
        if answer is None:
            return False
        self._send(chunk, answer[0], handle, answer[1])
        return True

    def _answer(self, kind: int, chunk: bytes, at: int) -> tuple[int, bytes] | None:
        null = b"\xff\xff\xff\xff"
        if kind == _CREATE_SUBSCRIPTION:
            interval_ms, lifetime, keep_alive = struct.unpack_from("<dII", chunk, at)
            return kind, struct.pack("<IdII", 1, interval_ms, lifetime, keep_alive)
        if kind == _CREATE_ITEMS:
            return kind, self._created(chunk, at) + null
        if kind == _REPUBLISH:
            (number,) = struct.unpack_from("<I", chunk, at + 4)
            return (kind, self._lost[number]) if number in self._lost else (_FAULT, b"")
        if kind in (_DELETE_SUBSCRIPTIONS, _DELETE_ITEMS, _PUBLISHING):
            return kind, struct.pack("<iI", 1, 0) + null
        return None

    def _created(self, chunk: bytes, at: int) -> bytes:
        (count,) = struct.unpack_from("<i", chunk, at + 8)
        at += 12
        results = []
        for _ in range(count):
            number = chunk[at + (2 if chunk[at] == 1 else 3)]  # of a NodeId in four bytes, or in seven
            at = _skip(chunk, at) + 4
            at = _text(chunk, _text(chunk, at) + 2) + 4  # index range, data encoding, monitoring mode
            client, interval_ms = struct.unpack_from("<Id", chunk, at)
            at = _skip(chunk, at + 12)
            form = chunk[at]
            at = _text(chunk, at + 1) if form else at + 1
            (queue,) = struct.unpack_from("<I", chunk, at)
            at += 5
            self._items.append((client, number))
            results.append(struct.pack("<IIdI", 0, len(self._items), interval_ms, queue) + bytes(3))
        self._positions = []
        return struct.pack("<i", count) + b"".join(results)

    def _send(self, chunk: bytes, kind: int, handle: bytes, answer: bytes) -> None:
        """As ``FastProtocol`` does; a fault carries a status."""
        if kind == _FAULT:
            connection = self._protocol.processor._connection
            request = int.from_bytes(chunk[20:24], "little")
            fault = ua.ServiceFault()
            fault.ResponseHeader.RequestHandle = int.from_bytes(handle, "little")
            fault.ResponseHeader.ServiceResult = ua.StatusCode(_NOT_AVAILABLE)
            self._protocol.transport.write(connection.message_to_binary(ua.ua_binary.struct_to_binary(fault), request_id=request))
            return
        super()._send(chunk, kind, handle, answer)

    def _lay_out(self) -> None:
        values: dict[int, list[int]] = {kind: [] for kind in _ENCODINGS}
        times: dict[int, list[int]] = {kind: [] for kind in _ENCODINGS}
        pieces: list[bytes] = []
        at = 4
        for client, kind in self._items:
            encoding, dtype = _ENCODINGS[kind]
            size = np.dtype(dtype).itemsize
            value = struct.pack("<i", size) + bytes(size) if kind == 5 else bytes(size)
            pieces.append(struct.pack("<IBB", client, 0x0D, encoding) + value + struct.pack("<qq", 0, FIRST_TICKS))
            end = at + len(pieces[-1])
            times[kind].append(end - 16)
            values[kind].append(end - 16 - size)
            at = end
        body = struct.pack("<i", len(self._items)) + b"".join(pieces) + b"\xff\xff\xff\xff"
        self._body = np.frombuffer(bytearray(body), np.uint8)
        self._positions = [(kind, np.array(values[kind], np.int64), np.array(times[kind], np.int64)) for kind in _ENCODINGS if values[kind]]
        self._clients = {kind: np.array([client for client, one in self._items if one == kind], np.int64) for kind in _ENCODINGS}

    def tick(self, tick: int) -> None:
        if not self._items:
            return
        if not self._positions:
            self._lay_out()
        stamp = np.frombuffer(struct.pack("<q", FIRST_TICKS + tick * TICKS), np.uint8)
        for kind, values, times in self._positions:
            dtype = np.dtype(_ENCODINGS[kind][1])
            told = np.ascontiguousarray(value_of(kind, self._clients[kind], tick).astype(dtype))
            self._body[values[:, None] + np.arange(dtype.itemsize)] = told.view(np.uint8).reshape(len(told), dtype.itemsize)
            self._body[times[:, None] + np.arange(8)] = stamp
        body = self._body.tobytes()
        self._sequence += 1
        part = struct.pack("<BBHBi", 1, 0, 811, 1, len(body)) + body
        message = struct.pack("<Iqi", self._sequence, FIRST_TICKS, 1) + part
        if self.omit:
            if self.omit == "lose":
                self._lost[self._sequence] = message
            self.omit = ""
            return
        if len(self._waiting) >= _QUEUE:
            self._waiting.popleft()
            self.stats["dropped"] += 1
        self._waiting.append(message)
        self.stats["tick"] = tick
        self._flush()

    def _flush(self) -> None:
        while self._waiting and self._requests and self._protocol.transport.get_write_buffer_size() < 4_000_000:
            head, handle = self._requests.popleft()
            message = self._waiting.popleft()
            answer = struct.pack("<Ii?", 1, -1, bool(self._waiting)) + message + struct.pack("<ii", 0, -1)
            self._send(head, _PUBLISH, handle, answer)
            self.stats["values"] += len(self._items)


def _text(chunk: bytes, at: int) -> int:
    """Where the string, or the body, that begins there ends."""
    (size,) = struct.unpack_from("<i", chunk, at)
    return int(at + 4 + max(size, 0))


def hook() -> list[Publisher]:
    """Every connection from now on, in order."""
    protocol: Any = OPCUAProtocol
    receive = protocol.data_received
    made: list[Publisher] = []

    def data_received(self: Any, data: bytes) -> None:
        if "publisher" not in self.__dict__:
            self.publisher = Publisher(self)
            made.append(self.publisher)
        self.publisher.received(data, lambda chunk: receive(self, chunk))

    protocol.data_received = data_received
    return made


async def serve(options: argparse.Namespace) -> None:
    server = Server()
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{options.port}/publisher")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    index = await server.register_namespace(URI)
    for number, kind in enumerate(KINDS, 1):
        initial: Any = {"String": "", "Boolean": False, "Int32": 0}.get(kind, 0.0)
        await server.nodes.objects.add_variable(ua.NodeId(number, index), f"{index}:{kind}", initial, ua.VariantType[kind])
    made = hook()
    loop = asyncio.get_running_loop()

    def command(line: str) -> None:
        busy = [one for one in made if one._items and not one._protocol.transport.is_closing()]
        if line == "stats":
            sys.stdout.write(json.dumps(busy[-1].stats if busy else {}) + "\n")
            sys.stdout.flush()
        for one in busy:
            one.goes = one.goes or line == "go"
            one.omit = line if line in ("skip", "lose") else one.omit

    def listen() -> None:
        for line in sys.stdin:
            loop.call_soon_threadsafe(command, line.strip())

    threading.Thread(target=listen, daemon=True).start()
    async with server:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        begin_s = time.monotonic()
        for tick in range(1, 10**9):
            await asyncio.sleep(max(0.0, begin_s + tick * options.interval_ms / 1000 - time.monotonic()))
            for one in made:
                if one.goes and not one._protocol.transport.is_closing():
                    one.tick(tick)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--interval-ms", type=int, default=100)
    logging.disable(logging.CRITICAL)
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
