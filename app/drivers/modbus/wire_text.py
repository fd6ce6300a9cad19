"""What bytes on a Modbus line mean, in one line for a person. Never raises, whatever the bytes are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from app.drivers.modbus.guard import (
    BIT_FUNCTIONS,
    DEVICE_IDENTIFICATION,
    DIAGNOSTICS,
    EVENT_COUNTER,
    READ_STATUS,
    SERVER_ID,
    TABLE_FUNCTIONS,
    identification_fault,
    identification_objects,
)
from app.drivers.modbus.spec import STATUS_NAMES

MOST_WORDS: Final = 16
MOST_BITS: Final = 64
MOST_BYTES: Final = 32
_TABLES: Final = {1: "coils", 2: "discrete inputs", 3: "holding", 4: "input"}
_WRITES: Final = {
    5: "Write one coil",
    6: "Write one register",
    15: "Write coils",
    16: "Write registers",
    22: "Mask write",
    23: "Read/write",
}
_NAMED: Final = {
    READ_STATUS: "Read exception status",
    DIAGNOSTICS: "Diagnostics: echo",
    EVENT_COUNTER: "Read event counter",
    SERVER_ID: "Report server id",
}
_OBJECTS: Final = {0: "vendor", 1: "product", 2: "revision", 3: "URL", 4: "name", 5: "model", 6: "application"}


def request_text(unit: int, pdu: bytes) -> str:
    """``Read holding 100…109 of unit 3``."""
    function = pdu[0] if pdu else -1
    if function in TABLE_FUNCTIONS and len(pdu) == 5:
        first, count = int.from_bytes(pdu[1:3], "big"), int.from_bytes(pdu[3:5], "big")
        last = f"…{first + count - 1}" if count > 1 else ""
        return f"Read {_TABLES[function]} {first}{last} of unit {unit}"
    if function == DEVICE_IDENTIFICATION and len(pdu) == 4 and pdu[1] == 14:
        return f"Read device identification of unit {unit}, from object {pdu[3]}"
    if function in _NAMED:
        data = f" {pdu[3:].hex(' ')}" if function == DIAGNOSTICS and len(pdu) > 3 else ""
        return f"{_NAMED[function]} of unit {unit}{data}"
    return f"{_function(pdu)}, unit {unit}: {_hex(pdu[1:])}".rstrip(": ")


def reply_text(unit: int, pdu: bytes, asked: bytes = b"") -> str:
    """``10 registers: 0001 0002 …``, ``exception 2 IllegalDataAddress``.

    Args:
        unit: That answered.
        pdu: Without unit and checksum.
        asked: PDU of the request where it is known: it says how many bits are meant.
    """
    if not pdu:
        return "nothing"
    function, body = pdu[0], pdu[1:]
    if function & 0x80 and len(body) == 1:
        name = STATUS_NAMES.get(body[0], "") if body[0] else ""
        return f"exception {body[0]} {name}".rstrip() + f" from unit {unit}"
    if function in TABLE_FUNCTIONS and body and len(body) == 1 + body[0]:
        return _bits(body[1:], asked) if function in BIT_FUNCTIONS else _registers(body[1:])
    if function == DEVICE_IDENTIFICATION and not identification_fault(pdu):
        objects = identification_objects(pdu)
        return "device identification: " + ", ".join(f"{_OBJECTS.get(key, key)} {_quoted(value)}" for key, value in objects.items())
    if function in _NAMED:
        return f"{_NAMED[function]}: {_hex(body)}"
    return f"{_function(pdu)} from unit {unit}: {_hex(body)}".rstrip(": ")


def bytes_text(data: bytes) -> str:
    """``14 bytes that are no Modbus frame: 48 54 54 50 …``."""
    return f"{len(data)} byte{'' if len(data) == 1 else 's'} that are no Modbus frame: {_hex(data)}"


def _function(pdu: bytes) -> str:
    if not pdu:
        return "an empty frame"
    name = _WRITES.get(pdu[0], "")
    return f"{name} (function {pdu[0]})" if name else f"function {pdu[0]}"


def _registers(data: bytes) -> str:
    words = [data[at : at + 2].hex().upper() for at in range(0, len(data), 2)]
    return f"{len(words)} register{'' if len(words) == 1 else 's'}: {_some(words, MOST_WORDS)}"


def _bits(data: bytes, asked: bytes) -> str:
    """Bit 0 of the first byte is the first one."""
    count = int.from_bytes(asked[3:5], "big") if len(asked) == 5 else 8 * len(data)
    bits = [str(data[at // 8] >> at % 8 & 1) for at in range(min(count, 8 * len(data)))]
    shown = "".join(bits[:MOST_BITS]) + (" …" if len(bits) > MOST_BITS else "")
    return f"{len(bits)} bit{'' if len(bits) == 1 else 's'}: {shown}"


def _some(parts: Sequence[str], most: int) -> str:
    return " ".join(parts[:most]) + (" …" if len(parts) > most else "")


def _hex(data: bytes) -> str:
    return _some([f"{byte:02X}" for byte in data], MOST_BYTES)


def _quoted(value: bytes) -> str:
    """From the device: cut, and nothing that cannot be printed."""
    text = value.decode("utf-8", "replace")[:60]
    return '"' + "".join(letter if letter.isprintable() else "·" for letter in text) + '"'
