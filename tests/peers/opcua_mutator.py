"""Between a client and an OPC UA server, in its own process: answers go through mutated. ``python -m tests.peers.opcua_mutator TARGET``.

Prints its port. Reads commands from standard input, one per line, and answers each with one line:
``mutate SEED SHARE WAYS`` mutates that share (0 … 1) of the answers from now on, in ways of ``content`` (what is inside a message) or of
``form`` (chunks as such: what is inside stays as the server sent it); ``honest`` lets everything through; ``count`` tells how many
mutants went out. The seed and the order of the answers decide what happens to each of them. Of most connections the first answers are
spared, so that there is a session to speak of.
"""

from __future__ import annotations

import asyncio
import random
import struct
import sys
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress

HEAD = struct.Struct("<3scI")
SPARED, SPARED_SHARE = 14, 0.75
"""So many answers, of that share of the connections: from the hello to the first values."""
BODY_AT = 24  # of a MSG: header, channel id, token id, sequence number, request id (OPC 10000-6 §6.7.2)
EDGES = (0, 1, 2, 0x7F, 0x80, 0xFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFE, 10_000_000, 58_000_000, 65_536)


class Mutator:
    """What is common to all connections."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.chance = random.Random(0)
        self.share = 0.0
        self.ways: tuple[Callable[[Mutator, bytes], bytes], ...] = ()
        self.count = 0
        self.old: deque[bytes] = deque(maxlen=64)

    def command(self, line: str) -> str:
        match line.split():
            case ["mutate", seed, share, ways]:
                self.chance, self.share, self.ways = random.Random(int(seed)), float(share), WAYS[ways]
            case ["honest"]:
                self.share = 0.0
        return str(self.count)

    def way(self) -> Callable[[bytes], bytes]:
        """Of the answers of a new connection."""
        spared = SPARED if self.chance.random() < SPARED_SHARE else 0

        def passed(chunk: bytes) -> bytes:
            nonlocal spared
            spared -= 1
            return self.passed(chunk, spared >= 0)

        return passed

    def passed(self, chunk: bytes, spared: bool) -> bytes:
        """The chunk, or what became of it."""
        if spared or not self.share or self.chance.random() >= self.share:
            self.old.append(chunk)
            return chunk
        self.count += 1
        mutant = self.chance.choice(self.ways)(self, chunk)
        self.old.append(chunk)
        return mutant


def body_start(chunk: bytes) -> int:
    """Where the sequence header ends, of a MSG; of an OPN without security, behind its three strings; else behind the sizes."""
    if chunk.startswith(b"MSG"):
        return BODY_AT
    if not chunk.startswith(b"OPN"):
        return HEAD.size
    at = 12
    for _ in range(3):
        (length,) = struct.unpack_from("<i", chunk, at)
        at += 4 + max(length, 0)
    return at + 8


def resized(chunk: bytes) -> bytes:
    return chunk[:4] + struct.pack("<I", len(chunk)) + chunk[8:]


def flipped(mutator: Mutator, chunk: bytes) -> bytes:
    data, start = bytearray(chunk), body_start(chunk)
    for _ in range(mutator.chance.randint(1, 6)):
        if len(data) > start:
            data[mutator.chance.randrange(start, len(data))] ^= 1 << mutator.chance.randrange(8)
    return bytes(data)


def number(mutator: Mutator, chunk: bytes) -> bytes:
    """A count, a length, a type or whatever else stands there."""
    data, start = bytearray(chunk), body_start(chunk)
    if len(data) >= start + 4:
        at = mutator.chance.randrange(start, len(data) - 3)
        struct.pack_into("<I", data, at, mutator.chance.choice(EDGES))
    return bytes(data)


def truncated(mutator: Mutator, chunk: bytes) -> bytes:
    """Shorter, and says so."""
    return resized(chunk[: mutator.chance.randrange(body_start(chunk), len(chunk) + 1)])


def grown(mutator: Mutator, chunk: bytes) -> bytes:
    at = mutator.chance.randrange(body_start(chunk), len(chunk) + 1)
    return resized(chunk[:at] + mutator.chance.randbytes(mutator.chance.randint(1, 64)) + chunk[at:])


def nested(mutator: Mutator, chunk: bytes) -> bytes:
    """Variants in Variants, DiagnosticInfos in DiagnosticInfos, or arrays of nothing, from somewhere on."""
    at = mutator.chance.randrange(body_start(chunk), len(chunk) + 1)
    deep = mutator.chance.choice([b"\x18" * 3_000, b"\x98\x01\x00\x00\x00" * 1_000, b"\x40" * 3_000, b"\x17\x01" * 2_000])
    nulls = b"\x80" + struct.pack("<i", mutator.chance.choice([58_000_000, 2**31 - 1, -2, -8]))
    return resized(chunk[:at] + mutator.chance.choice([deep, nulls]) + chunk[at:])


def spliced(mutator: Mutator, chunk: bytes) -> bytes:
    """The beginning of this answer, the end of an earlier one."""
    if not mutator.old:
        return chunk
    other = mutator.chance.choice(mutator.old)
    start = body_start(chunk)
    at = mutator.chance.randrange(start, len(chunk) + 1)
    return resized(chunk[:at] + other[mutator.chance.randrange(body_start(other), len(other) + 1) :])


def replayed(mutator: Mutator, chunk: bytes) -> bytes:
    """An earlier answer, with the sequence number and request id of this one: as a server mixes up its answers."""
    same = [old for old in mutator.old if old[:3] == chunk[:3] == b"MSG"]
    return resized(chunk[:BODY_AT] + mutator.chance.choice(same)[BODY_AT:]) if same else chunk


def header(mutator: Mutator, chunk: bytes) -> bytes:
    """One of the fields in front of the body: kind, final, size, channel, token, sequence number, request id."""
    data = bytearray(chunk)
    if mutator.chance.random() < 0.2:
        data[mutator.chance.randrange(4)] = mutator.chance.choice(b"CFAX\x00MO")
    else:
        at = mutator.chance.choice([4, 4, 8, 12, 16, 20])
        (was,) = struct.unpack_from("<I", data, at) if len(data) >= at + 4 else (0,)
        value = mutator.chance.choice([*EDGES, was + 1, was + 2, max(was - 1, 0)]) & 0xFFFFFFFF
        if len(data) >= at + 4:
            struct.pack_into("<I", data, at, value)
    return bytes(data)


def doubled(_: Mutator, chunk: bytes) -> bytes:
    return chunk + chunk


def lost(_: Mutator, __: bytes) -> bytes:
    return b""


def late(mutator: Mutator, chunk: bytes) -> bytes:
    """This one, and once more an earlier one, as it was."""
    return chunk + (mutator.chance.choice(mutator.old) if mutator.old else b"")


def endless(_: Mutator, chunk: bytes) -> bytes:
    """An intermediate chunk, again and again."""
    return (chunk[:3] + b"C" + chunk[4:]) * 200


def foreign(mutator: Mutator, _: bytes) -> bytes:
    return mutator.chance.choice(
        [
            b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n",
            mutator.chance.randbytes(200),
            b"MSGF" + struct.pack("<I", 2**31 - 1) + b"x" * 50_000,
        ]
    )


CONTENT = (flipped, flipped, number, number, truncated, grown, nested, spliced)
FORM = (header, header, doubled, lost, late, endless, foreign)
WAYS: dict[str, tuple[Callable[[Mutator, bytes], bytes], ...]] = {
    "content": CONTENT, "form": FORM, "replay": (replayed,), "all": (*CONTENT, *CONTENT, *CONTENT, *FORM),
}  # fmt: skip


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, change: Callable[[bytes], bytes] | None) -> None:
    with suppress(ConnectionError, asyncio.IncompleteReadError):
        while True:
            if change is None:
                if not (data := await reader.read(65_536)):
                    break
                writer.write(data)
            else:
                head = await reader.readexactly(HEAD.size)
                writer.write(change(head + await reader.readexactly(HEAD.unpack(head)[2] - HEAD.size)))
            await writer.drain()
    writer.close()


async def serve(target: int) -> None:
    mutator = Mutator(target)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", target)
        except OSError:
            writer.close()
            return
        await asyncio.gather(pump(reader, server_writer, None), pump(server_reader, writer, mutator.way()))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    loop, ended = asyncio.get_running_loop(), asyncio.Event()

    def say(text: str) -> None:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    def answer(line: str) -> None:
        say(mutator.command(line))

    def listen() -> None:
        for line in sys.stdin:
            loop.call_soon_threadsafe(answer, line)
        loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=listen, daemon=True).start()
    say(str(server.sockets[0].getsockname()[1]))
    await ended.wait()
    server.close()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
