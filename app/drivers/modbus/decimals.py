"""Registers that hold decimal digits, or a sign beside an amount. Words come and go with their most significant one first."""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from app.drivers.modbus.types import REGISTERS_OF

Words: TypeAlias = "npt.NDArray[np.uint16]"

DECIMAL_TYPES: Final = tuple(name for name in REGISTERS_OF if name.startswith(("bcd", "mod10k", "smod10k", "sm1", "sm3")))
_BASE: Final = 10_000


class Checked(NamedTuple):
    """Values, and which of the patterns are values at all; where one is none, its value means nothing."""

    values: npt.NDArray[np.int64]
    valid: npt.NDArray[np.bool_]


def decode_decimal(words: Words, type_: str) -> Checked:
    """``words`` has shape (n, registers of the type)."""
    if type_.startswith("bcd"):
        return _bcd(words)
    if type_.startswith("smod10k"):
        parts = words.astype(np.int16).astype(np.int64)
        one_sign = np.all(parts >= 0, axis=1) | np.all(parts <= 0, axis=1)
        return Checked(_polynomial(parts, _BASE), one_sign & np.all(np.abs(parts) < _BASE, axis=1))
    if type_.startswith("mod10k"):
        parts = words.astype(np.int64)
        return Checked(_polynomial(parts, _BASE), np.all(parts < _BASE, axis=1))
    raw = _polynomial(words.astype(np.int64), 2**16)
    top = 2 ** (16 * words.shape[1] - 1)
    return Checked(np.where(raw >= top, top - raw, raw), np.ones(len(words), np.bool_))


def encode_decimal(value: int, type_: str) -> list[int]:
    """The words that ``decode_decimal`` turns into ``value``.

    Raises:
        ValueError: The type does not reach so far.
    """
    count = REGISTERS_OF[type_]
    if type_.startswith("bcd"):
        return [int(str(part), 16) for part in _parts(value, _BASE, count)]
    if type_.startswith("mod10k"):
        return _parts(value, _BASE, count)
    if type_.startswith("smod10k"):
        sign = -1 if value < 0 else 1
        return [sign * part % 2**16 for part in _parts(abs(value), _BASE, count)]
    top = 2 ** (16 * count - 1)
    if abs(value) >= top:
        raise ValueError(f"{value} does not fit {type_}")
    return _parts(value if value >= 0 else top - value, 2**16, count)


def _bcd(words: Words) -> Checked:
    nibbles = (words[:, :, None] >> np.array([12, 8, 4, 0], np.uint16)) & 0xF
    digits = nibbles.reshape(len(words), -1).astype(np.int64)
    return Checked(_polynomial(digits, 10), np.all(digits <= 9, axis=1))


def _polynomial(parts: npt.NDArray[np.int64], base: int) -> npt.NDArray[np.int64]:
    value = np.zeros(len(parts), np.int64)
    for column in range(parts.shape[1]):
        value = value * base + parts[:, column]
    return value


def _parts(value: int, base: int, count: int) -> list[int]:
    parts: list[int] = []
    rest = value
    for _ in range(count):
        rest, part = divmod(rest, base)
        parts.insert(0, part)
    if rest:
        raise ValueError(f"{value} does not fit {count} registers")
    return parts
