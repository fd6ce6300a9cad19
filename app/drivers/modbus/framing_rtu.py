"""Modbus RTU frames: Modbus over Serial Line V1.02 §2.5.1. On a serial line, and as they are inside a TCP connection.

A reply carries no number, so a late one looks like the reply to the next request of its kind. What is against that: after a request that
was given up, the line is drained (``session_wire``), every frame that fits an unanswered request and not the present one is put aside, and
a request whose reply would look like that of an unanswered one for another address is only sent behind a *fence*: a read of the
same address with another length, whose reply cannot be mistaken. A unit answers in order, so after the fence nothing old can come.
"""

from __future__ import annotations

import struct
from typing import Final

from app.drivers.modbus.framing import Arrival
from app.drivers.modbus.guard import (
    BIT_FUNCTIONS,
    DEVICE_IDENTIFICATION,
    DIAGNOSTICS,
    EVENT_COUNTER,
    READ_STATUS,
    SERVER_ID,
    TABLE_FUNCTIONS,
    Asked,
    check,
    reply_fault,
)

LONGEST: Final = 256
"""Unit, PDU of 253 bytes, CRC (Modbus over Serial Line V1.02 §2.3)."""
FORGET_S: Final = 10.0
"""After which a request that was given up puts no other into doubt, unless the time-out is long: no device keeps a reply that long."""
NOT_A_FRAME: Final = -1
NOT_YET: Final = 0


def crc(data: bytes) -> int:
    """CRC-16 with polynomial 0xA001 (reflected), start 0xFFFF; sent low byte first (Modbus over Serial Line V1.02 §6.2.2)."""
    value = 0xFFFF
    for byte in data:
        value = (value >> 8) ^ _CRC_TABLE[(value ^ byte) & 0xFF]
    return value


def _crc_of_byte(value: int) -> int:
    for _ in range(8):
        value = (value >> 1) ^ (0xA001 if value & 1 else 0)
    return value


_CRC_TABLE: Final = tuple(_crc_of_byte(byte) for byte in range(256))


def frame_of(unit: int, pdu: bytes) -> bytes:
    body = bytes((unit,)) + pdu
    return body + crc(body).to_bytes(2, "little")


def has_right_crc(frame: bytes) -> bool:
    return len(frame) >= 4 and crc(frame[:-2]) == int.from_bytes(frame[-2:], "little")


def reply_length(data: bytes) -> int:
    """Bytes of the reply that begins here, as its function and its own counts say; ``NOT_YET`` known, or ``NOT_A_FRAME``."""
    if len(data) < 2:
        return NOT_YET
    function = data[1]
    if function & 0x80:
        return 5
    if function in TABLE_FUNCTIONS or function == SERVER_ID:
        return NOT_YET if len(data) < 3 else 5 + data[2]
    if function in (READ_STATUS, DIAGNOSTICS, EVENT_COUNTER):
        return 5 if function == READ_STATUS else 8
    return _identification_length(data) if function == DEVICE_IDENTIFICATION else NOT_A_FRAME


def _identification_length(data: bytes) -> int:
    """Its head, objects of a length of their own, CRC."""
    if len(data) < 8:
        return NOT_YET
    at = 8
    for _ in range(data[7]):
        if at + 2 > len(data):
            return NOT_YET
        at += 2 + data[at + 1]
        if at + 2 > LONGEST:
            return NOT_A_FRAME
    return at + 2


class RtuFraming:
    """See ``framing.Framing``.

    Args:
        echo: Whether the adapter gives back what we send (two-wire RS-485). None finds out: it does so from the first exchange
            that leaves no doubt, and until then takes bytes that equal the request for an echo.
        hold: A whole reply counts only when nothing follows it (``silence`` is called after 3.5 character times). Off where bytes
            come through a network and their times mean nothing.
        forget_s: After which a request that was given up puts no other into doubt.
    """

    serial = True
    latest = 0
    waits = False

    def __init__(self, *, echo: bool | None = None, hold: bool = True, forget_s: float = FORGET_S) -> None:
        self._echoes, self._hold, self._forget_s = echo, hold, forget_s
        self._buffer = b""
        self._sent = b""
        self._asked: Asked | None = None
        self._echo_seen = False
        self._fault = ""
        """Why the bytes in the buffer can be no reply any more; they are judged when nothing follows."""
        self._whole: Arrival | None = None
        """The reply, as long as something may still follow it."""
        self._unanswered: list[Asked] = []

    def request(self, unit: int, pdu: bytes, now_s: float) -> bytes:
        check(pdu)
        self.give_up()
        self._asked = Asked(unit, pdu, now_s)
        self._sent = frame_of(unit, pdu)
        self._echo_seen = False
        return self._sent

    def received(self, data: bytes) -> list[Arrival]:
        self._buffer += data
        if self._asked is None:
            return self._unasked() if len(self._buffer) > LONGEST or not self._hold else []
        if self._whole is not None:
            self._fail(f"after the reply came more: {data[:16].hex(' ')}")
        found: list[Arrival] = []
        if not self._fault and self._past_echo():
            found = self._frames(self._asked)
        if self._fault and (not self._hold or len(self._buffer) > LONGEST):
            return [*found, *self._malformed()]
        return found

    def silence(self) -> list[Arrival]:
        if self._asked is None:
            return self._unasked()
        if self._whole is not None:
            return [self._answered(self._whole)]
        return self._malformed() if self._fault else []

    def give_up(self, key: int = 0) -> str:
        del key  # there is one at a time
        if self._asked is not None:
            self._unanswered.append(self._asked)  # as often as it was asked: each time may still be answered
        self._reset()
        return ""

    # --- doubt ------------------------------------------------------------------------------------------------------------

    def fences(self, unit: int, pdu: bytes, now_s: float) -> tuple[bytes, ...] | None:
        self._unanswered = [one for one in self._unanswered if now_s - one.at_s < self._forget_s]
        asked = Asked(unit, pdu)
        doubtful = {one.size for one in self._unanswered if (one.unit, one.function) == (unit, asked.function) and one.pdu != pdu}
        if asked.function not in TABLE_FUNCTIONS or asked.size not in doubtful:
            return None
        function, address, count = struct.unpack(">BHH", pdu)
        step = 8 if function in BIT_FUNCTIONS else 1
        within = [(address, other) for other in range(1, count, step)][:4]
        beyond = [(address if address + other <= 0x10000 else address + count - other, other) for other in (count + step, count + 2 * step)]
        fences = [struct.pack(">BHH", function, *extent) for extent in within + beyond]
        return tuple(fence for fence in fences if Asked(unit, fence).size not in doubtful | {asked.size})

    def passed(self, unit: int) -> None:
        self._unanswered = [one for one in self._unanswered if one.unit != unit]

    # --- what came --------------------------------------------------------------------------------------------------------

    def _past_echo(self) -> bool:
        """Takes our own request off the front where the adapter gives it back; False while that is not yet clear."""
        if self._echo_seen or self._echoes is False:
            return True
        if self._buffer.startswith(self._sent):
            self._buffer, self._echo_seen = self._buffer[len(self._sent) :], True
            return bool(self._buffer)
        if self._sent.startswith(self._buffer):
            return False
        if self._echoes:
            self._fail("the adapter did not give back our request as it was: two devices may talk at the same time")
        return True

    def _frames(self, asked: Asked) -> list[Arrival]:
        """Late frames, and what else is whole."""
        found: list[Arrival] = []
        while not self._fault and self._whole is None and self._buffer:
            length = reply_length(self._buffer)
            if length == NOT_A_FRAME or length > LONGEST:
                self._fail(self._why_not(asked))
            elif length == NOT_YET or len(self._buffer) < length:
                break
            else:
                frame, rest = self._buffer[:length], self._buffer[length:]
                found += self._judged(asked, frame, rest)
        if self._whole is not None and not self._fault and not self._hold:
            found.append(self._answered(self._whole))
        return found

    def _judged(self, asked: Asked, frame: bytes, rest: bytes) -> list[Arrival]:
        unit, pdu = frame[0], frame[1:-2]
        if not has_right_crc(frame):
            self._fail(f"the checksum (CRC) of {frame[:16].hex(' ')}{' …' if len(frame) > 16 else ''} is wrong")
            return []
        fault = reply_fault(asked, unit, pdu)
        if not fault and not rest:
            self._whole = Arrival("reply", frame, unit, pdu)
            return []
        late = next((one for one in self._unanswered if not reply_fault(one, unit, pdu)), None)
        if fault and late is not None:
            self._unanswered.remove(late)
            self._buffer = rest
            return [Arrival("late", frame, unit, pdu, "it belongs to a request that was given up")]
        self._fail(fault or f"after the reply came more: {rest[:16].hex(' ')}")
        return []

    def _why_not(self, asked: Asked) -> str:
        unit, function = self._buffer[0], self._buffer[1]
        if (unit, function) == (asked.unit, asked.function):
            return f"what came is no Modbus RTU frame: {self._buffer[:16].hex(' ')}"
        return f"unit {unit}, function {function} came in place of unit {asked.unit}, function {asked.function}"

    def _fail(self, why: str) -> None:
        self._fault, self._whole = self._fault or why, None

    def _answered(self, reply: Arrival) -> Arrival:
        asked = self._asked
        assert asked is not None
        if reply.pdu[0] & 0x80:
            # It does not say how much was asked for. Where an older request of its kind is open, it may be that one's.
            kind = (asked.unit, asked.function)
            if any((one.unit, one.function) == kind and one.pdu != asked.pdu for one in self._unanswered):
                self._unanswered.append(asked)
        if self._echoes is None and (self._echo_seen or not self._could_be_echo(asked)):
            self._echoes = self._echo_seen
        self._reset()
        return reply

    @staticmethod
    def _could_be_echo(asked: Asked) -> bool:
        """Whether the right reply can be the very bytes of the request: 17 to 24 bits from 0x0300 on, and the echo of function 8."""
        return asked.function == DIAGNOSTICS or (asked.function in BIT_FUNCTIONS and asked.size == 3)

    def _malformed(self) -> list[Arrival]:
        why, data = self._fault, self._buffer
        self.give_up()
        return [Arrival("malformed", data, data[0] if data else 0, b"", why)]

    def _unasked(self) -> list[Arrival]:
        data, self._buffer = self._buffer, b""
        if not data:
            return []
        if not has_right_crc(data):
            return [Arrival("late", data, why="it came though nothing was asked")]
        unit, pdu = data[0], data[1:-2]
        late = next((one for one in self._unanswered if not reply_fault(one, unit, pdu)), None)
        if late is not None:
            self._unanswered.remove(late)
        return [Arrival("late", data, unit, pdu, "it came after its request was given up" if late else "it came though nothing was asked")]

    def _reset(self) -> None:
        self._asked, self._whole, self._buffer, self._sent, self._fault = None, None, b"", b"", ""
