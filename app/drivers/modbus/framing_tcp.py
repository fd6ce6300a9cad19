"""Modbus TCP frames: Modbus Messaging on TCP/IP V1.0b §3.1.3. Also inside TLS (Modbus/TCP Security §7).

The transaction id says which request a reply is for, and each field of the reply is compared with that request's. What an id cannot tell
is a frame that was cut off and filled up by the next one: its fields are right, and its last registers are the head of another reply. So
while another reply is awaited, or was given up,

* a frame that has the head of that reply inside is none, and nothing on this connection is believed any more;
* a frame that ends as that head begins is held back until more comes: either the whole head, and then the frame was whole, or the rest
  of it. Where nothing comes for ``session_wire.HOLD_S`` the frame was whole: that the rest of a frame that has begun comes within this
  time is what is assumed.
"""

from __future__ import annotations

import struct
from collections import deque
from typing import Final, NamedTuple

from app.drivers.modbus.framing import Arrival
from app.drivers.modbus.guard import Asked, check, reply_fault

HEADER: Final = struct.Struct(">HHHB")  # transaction id, protocol id, length, unit
LONGEST: Final = 254
"""Largest length field: unit id and a PDU of 253 bytes."""
LAST_TRANSACTION: Final = 0xFFFF
REMEMBERED: Final = 64
FORGET_S: Final = 10.0
"""After which the reply to a request that was given up is not looked for any more inside of others."""


class Awaited(NamedTuple):
    """A request and how its reply begins.

    Attributes:
        head: The first 9 bytes of the reply to a read of a table; b"" where they are not known.
        starts: What the reply, or a refusal, begins with as far as it is known.
    """

    asked: Asked
    head: bytes
    starts: tuple[bytes, ...]

    def begins(self, data: bytes) -> bool:
        """Whether ``data`` can be the beginning of the reply, as far as it goes."""
        return any(start.startswith(data[: len(start)]) for start in self.starts)


class TcpFraming:
    """See ``framing.Framing``. The transaction id tells every late reply; a reply with id 0 is none, for 0 is never sent.

    Args:
        latest: Transaction id before the first. Better another one for each connection, or a gateway that still answers what was asked
            on the one before answers what is asked on this one.
    """

    serial = False

    def __init__(self, latest: int = 0) -> None:
        self.latest = latest
        self._buffer = b""
        self._awaited: dict[int, Awaited] = {}
        self._given_up: dict[int, Awaited] = {}
        """Without a reply until now."""
        self._answered: deque[Awaited] = deque(maxlen=8)
        self._earlier: deque[int] = deque(maxlen=REMEMBERED)
        self._held: Arrival | None = None
        self._broken = False

    @property
    def waits(self) -> bool:
        return self._held is not None

    def request(self, unit: int, pdu: bytes, now_s: float) -> bytes:
        check(pdu)
        self.latest = self.latest % LAST_TRANSACTION + 1
        self._awaited[self.latest] = _awaited(self.latest, Asked(unit, pdu, now_s))
        while self._given_up and now_s - (oldest := next(iter(self._given_up.items())))[1].asked.at_s > FORGET_S:
            del self._given_up[oldest[0]]
        return HEADER.pack(self.latest, 0, len(pdu) + 1, unit) + pdu

    def received(self, data: bytes) -> list[Arrival]:
        if self._broken:
            return []
        self._buffer += data
        found: list[Arrival] = []
        if self._held is not None:
            if not self._begins_another():
                return self._garbage(found, f"after the reply came what is no Modbus frame: {self._buffer[:16].hex(' ')}")
            found += self.silence()
        while len(self._buffer) >= HEADER.size:
            transaction, protocol, length, unit = HEADER.unpack_from(self._buffer)
            if protocol != 0 or not 3 <= length <= LONGEST:
                return self._garbage(found, name_what_answered(self._buffer))
            end = 6 + length
            if end > len(self._buffer):
                break
            frame, self._buffer = self._buffer[:end], self._buffer[end:]
            arrival = self._judged(frame, transaction, unit, frame[7:])
            if arrival.kind == "reply" and (why := self._doubt(frame)):
                return self._garbage(found, why)
            if self._held is None:
                found.append(arrival)
        if self._buffer[2:4].strip(b"\0"):
            return self._garbage(found, name_what_answered(self._buffer))
        return found

    def silence(self) -> list[Arrival]:
        held, self._held = self._held, None
        return [] if held is None else [held]

    def give_up(self, key: int) -> str:
        awaited = self._awaited.pop(key, None)
        if awaited is not None:
            self._earlier.append(key)
            self._given_up[key] = awaited
        if self._held is not None and self._held.key == key:
            self._held = None
        if self._buffer and not any(one.begins(self._buffer) for one in self._awaited.values()):
            return "the device stopped in the middle of a reply"
        return ""

    def fences(self, unit: int, pdu: bytes, now_s: float) -> tuple[bytes, ...] | None:
        del unit, pdu, now_s  # the transaction id leaves no doubt
        return None

    def passed(self, unit: int) -> None:
        del unit

    def _garbage(self, found: list[Arrival], why: str) -> list[Arrival]:
        """Nothing more is believed, a reply that came in the same breath neither."""
        self._broken, self._held = True, None
        data, self._buffer = self._buffer, b""
        return [*(arrival for arrival in found if arrival.kind != "reply"), Arrival("garbage", data, why=why)]

    def _judged(self, frame: bytes, transaction: int, unit: int, pdu: bytes) -> Arrival:
        awaited = self._awaited.pop(transaction, None)
        if awaited is None:
            if not self._awaited or transaction in self._earlier:
                self._given_up.pop(transaction, None)
                return Arrival("late", frame, unit, pdu, "it came after its request was given up, or for none")
            ids = ", ".join(map(str, self._awaited))
            self._earlier.extend(self._awaited)
            self._awaited.clear()
            return Arrival("malformed", frame, unit, pdu, f"the reply carries transaction id {transaction}, the request {ids}")
        self._earlier.append(transaction)
        if fault := reply_fault(awaited.asked, unit, pdu):
            return Arrival("malformed", frame, unit, pdu, fault, transaction)
        self._answered.append(awaited)
        return Arrival("reply", frame, unit, pdu, key=transaction)

    # --- cut off and filled up --------------------------------------------------------------------------------------------

    def _doubt(self, frame: bytes) -> str:
        """Why a frame that looks right, and was just taken off the buffer, is not whole; it may also be held until that is clear."""
        heads = [one.head for others in (self._awaited, self._given_up) for one in others.values() if one.head]
        if any(frame.find(head, HEADER.size + 2) > 0 for head in heads):
            return "a reply was cut off and filled up by another one"
        if self._buffer:
            # It is what is left over of the next frame, where the head of that one filled up this.
            return "" if self._begins_another() else f"after the reply came what is no Modbus frame: {self._buffer[:16].hex(' ')}"
        if any(_ends_as_begins(frame, head) for head in heads):
            self._held = _as_reply(frame)
        return ""

    def _begins_another(self) -> bool:
        return any(one.begins(self._buffer) for one in (*self._awaited.values(), *self._given_up.values(), *self._answered))


def _awaited(transaction: int, asked: Asked) -> Awaited:
    start, size = struct.pack(">HH", transaction, 0), asked.size
    if size is None:
        return Awaited(asked, b"", (start,))
    head = start + bytes((0, 3 + size, asked.unit, asked.function, size))
    return Awaited(asked, head, (head, start + bytes((0, 3, asked.unit, asked.function | 0x80))))


def _as_reply(frame: bytes) -> Arrival:
    transaction, _, _, unit = HEADER.unpack_from(frame)
    return Arrival("reply", frame, unit, frame[7:], key=transaction)


def _ends_as_begins(frame: bytes, head: bytes) -> bool:
    """Whether the last bytes of a frame's registers are the first of a head."""
    room = min(len(head), len(frame) - HEADER.size - 2)
    if head[0] not in frame[len(frame) - room :]:
        return False
    return any(frame.endswith(head[:count]) for count in range(1, room + 1))


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
