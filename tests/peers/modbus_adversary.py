"""Modbus devices that answer as wrongly as they can without lying: seeded, so that a run can be repeated.

Register ``address`` of ``table`` of ``unit`` holds ``unit << 14 | (table is input) << 13 | address``: a value says where it is from. What
no client can tell is left out: registers of another address in a frame that is right in all else, sent as the one reply to a request. Of
RTU that includes a second copy of a reply that comes when the next request is out, and a reply that is both late and spoiled (of another
function or count, it may be the right one for what is asked by then). It may come as late as it likes, but the unit answers in order.
Of TCP it is a late reply under the id that the request after it has.

An answer is bytes to send at once; an adversary's own means are the parts of a reply in time, and what it holds back.
"""

from __future__ import annotations

import asyncio
import random
import struct
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from app.drivers.modbus.framing_rtu import frame_of
from app.drivers.modbus.guard import REQUEST_SIZES
from tests.peers.serving import serving

Form = Literal["tcp", "rtu"]
TABLES = {3: "holding", 4: "input"}


def value(unit: int, function: int, address: int) -> int:
    return unit << 14 | (function == 4) << 13 | address


class Asked(NamedTuple):
    transaction: int
    unit: int
    function: int
    address: int
    size: int
    at_s: float = 0.0

    @property
    def words(self) -> list[int]:
        return [value(self.unit, self.function, self.address + n) for n in range(self.size)]


def registers(words: list[int], function: int, size: int | None = None) -> bytes:
    return bytes((function, 2 * len(words) if size is None else size)) + struct.pack(f">{len(words)}H", *words)


@dataclass
class Adversary:
    """One device, which serves one connection after the other.

    Attributes:
        faults: Name of the fault → how many replies it spoiled.
        honest: Answers rightly from now on.
        written: Function codes of all that came.
        busy: Replies that are still to come from earlier requests.
    """

    form: Form
    seed: int
    timeout_s: float
    wrong: float = 0.6
    port: int = 0
    honest: bool = False
    faults: Counter[str] = field(default_factory=Counter)
    written: Counter[int] = field(default_factory=Counter)
    answered: list[bytes] = field(default_factory=list)
    late: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)

    # --- frames -----------------------------------------------------------------------------------------------------------

    def frame(self, asked: Asked, pdu: bytes, **other: int) -> bytes:
        """With another transaction id, unit, protocol or length where that is said."""
        unit = other.get("unit", asked.unit)
        if self.form == "rtu":
            return frame_of(unit, pdu)
        length = other.get("length", len(pdu) + 1)
        return struct.pack(">HHHB", other.get("transaction", asked.transaction) & 0xFFFF, other.get("protocol", 0), length, unit) + pdu

    def right(self, asked: Asked) -> bytes:
        return self.frame(asked, registers(asked.words, asked.function))

    # --- serving ----------------------------------------------------------------------------------------------------------

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        queue: asyncio.Queue[Asked] = asyncio.Queue()
        work = asyncio.create_task(self._work(queue, writer))
        try:
            while True:
                queue.put_nowait(await self._next(reader))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            writer.close()

    async def _next(self, reader: asyncio.StreamReader) -> Asked:
        transaction = 0
        if self.form == "tcp":
            transaction, _, length, unit = struct.unpack(">HHHB", await reader.readexactly(7))
            pdu = await reader.readexactly(length - 1)
        else:
            unit, function = await reader.readexactly(2)
            pdu = bytes((function,)) + (await reader.readexactly(REQUEST_SIZES[function] + 1))[:-2]
        self.written[pdu[0]] += 1
        address, count = struct.unpack(">HH", pdu[1:5]) if pdu[0] in TABLES else (0, 0)
        return Asked(transaction, unit, pdu[0], address, count, time.monotonic())

    async def _work(self, queue: asyncio.Queue[Asked], writer: asyncio.StreamWriter) -> None:
        """In order, one at a time; what is late lets the others of TCP pass, as its transaction id says whose it is."""
        while True:
            asked = await queue.get()
            await asyncio.sleep(0)
            if writer.is_closing():
                return
            if asked.function not in TABLES:
                writer.write(self.frame(asked, bytes((asked.function | 0x80, 1))))
            elif self.honest or self.chance.random() >= self.wrong:
                self._send(writer, self.right(asked))
            else:
                name = self.chance.choice(sorted(BOTH | (ONLY_TCP if self.form == "tcp" else ONLY_RTU)))
                if time.monotonic() - asked.at_s > self.timeout_s / 4 and (self.form == "rtu" or name == "another id"):
                    name = "late"
                self.faults[name] += 1
                await self._spoil(name, asked, queue, writer)

    def _send(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        if not writer.is_closing():
            writer.write(data)
            self.answered = [*self.answered[-7:], data]

    async def _spoil(self, name: str, asked: Asked, queue: asyncio.Queue[Asked], writer: asyncio.StreamWriter) -> None:
        if name in BYTES:
            self._send(writer, BYTES[name](self, asked))
            return
        right = self.right(asked)
        cut = self.chance.randrange(1, len(right))
        match name:
            case "late":
                await self._late(right, writer)
            case "swapped":
                with suppress(asyncio.QueueEmpty):
                    other = queue.get_nowait()
                    swapped = (asked._replace(transaction=other.transaction), other._replace(transaction=asked.transaction))
                    self._send(writer, b"".join(self.right(one) for one in swapped if one.function in TABLES))
                    return
                self.faults[name] -= 1
                self._send(writer, right)
            case "silence":
                pass
            case "closed in the middle":
                writer.write(right[:cut])
                writer.close()
            case "cut and resumed":
                writer.write(right[:cut])
                await asyncio.sleep(self.timeout_s * self.chance.choice((0.1, 0.3, 1.5, 3.0)))
                self._send(writer, right[cut:])
            case "cut off":
                writer.write(right[:cut])
            case "slow bytes":
                for at in range(len(right)):
                    if writer.is_closing():
                        return
                    writer.write(right[at : at + 1])
                    await asyncio.sleep(self.timeout_s / 40 if at % 7 == 0 else 0)

    async def _late(self, right: bytes, writer: asyncio.StreamWriter) -> None:
        seconds = self.timeout_s * self.chance.choice((1.1, 1.5, 2.0, 3.0, 5.0))
        if self.form == "rtu":
            await asyncio.sleep(seconds)
            self._send(writer, right)
            return
        task = asyncio.create_task(self._after(seconds, right, writer))
        self.late.add(task)
        task.add_done_callback(self.late.discard)

    async def _after(self, seconds: float, right: bytes, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(seconds)
        self._send(writer, right)

    def noise(self) -> bytes:
        return bytes(self.chance.randrange(256) for _ in range(self.chance.randrange(1, 12)))

    def broken(self, frame: bytes) -> bytes:
        at = self.chance.randrange(len(frame) - 2, len(frame))
        return frame[:at] + bytes((frame[at] ^ self.chance.randrange(1, 256),)) + frame[at + 1 :]


Spoiled = Callable[[Adversary, Asked], bytes]


def _reply(pdu: Callable[[Adversary, Asked], bytes], **other: int) -> Spoiled:
    return lambda device, asked: device.frame(asked, pdu(device, asked), **other)


def _words(asked: Asked, more: int = 0) -> bytes:
    words = asked.words[: max(0, asked.size + more)] + [value(asked.unit, asked.function, asked.address + n) for n in range(max(0, more))]
    return registers(words, asked.function)


def _lie(device: Adversary, asked: Asked) -> bytes:
    return registers(asked.words, asked.function, (2 * asked.size + device.chance.choice((-2, -1, 1, 2, 40, 120))) % 256)


def _exception(device: Adversary, asked: Asked, function: int | None = None) -> bytes:
    return bytes(((asked.function if function is None else function) | 0x80, device.chance.choice((0, 1, 2, 3, 4, 5, 6, 8, 10, 11, 99))))


def _other_unit(device: Adversary, asked: Asked) -> bytes:
    other = asked._replace(unit=asked.unit % 3 + 1)
    return device.frame(other, registers(other.words, other.function))


def _other_function(device: Adversary, asked: Asked) -> bytes:
    other = asked._replace(function=7 - asked.function)
    return device.frame(other, registers(other.words, other.function))


def _other_id(device: Adversary, asked: Asked) -> bytes:
    step = device.chance.choice((-1, -2, -5, 0x4000))  # never the next one: on a busy machine that is a late reply under the next id
    words = [word ^ 0x0155 for word in asked.words]
    return device.frame(asked, registers(words, asked.function), transaction=asked.transaction + step)


BYTES: dict[str, Spoiled] = {
    "duplicated": lambda device, asked: device.right(asked) * 2,
    "another unit": _other_unit,
    "another function": _other_function,
    "function 6 echoed": _reply(lambda device, asked: b"\x06" + struct.pack(">HH", asked.address, device.chance.randrange(65536))),
    "an unknown function": _reply(lambda device, asked: b"\x63" + device.noise()),
    "an exception": _reply(_exception),
    "an exception to another function": _reply(lambda device, asked: _exception(device, asked, 7 - asked.function)),
    "a long exception": _reply(lambda device, asked: bytes((asked.function | 0x80, 2, 2, 2))),
    "short": _reply(lambda device, asked: _words(asked, -1)),
    "long": _reply(lambda device, asked: _words(asked, 2)),
    "a byte count that lies": _reply(_lie),
    "nothing but a function": _reply(lambda device, asked: bytes((asked.function,))),
    "garbage before": lambda device, asked: device.noise() + device.right(asked),
    "garbage after": lambda device, asked: device.right(asked) + device.noise(),
    "garbage": lambda device, asked: device.noise(),
    "an older reply before": lambda device, asked: b"".join(device.answered[-1:]) + device.right(asked),
    "id 0": lambda device, asked: device.frame(asked, registers([1] * asked.size, asked.function), transaction=0),
    "another id": _other_id,
    "an older reply again": lambda device, asked: b"".join(device.answered[-1:]),
    "a wrong length": lambda device, asked: device.frame(asked, _words(asked), length=device.chance.choice((0, 1, 2, 5, 300, 65535))),
    "another protocol": lambda device, asked: device.frame(asked, _words(asked), protocol=1),
    "a broken checksum": lambda device, asked: device.broken(device.right(asked)),
}
BOTH = {
    "duplicated", "another unit", "another function", "function 6 echoed", "an unknown function", "an exception", "short", "long",
    "an exception to another function", "a long exception", "a byte count that lies", "nothing but a function", "garbage before",
    "garbage after", "garbage", "late", "silence", "closed in the middle", "cut and resumed", "cut off", "slow bytes",
}  # fmt: skip
ONLY_TCP = {"id 0", "another id", "an older reply again", "an older reply before", "a wrong length", "another protocol", "swapped"}
ONLY_RTU = {"a broken checksum"}


@asynccontextmanager
async def adversary(device: Adversary) -> AsyncIterator[Adversary]:
    async with serving(device.serve, more=device.late) as device.port:
        yield device
