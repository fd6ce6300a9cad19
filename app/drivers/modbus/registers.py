"""From 16-bit words to values, and back for tests and simulators: every type in every order.

An order names the bytes of a 32-bit value A (most significant) to D as they lie in the registers, each register sent high byte first
(Modbus V1.1b3 §4.2). It is two switches, and so it means the same for every width: CDAB and DCBA reverse the words of a value, BADC and
DCBA swap the bytes in each word. Strings have no word order.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from app.drivers.modbus.address import ORDERS, REGISTERS_OF

Words = npt.NDArray[np.uint16]

_DTYPES: Final[dict[str, str]] = {
    "int16": ">i2", "uint16": ">u2", "int32": ">i4", "uint32": ">u4", "int64": ">i8", "uint64": ">u8", "float32": ">f4", "float64": ">f8",
}  # fmt: skip
WORDS_REVERSED: Final = frozenset({"CDAB", "DCBA"})
BYTES_SWAPPED: Final = frozenset({"BADC", "DCBA"})
SMALLEST_NORMAL: Final = 2.0**-126
"""A float32 nearer to zero, and not zero, is denormal: in practice always a sign of a wrong type or order."""


def decode(words: Words, type_: str, order: str) -> npt.NDArray[np.generic]:
    """Numbers from ``words`` of shape (n, registers of the type); n values of the type's own dtype, bit for bit."""
    arranged = words[:, ::-1] if order in WORDS_REVERSED else words
    raw = np.ascontiguousarray(arranged.astype("<u2" if order in BYTES_SWAPPED else ">u2"))
    return raw.view(_DTYPES[type_]).reshape(len(words))


def encode(value: float, type_: str, order: str) -> list[int]:
    """The words that ``decode`` turns into ``value``."""
    raw = np.array([value], _DTYPES[type_]).view(">u2").astype(np.uint16)
    if order in BYTES_SWAPPED:
        raw = raw.byteswap()
    if order in WORDS_REVERSED:
        raw = raw[::-1]
    return [int(word) for word in raw]


def decode_string(words: Sequence[int] | Words, length: int, order: str) -> str:
    """Text of ``length`` bytes: up to the first NUL, without spaces at the end; UTF-8, or Latin-1 where it is not."""
    raw = np.asarray(words, np.uint16).astype("<u2" if order in BYTES_SWAPPED else ">u2").tobytes()[:length]
    raw = raw.partition(b"\0")[0].rstrip(b" ")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def encode_string(text: str, length: int, order: str) -> list[int]:
    raw = text.encode("utf-8")[:length].ljust(length + length % 2, b"\0")
    return [int(word) for word in np.frombuffer(raw, "<u2" if order in BYTES_SWAPPED else ">u2")]


def decode_bits(words: Words, bits: npt.NDArray[np.uint8], order: str) -> npt.NDArray[np.bool_]:
    """Bit ``bits[i]`` (0 the least significant) of ``words[i]``, after byte order."""
    arranged = words.byteswap() if order in BYTES_SWAPPED else words
    return ((arranged >> bits.astype(np.uint16)) & 1).astype(np.bool_)


# --- the register grid ------------------------------------------------------------------------------------------------

READINGS: Final[tuple[tuple[str, str], ...]] = (
    *((type_, order) for type_ in ("int16", "uint16") for order in ("ABCD", "BADC")),
    *((type_, order) for type_ in ("int32", "uint32", "float32") for order in ORDERS),
)
"""Type and order of every column of the grid. Of one register, ABCD equals CDAB, and BADC equals DCBA."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One reading of one address. ``mark`` says why it is suspect: ``NaN``, ``infinite``, ``denormal``, ``0xFFFF``, ``0x8000`` or ""."""

    value: int | float
    text: str
    mark: str = ""


@dataclass(frozen=True, slots=True)
class RegisterRow:
    """One register beside everything it may mean.

    Attributes:
        hex: ``0x00FF``.
        bits: Sixteen digits in groups of four, bit 15 first.
        text: Its two bytes as ASCII, a dot for what cannot be shown.
        mark: ``0xFFFF`` or ``0x8000`` where the word is one of these usual "no value" signs, else "".
        readings: A key of ``READINGS`` → cell. 32-bit readings take this register and the next; they are missing on the last row.
    """

    address: int
    word: int
    hex: str
    bits: str
    text: str
    mark: str
    readings: dict[tuple[str, str], Cell]


def interpretations(words: Sequence[int] | Words, start: int) -> list[RegisterRow]:
    """A row for each register of a range that was read from ``start`` on."""
    block = np.asarray(words, np.uint16)
    columns: dict[tuple[str, str], npt.NDArray[np.generic]] = {}
    for type_, order in READINGS:
        width = REGISTERS_OF[type_]
        if len(block) >= width:
            columns[type_, order] = decode(np.lib.stride_tricks.sliding_window_view(block, width), type_, order)
    return [_row(block, start, place, columns) for place in range(len(block))]


def _row(block: Words, start: int, place: int, columns: dict[tuple[str, str], npt.NDArray[np.generic]]) -> RegisterRow:
    word = int(block[place])
    digits = f"{word:016b}"
    return RegisterRow(
        address=start + place,
        word=word,
        hex=f"0x{word:04X}",
        bits=" ".join(digits[at : at + 4] for at in range(0, 16, 4)),
        text="".join(chr(byte) if 32 <= byte < 127 else "." for byte in divmod(word, 256)),
        mark=_sentinel(word, 1),
        readings={key: _cell(key[0], column[place].item()) for key, column in columns.items() if place < len(column)},
    )


def _sentinel(raw: int, registers: int) -> str:
    """``0xFFFF…`` and ``0x8000…`` are what most devices send for "not available"."""
    if raw == 2 ** (16 * registers) - 1:
        return "0x" + "FFFF" * registers
    if raw == 2 ** (16 * registers - 1):
        return "0x8000" + "0000" * (registers - 1)
    return ""


def _cell(type_: str, value: int | float) -> Cell:
    if type_ != "float32":
        registers = REGISTERS_OF[type_]
        return Cell(value, str(value), _sentinel(int(value) % 2 ** (16 * registers), registers))
    if math.isnan(value):
        return Cell(value, "NaN", "NaN")
    if math.isinf(value):
        return Cell(value, "∞" if value > 0 else "-∞", "infinite")
    return Cell(value, float32_text(value), "denormal" if 0.0 < abs(value) < SMALLEST_NORMAL else "")


def float32_text(value: float) -> str:
    """The shortest decimal number that is this float32: 0.1, not 0.10000000149."""
    return str(np.float32(value))
