"""Modbus TCP frames: Modbus Messaging on TCP/IP V1.0b §3.1.3. Also inside TLS (Modbus/TCP Security §7)."""

from __future__ import annotations

import struct
from collections import deque
from typing import Final

from app.drivers.modbus.framing import Arrival
from app.drivers.modbus.guard import Asked, check, reply_fault

HEADER: Final = struct.Struct(">HHHB")  # transaction id, protocol id, length, unit
LONGEST: Final = 254
"""Largest length field: unit id and a PDU of 253 bytes."""
LAST_TRANSACTION: Final = 0xFFFF


class TcpFraming:
    """See ``framing.Framing``. The transaction id tells every late reply; a reply with id 0 is none, for 0 is never sent."""

    serial = False

    def __init__(self) -> None:
        self._buffer = b""
        self._transaction = 0
        self._asked: Asked | None = None
        self._earlier: deque[int] = deque(maxlen=64)
        self._broken = False

    def request(self, unit: int, pdu: bytes, now_s: float) -> bytes:
        check(pdu)
        self.give_up()
        self._transaction = self._transaction % LAST_TRANSACTION + 1
        self._asked = Asked(unit, pdu, now_s)
        return HEADER.pack(self._transaction, 0, len(pdu) + 1, unit) + pdu

    def received(self, data: bytes) -> list[Arrival]:
        if self._broken:
            return []
        self._buffer += data
        found: list[Arrival] = []
        answered = False
        while len(self._buffer) >= HEADER.size:
            transaction, protocol, length, unit = HEADER.unpack_from(self._buffer)
            if protocol != 0 or not 3 <= length <= LONGEST:
                return self._garbage(found, name_what_answered(self._buffer))
            end = 6 + length
            if end > len(self._buffer):
                break
            frame, self._buffer = self._buffer[:end], self._buffer[end:]
            arrival = self._judged(frame, transaction, unit, frame[7:])
            answered = answered or arrival.kind == "reply"
            found.append(arrival)
        if answered and self._buffer:
            # A reply that was cut off and filled up with the next frame looks right but for what is left over of that one.
            return self._garbage(found, f"after the reply came what is no Modbus frame: {self._buffer[:16].hex(' ')}")
        if self._buffer[2:4].strip(b"\0"):
            return self._garbage(found, name_what_answered(self._buffer))
        return found

    def silence(self) -> list[Arrival]:
        return []

    def give_up(self) -> str:
        if self._asked is not None:
            self._earlier.append(self._transaction)
            self._asked = None
        return "the device stopped in the middle of a reply" if self._buffer else ""

    def fences(self, unit: int, pdu: bytes, now_s: float) -> tuple[bytes, ...] | None:
        del unit, pdu, now_s  # the transaction id leaves no doubt
        return None

    def passed(self, unit: int) -> None:
        del unit

    def _garbage(self, found: list[Arrival], why: str) -> list[Arrival]:
        """Nothing more is believed, a reply that came in the same breath neither."""
        self._broken = True
        data, self._buffer = self._buffer, b""
        return [*(arrival for arrival in found if arrival.kind != "reply"), Arrival("garbage", data, why=why)]

    def _judged(self, frame: bytes, transaction: int, unit: int, pdu: bytes) -> Arrival:
        asked = self._asked
        if asked is None or (transaction != self._transaction and transaction in self._earlier):
            return Arrival("late", frame, unit, pdu, "it came after its request was given up, or for none")
        if transaction != self._transaction:
            fault = f"the reply carries transaction id {transaction}, the request {self._transaction}"
        else:
            fault = reply_fault(asked, unit, pdu)
        if fault:
            self.give_up()
            return Arrival("malformed", frame, unit, pdu, fault)
        self._asked = None
        self._earlier.append(transaction)
        return Arrival("reply", frame, unit, pdu)


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
