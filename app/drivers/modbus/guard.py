"""What may leave a connection that reads, and what counts as the reply to a request: the same for every transport.

Devices, gateways and libraries differ in what they let pass (pymodbus 3.16.1 takes another function code, an echoed write and fewer
registers than asked for as good), so every field of every reply is compared with what was asked before a value is made of it.
"""

from __future__ import annotations

from typing import Final, NamedTuple

READ_COILS, READ_DISCRETE, READ_HOLDING, READ_INPUT = 1, 2, 3, 4
READ_STATUS, DIAGNOSTICS, EVENT_COUNTER, SERVER_ID, DEVICE_IDENTIFICATION = 7, 8, 11, 17, 0x2B
BIT_FUNCTIONS: Final = frozenset({READ_COILS, READ_DISCRETE})
TABLE_FUNCTIONS: Final = frozenset({READ_COILS, READ_DISCRETE, READ_HOLDING, READ_INPUT})
IDENTIFICATION_TYPE: Final = 0x0E

REQUEST_SIZES: Final[dict[int, int]] = {
    READ_COILS: 5, READ_DISCRETE: 5, READ_HOLDING: 5, READ_INPUT: 5, READ_STATUS: 1, DIAGNOSTICS: 5, EVENT_COUNTER: 1, SERVER_ID: 1,
    DEVICE_IDENTIFICATION: 4,
}  # fmt: skip
"""Every function that may be sent and the size of its PDU (Modbus V1.1b3 §6). All others, above all 5, 6, 15, 16, 22 and 23, never leave.

The size counts as well: on a serial line, what follows a request is a request of its own to a device that looks for frames.
"""
ALLOWED_FUNCTIONS: Final = frozenset(REQUEST_SIZES)
ONLY_FOR_A_PERSON: Final = frozenset({READ_STATUS, DIAGNOSTICS, EVENT_COUNTER, SERVER_ID})
"""Sent when a person asks for them only: they read, but are meant for serial lines, and some devices do not know what to do with them."""


class ForbiddenFunctionError(RuntimeError):
    """Something tried to send what is not a read: a bug, never a user's mistake."""


class RequestError(Exception):
    """A request without a usable reply.

    Attributes:
        status: The device's exception code, or one of our own (``spec.STATUS_NAMES``).
        asked: False where the request was not sent at all, so that it says nothing about the device.
        shared: Whether others were in flight with it, so that what came, or did not, may be another's.
    """

    def __init__(self, status: int, why: str, *, asked: bool = True) -> None:
        self.status, self.why, self.asked, self.shared = status, why, asked, False
        super().__init__(why)


class Asked(NamedTuple):
    """A request that was sent. ``at_s`` is monotonic."""

    unit: int
    pdu: bytes
    at_s: float = 0.0

    @property
    def function(self) -> int:
        return self.pdu[0]

    @property
    def size(self) -> int | None:
        """See ``reply_size``."""
        return reply_size(self.pdu)


def reply_size(pdu: bytes) -> int | None:
    """Byte count of the right reply to a request, None where it does not say."""
    if pdu[0] not in TABLE_FUNCTIONS:
        return None
    count = pdu[3] << 8 | pdu[4]
    return (count + 7) // 8 if pdu[0] in BIT_FUNCTIONS else 2 * count


def forbidden(pdu: bytes) -> str:
    """Why a request (function code and data) must not be sent on a connection that reads, "" where it may."""
    if not pdu:
        return "an empty request"
    size = REQUEST_SIZES.get(pdu[0])
    if size is None:
        return f"function {pdu[0]} is none of those that only read ({', '.join(str(code) for code in sorted(ALLOWED_FUNCTIONS))})"
    if len(pdu) != size:
        return f"a request of function {pdu[0]} has {size} bytes, this one {len(pdu)}"
    if pdu[0] == DIAGNOSTICS and pdu[1:3] != b"\0\0":
        return "of the diagnostics (function 8) only the echo, sub-function 0, changes nothing in the device"
    if pdu[0] == DEVICE_IDENTIFICATION and pdu[1] != IDENTIFICATION_TYPE:
        return "of function 43 only the device identification (14) reads"
    return ""


def check(pdu: bytes) -> None:
    """Every frame is built behind this one gate.

    Raises:
        ForbiddenFunctionError: The request is not a read.
    """
    if why := forbidden(pdu):
        raise ForbiddenFunctionError(f"must not be sent on a reading connection: {why}")


def reply_fault(asked: Asked, unit: int, pdu: bytes) -> str:
    """What is wrong with a reply, "" when nothing is. An exception reply to the function asked for is right."""
    if unit != asked.unit:
        return f"unit {unit} answered a request to unit {asked.unit}"
    if not pdu:
        return "the reply is empty"
    function = pdu[0]
    if function == asked.function | 0x80:
        return "" if len(pdu) == 2 and pdu[1] else f"an exception reply has one byte that is not 0, this one {pdu[1:].hex(' ')}"
    if function != asked.function:
        return f"function {function} answered a request for function {asked.function}"
    size = asked.size
    if size is None:
        return _fault_of_other(asked, pdu)
    if len(pdu) < 2 or len(pdu) != 2 + pdu[1]:
        return f"the reply announces {pdu[1] if len(pdu) > 1 else 'no'} bytes and carries {max(0, len(pdu) - 2)}"
    if pdu[1] != size:
        return f"{size} bytes were asked for, {pdu[1]} came"
    return ""


def _fault_of_other(asked: Asked, pdu: bytes) -> str:
    """Of the functions that do not read a table (Modbus V1.1b3 §6.7, 6.8, 6.9, 6.13, 6.21)."""
    if asked.function == DEVICE_IDENTIFICATION:
        return identification_fault(pdu)
    if asked.function == DIAGNOSTICS:
        return "" if pdu == asked.pdu else "the echo differs from what was sent"
    if asked.function == SERVER_ID:
        return "" if len(pdu) >= 2 and len(pdu) == 2 + pdu[1] else "the server id is cut off or too long"
    size = 2 if asked.function == READ_STATUS else 5
    return "" if len(pdu) == size else f"the reply has {len(pdu)} bytes instead of {size}"


def identification_fault(pdu: bytes) -> str:
    """Modbus V1.1b3 §6.21: 0x0E, read code, conformity, more follows, next id, number of objects, then id, length and value of each."""
    if len(pdu) < 7 or pdu[1] != IDENTIFICATION_TYPE:
        return "the device identification is cut off"
    at = 7
    for _ in range(pdu[6]):
        if at + 2 > len(pdu):
            return "the device identification is cut off"
        at += 2 + pdu[at + 1]
    return "" if at == len(pdu) else "the objects of the device identification do not add up to its length"


def identification_objects(pdu: bytes) -> dict[int, bytes]:
    """Object id → value, of a reply without ``identification_fault``."""
    found: dict[int, bytes] = {}
    at = 7
    for _ in range(pdu[6]):
        found[pdu[at]] = pdu[at + 2 : at + 2 + pdu[at + 1]]
        at += 2 + pdu[at + 1]
    return found
