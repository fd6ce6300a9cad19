"""Whether a Modbus TCP device answers, by the least that can be asked: device identification, on one connection.

43/14 (Modbus V1.1b3 §6.21) touches no register and no coil. Whoever does not know it answers with an exception, which proves Modbus as
well as a product name does. Devices that stay silent where they should send an exception are asked for one holding register, which every
later connection reads anyway; then unit 255 is, the device itself behind which units may hang (Modbus Messaging on TCP/IP V1.0b §4.4.1.2).
So at most three requests, one after the other, the next one only while nothing has come.
"""

from __future__ import annotations

import asyncio
import struct
from dataclasses import dataclass, field
from typing import Final, Protocol

_HEADER: Final = struct.Struct(">HHHB")
_IDENTIFICATION: Final = b"\x2b\x0e\x01\x00"
"""Read device identification, basic, from object 0."""
_ONE_HOLDING: Final = b"\x03\x00\x00\x00\x01"
_REQUESTS: Final = ((1, _IDENTIFICATION), (1, _ONE_HOLDING), (255, _IDENTIFICATION))
_NO_UNIT: Final = (0x0A, 0x0B)
"""Exceptions of a gateway: there is no way to the unit, or it did not answer (Modbus V1.1b3 §7)."""


class Stream(Protocol):
    """The connection, as ``app.drivers.probe_connect`` makes it."""

    async def send(self, data: bytes) -> None: ...

    async def receive(self, timeout_s: float) -> bytes:
        """What came; b"" when the peer hung up. Raises TimeoutError when nothing did."""
        ...


@dataclass(frozen=True, slots=True)
class ModbusAnswer:
    """What came.

    Attributes:
        spoken: It is Modbus.
        unit: That answered; None where only a gateway did.
        objects: 43/14: 0 vendor, 1 product code, 2 revision.
        other: The first bytes of what is not Modbus.
        hung_up: The device closed the connection.
        asked: Unit ids that were asked.
    """

    spoken: bool
    unit: int | None = None
    objects: dict[int, str] = field(default_factory=dict)
    round_trip_s: float = 0.0
    other: bytes = b""
    hung_up: bool = False
    asked: tuple[int, ...] = ()

    @property
    def product(self) -> str:
        """``Loom, T-1, 2.3``; "" where the device does not tell."""
        return ", ".join(text for _, text in sorted(self.objects.items()) if text)


async def ask(stream: Stream, timeout_s: float) -> ModbusAnswer:
    """Ask until something comes.

    Args:
        stream: A connection on which nothing was sent.
        timeout_s: For each of the requests.

    Raises:
        OSError: The connection broke.
    """
    loop = asyncio.get_running_loop()
    asked: list[int] = []
    received = b""
    for number, (unit, pdu) in enumerate(_REQUESTS, 1):
        asked += [unit] if unit not in asked else []
        begin_s = loop.time()
        await stream.send(_HEADER.pack(number, 0, len(pdu) + 1, unit) + pdu)
        try:
            while (frame := _frame(received)) is None:
                if received and not _may_be_modbus(received):
                    return ModbusAnswer(False, other=received, asked=tuple(asked))
                left_s = begin_s + timeout_s - loop.time()
                more = await stream.receive(max(0.0, left_s))
                if not more:
                    return ModbusAnswer(False, other=received, hung_up=True, asked=tuple(asked))
                received += more
        except TimeoutError:
            continue
        return _answer(frame, loop.time() - begin_s, tuple(asked))
    return ModbusAnswer(False, other=received, asked=tuple(asked))


def _may_be_modbus(data: bytes) -> bool:
    """Transaction ids are ours, the protocol id is 0, a length fits one frame."""
    fits = not data[:1].strip(b"\0") and not data[2:4].strip(b"\0") and (len(data) < 2 or 1 <= data[1] <= len(_REQUESTS))
    return fits and (len(data) < 6 or 3 <= int.from_bytes(data[4:6], "big") <= 254)


def _frame(data: bytes) -> bytes | None:
    """The first whole frame, when it is an answer to one of ours; None while it is incomplete or none at all."""
    if len(data) < 9 or not _may_be_modbus(data):
        return None
    length = int.from_bytes(data[4:6], "big")
    frame = data[: 6 + length]
    _, pdu = _REQUESTS[data[1] - 1]
    return frame if len(frame) == 6 + length and frame[7] & 0x7F == pdu[0] else None


def _answer(frame: bytes, took_s: float, asked: tuple[int, ...]) -> ModbusAnswer:
    unit, function = frame[6], frame[7]
    if function & 0x80:
        return ModbusAnswer(True, None if frame[8] in _NO_UNIT else unit, round_trip_s=took_s, asked=asked)
    objects = _objects(frame[8:]) if function == _IDENTIFICATION[0] else {}
    return ModbusAnswer(True, unit, objects, took_s, asked=asked)


def _objects(body: bytes) -> dict[int, str]:
    """MEI type, read code, conformity, more follows, next id, number of objects; then id, length and text of each.

    What is cut off is left out.
    """
    found: dict[int, str] = {}
    at = 6
    for _ in range(body[5] if len(body) > 5 else 0):
        if at + 2 > len(body) or at + 2 + body[at + 1] > len(body):
            break
        text = body[at + 2 : at + 2 + body[at + 1]].decode("utf-8", "replace")
        found[body[at]] = "".join(letter for letter in text if letter.isprintable()).strip()
        at += 2 + body[at + 1]
    return found
