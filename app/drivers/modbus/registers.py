"""From 16-bit words to values, and back for tests and simulators: every type in every order.

An order names the bytes of a 32-bit value A (most significant) to D as they lie in the registers, each register sent high byte first
(Modbus V1.1b3 §4.2). It is two switches, and so it means the same for every width: CDAB and DCBA reverse the words of a value, BADC and
DCBA swap the bytes in each word. Strings have no word order.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from app.drivers.modbus.address import ORDERS
from app.drivers.modbus.clocks import decode_clock, encode_clock
from app.drivers.modbus.decimals import DECIMAL_TYPES, decode_decimal, encode_decimal
from app.drivers.modbus.types import FIELD_CLOCKS, REGISTER_TYPES, REGISTERS_OF

Words: TypeAlias = "npt.NDArray[np.uint16]"
Column: TypeAlias = "npt.NDArray[np.generic]"

_DTYPES: Final[dict[str, str]] = {
    "int16": ">i2", "uint16": ">u2", "int32": ">i4", "uint32": ">u4", "int64": ">i8", "uint64": ">u8",
    "float16": ">f2", "float32": ">f4", "float64": ">f8",
}  # fmt: skip
WORDS_REVERSED: Final = frozenset({"CDAB", "DCBA"})
BYTES_SWAPPED: Final = frozenset({"BADC", "DCBA"})
SMALLEST_NORMAL: Final = 2.0**-126
"""A float32 nearer to zero, and not zero, is denormal: in practice always a sign of a wrong type or order."""
SMALLEST: Final[dict[str, float]] = {"float16": 2.0**-14, "float32": SMALLEST_NORMAL, "float64": 2.0**-1022}


def decode(words: Words, type_: str, order: str) -> Column:
    """Numbers from ``words`` of shape (n, registers of the type), bit for bit; n values of the type's own dtype (int64 of decimal types).

    Whether a pattern of a decimal type is a value at all, ``decode_checked`` says too.
    """
    return decode_checked(words, type_, order)[0]


def decode_checked(words: Words, type_: str, order: str) -> tuple[Column, npt.NDArray[np.bool_] | None]:
    """As ``decode``, and which rows hold a value; None where every pattern is one."""
    if type_ in DECIMAL_TYPES:
        return decode_decimal(_arranged(words, order), type_)
    reversed_ = words[:, ::-1] if order in WORDS_REVERSED else words
    raw = np.ascontiguousarray(reversed_.astype("<u2" if order in BYTES_SWAPPED else ">u2"))
    return raw.view(_DTYPES[type_]).reshape(len(words)), None


def decode_clocks(words: Words, type_: str, order: str) -> list[str | None]:
    """RFC 3339 texts from ``words`` of shape (n, registers of the type); None where there is no such date."""
    return [decode_clock(row, type_) for row in _arranged(words, order, fields=type_ in FIELD_CLOCKS).tolist()]


def encode(value: float | str, type_: str, order: str) -> list[int]:
    """The words that ``decode`` and ``decode_clocks`` turn into ``value``.

    Raises:
        ValueError: It does not fit the type (``OverflowError`` for numpy's own integers).
    """
    if REGISTER_TYPES[type_].kind == "clock":
        plain = np.array(encode_clock(str(value), type_), np.uint16)
    elif type_ in DECIMAL_TYPES:
        plain = np.array(encode_decimal(int(value), type_), np.uint16)
    else:
        plain = np.array([value], _DTYPES[type_]).view(">u2").astype(np.uint16)
    return [int(word) for word in _arranged(plain[None, :], order, fields=type_ in FIELD_CLOCKS)[0]]


def _arranged(words: Words, order: str, *, fields: bool = False) -> Words:
    """Words of one value a row, most significant word and byte first. Its own inverse. ``fields`` have no word order."""
    rows = words[:, ::-1] if order in WORDS_REVERSED and not fields else words
    return rows.byteswap() if order in BYTES_SWAPPED else rows


def decode_string(words: Sequence[int] | Words, length: int, order: str, padding: str = "") -> str:
    """Text of ``length`` bytes; ``padding`` (``types.PADDINGS``) says where it ends. UTF-8, or Latin-1 where it is not."""
    raw = np.asarray(words, np.uint16).astype("<u2" if order in BYTES_SWAPPED else ">u2").tobytes()[:length]
    if padding != "s":
        raw = raw.partition(b"\0")[0]
    if padding != "z":
        raw = raw.rstrip(b" ")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def encode_string(text: str, length: int, order: str, padding: str = "") -> list[int]:
    fill = b" " if padding == "s" else b"\0"
    raw = text.encode("utf-8")[:length].ljust(length, fill).ljust(length + length % 2, b"\0")
    return [int(word) for word in np.frombuffer(raw, "<u2" if order in BYTES_SWAPPED else ">u2")]


def decode_bits(words: Words, bits: npt.NDArray[np.uint8], order: str) -> npt.NDArray[np.bool_]:
    """Bit ``bits[i]`` (0 the least significant) of ``words[i]``, after byte order."""
    arranged = words.byteswap() if order in BYTES_SWAPPED else words
    return ((arranged >> bits.astype(np.uint16)) & 1).astype(np.bool_)


def decode_bit_ranges(words: Words, lows: npt.NDArray[np.uint8], highs: npt.NDArray[np.uint8], order: str) -> Words:
    """Bits ``lows[i]`` to ``highs[i]`` of ``words[i]`` as a number, after byte order."""
    arranged = words.byteswap() if order in BYTES_SWAPPED else words
    masks = (1 << (highs.astype(np.int64) - lows + 1)) - 1
    return ((arranged >> lows.astype(np.uint16)) & masks.astype(np.uint16)).astype(np.uint16)


# --- the register grid ------------------------------------------------------------------------------------------------

READINGS: Final[tuple[tuple[str, str], ...]] = (
    *((type_, order) for type_ in ("int16", "uint16") for order in ("ABCD", "BADC")),
    *((type_, order) for type_ in ("int32", "uint32", "float32") for order in ORDERS),
)
"""Type and order of every column of the grid. Of one register, ABCD equals CDAB, and BADC equals DCBA."""


class Cell(msgspec.Struct, frozen=True):
    """One reading of one address. ``mark`` says why it is suspect: ``NaN``, ``infinite``, ``denormal``, ``0xFFFF``, ``0x8000`` or ""."""

    value: int | float
    text: str
    mark: str = ""


class RegisterRow(msgspec.Struct, frozen=True):
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
