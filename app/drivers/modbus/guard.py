"""Looks at every frame before pymodbus does: nothing that writes goes out, nothing that is not the reply to our request comes in.

pymodbus 3.16.1 accepts a reply with transaction id 0, with another function code (an echoed write too), with fewer registers than asked for
and with an odd byte count, all as good; a false byte count or an unknown function closes the connection from inside a callback.
So this stands in its ``trace_packet`` hook, passes only replies that are right in every field, and lets pymodbus skip the others.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

READ_COILS, READ_DISCRETE, READ_HOLDING, READ_INPUT, DEVICE_IDENTIFICATION = 1, 2, 3, 4, 0x2B
ALLOWED_FUNCTIONS: Final = frozenset({READ_COILS, READ_DISCRETE, READ_HOLDING, READ_INPUT, DEVICE_IDENTIFICATION})
"""Only what reads. Everything else, above all 5, 6, 15, 16, 22 and 23, never leaves this connection."""

HEADER: Final = struct.Struct(">HHHB")  # transaction id, protocol id, length, unit: Modbus Messaging on TCP/IP V1.0b §3.1.3
LONGEST: Final = 254
"""Largest length field: unit id and a PDU of 253 bytes."""
SKIPPED_ID: Final = 0xFFFF
"""pymodbus counts its transaction ids to 65000 only, so a frame that carries this one is skipped by it."""


class ForbiddenFunctionError(RuntimeError):
    """Something tried to send a function that is not a read: a bug, never a user's mistake."""


class RequestError(Exception):
    """A request without a usable reply. ``status`` is the device's exception code, or one of our own (``spec.STATUS_NAMES``)."""

    def __init__(self, status: int, why: str) -> None:
        self.status, self.why = status, why
        super().__init__(why)


@dataclass(frozen=True, slots=True)
class Asked:
    """The request that is waiting for its reply. ``size`` is the byte count of the right reply, None where any is right."""

    transaction: int
    unit: int
    function: int
    size: int | None


class FrameGuard:
    """The hook. Frames are judged in the order in which they come.

    Args:
        on_malformed: Called with a sentence when what came cannot be the reply to what was asked; the framing is still sound.
        on_garbage: Called with a sentence when what came is no Modbus frame at all: nothing on this connection can be trusted any more.
    """

    def __init__(self, on_malformed: Callable[[str], None], on_garbage: Callable[[str], None]) -> None:
        self._on_malformed, self._on_garbage = on_malformed, on_garbage
        self._asked: Asked | None = None
        self._earlier: deque[int] = deque(maxlen=64)
        self._broken = False
        self.late = 0
        """Replies that came after their request was given up."""
        self.cut_off = False
        """Whether the last bytes end within a frame. pymodbus drops them at the next request, and then the frames are out of step."""

    def __call__(self, sending: bool, data: bytes) -> bytes:
        return self._sent(data) if sending else self._received(data)

    def forget(self) -> None:
        """The request was answered or given up: what still comes for it is late."""
        if self._asked is not None:
            self._earlier.append(self._asked.transaction)
            self._asked = None

    def _sent(self, frame: bytes) -> bytes:
        transaction, _, _, unit = HEADER.unpack_from(frame)
        function = frame[7]
        if function not in ALLOWED_FUNCTIONS:
            raise ForbiddenFunctionError(f"Modbus function {function} must not be sent on a reading connection")
        size = None
        if function != DEVICE_IDENTIFICATION:
            (count,) = struct.unpack_from(">H", frame, 10)
            size = (count + 7) // 8 if function in (READ_COILS, READ_DISCRETE) else 2 * count
        self.forget()
        self._asked = Asked(transaction, unit, function, size)
        return frame

    def _received(self, data: bytes) -> bytes:
        """``data`` is all that pymodbus has not consumed yet; what is returned has the same length, or is empty where nothing is usable."""
        if self._broken:
            return b""
        passed = bytearray(data)
        at = 0
        answered = False
        while len(data) - at >= HEADER.size:
            transaction, protocol, length, unit = HEADER.unpack_from(data, at)
            if protocol != 0 or not 3 <= length <= LONGEST:
                return self._garbage(name_what_answered(data[at:]))
            end = at + 6 + length
            if end > len(data):
                break
            if self._is_reply(transaction, unit, data[at + 7 : end]):
                answered = True
            else:
                passed[at : at + 2] = SKIPPED_ID.to_bytes(2, "big")
            at = end
        rest = data[at:]
        self.cut_off = bool(rest)
        if answered and rest:
            # A reply that was cut off and filled up with the next frame looks right but for what is left over of that one.
            return self._garbage(f"after the reply came what is no Modbus frame: {rest[:16].hex(' ')}")
        if rest[2:4].strip(b"\0"):
            return self._garbage(name_what_answered(rest))
        return bytes(passed)

    def _garbage(self, why: str) -> bytes:
        self._broken = True
        self._on_garbage(why)
        return b""

    def _is_reply(self, transaction: int, unit: int, pdu: bytes) -> bool:
        asked = self._asked
        if asked is None or (transaction != asked.transaction and transaction in self._earlier):
            self.late += 1
            return False
        if fault := _fault(asked, transaction, unit, pdu):
            self.forget()
            self._on_malformed(fault)
            return False
        self.forget()
        return True


def _fault(asked: Asked, transaction: int, unit: int, pdu: bytes) -> str:
    """What is wrong with a reply, "" when nothing is."""
    if transaction != asked.transaction:
        return f"the reply carries transaction id {transaction}, the request {asked.transaction}"
    if unit != asked.unit:
        return f"unit {unit} answered a request to unit {asked.unit}"
    function = pdu[0]
    if function == asked.function | 0x80:
        return "" if len(pdu) == 2 and pdu[1] else f"an exception reply has one byte that is not 0, this one {pdu[1:].hex(' ')}"
    if function != asked.function:
        return f"function {function} answered a request for function {asked.function}"
    if asked.size is None:
        return _identification_fault(pdu)
    if len(pdu) != 2 + pdu[1]:
        return f"the reply announces {pdu[1]} bytes and carries {len(pdu) - 2}"
    if pdu[1] != asked.size:
        return f"{asked.size} bytes were asked for, {pdu[1]} came"
    return ""


def _identification_fault(pdu: bytes) -> str:
    """Modbus V1.1b3 §6.21: 0x0E, read code, conformity, more follows, next id, number of objects, then id, length and value of each."""
    if len(pdu) < 7 or pdu[1] != 0x0E:
        return "the device identification is cut off"
    at = 7
    for _ in range(pdu[6]):
        if at + 2 > len(pdu):
            return "the device identification is cut off"
        at += 2 + pdu[at + 1]
    return "" if at == len(pdu) else "the objects of the device identification do not add up to its length"


def name_what_answered(data: bytes) -> str:
    """A sentence for bytes that are no Modbus TCP frame."""
    known = {
        b"HTTP/": "a web server (HTTP)",
        b"<": "a web server (HTTP)",
        b"SSH-": "an SSH server",
        b"ACK": "an OPC UA server",
        b"ERR": "an OPC UA server",
        b"\x15\x03": "a TLS server",
        b"\x16\x03": "a TLS server",
        b"220": "a mail or file server",
    }
    for start, name in known.items():
        if data.startswith(start):
            return f"{name} answered"
    return f"what answered is not Modbus TCP: {data[:16].hex(' ')}"
