"""Values of the line as Modbus registers and back. Pure; byte orders as in the canonical address."""

import struct
from typing import Any

from app.plant.modbus_map import Register

_FORMATS = {
    "int16": ">h",
    "uint16": ">H",
    "int32": ">i",
    "uint32": ">I",
    "float32": ">f",
    "float64": ">d",
}


def reorder(data: bytes, order: str) -> bytes:
    """Big-endian bytes in another order; its own inverse.

    ABCD is big-endian. The first half of the name tells the word order, the second the byte order in each word, for
    every width: CDAB swaps the words, BADC the bytes of each word, DCBA both.
    """
    words = [data[i : i + 2] for i in range(0, len(data), 2)]
    if order in {"CDAB", "DCBA"}:
        words.reverse()
    if order in {"BADC", "DCBA"}:
        words = [word[::-1] for word in words]
    return b"".join(words)


def encode(register: Register, value: Any) -> list[int]:  # Any: the attribute's own type, see signals.Signal.get
    """The register words of an engineering value; numbers out of range stop at the end of the range."""
    if register.type.startswith("str"):
        data = str(value).encode("ascii").ljust(2 * register.words, b"\0")[: 2 * register.words]
    elif register.type.startswith("float"):
        data = struct.pack(_FORMATS[register.type], float(value) / register.scale)
    else:
        bits = int(register.type.lstrip("uint"))
        low, high = (0, (1 << bits) - 1) if register.type.startswith("u") else (-(1 << bits - 1), (1 << bits - 1) - 1)
        data = struct.pack(_FORMATS[register.type], max(low, min(high, round(value / register.scale))))
    data = reorder(data, register.order)
    return [int.from_bytes(data[i : i + 2], "big") for i in range(0, len(data), 2)]
