"""What is suspect about the words of a register item, whatever its value: signs of "no value", and of a wrong type or order. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from app.drivers.modbus.registers import SMALLEST, decode, decode_checked, decode_clocks, encode
from app.drivers.modbus.types import MACHINE_TYPES, REGISTER_TYPES, REGISTERS_OF

DENORMAL: Final = "denormal: not a physical value; wrong type or order?"
NAN: Final = "NaN: not a number; the usual sign for no value"
INFINITE: Final = "infinite: overflow, or a wrong type or order"
INVALID: Final = "these registers hold no value of this type; wrong type or order?"
USUAL: Final = "the usual sign for no value"


def marks(words: Sequence[int], type_: str, order: str = "ABCD") -> tuple[str, ...]:
    """Sentences about an item; () where nothing is suspect.

    Args:
        words: Its registers as they were read.
        type_: As in an address, without the length of a string.
        order: In use.
    """
    if type_ not in REGISTER_TYPES or len(words) != REGISTERS_OF[type_]:
        return ()
    block = np.array([words], np.uint16)
    if REGISTER_TYPES[type_].kind == "clock":
        return () if decode_clocks(block, type_, order)[0] is not None else (INVALID,)
    if type_ in SMALLEST:
        return _of_float(float(decode(block, type_, order)[0]), type_)
    _, valid = decode_checked(block, type_, order)
    if valid is not None and not valid[0]:
        return (INVALID,)
    return _of_integer(int.from_bytes(decode(block, _unsigned(len(words)), order).tobytes(), "big"), len(words)) if type_[0] in "ui" else ()


def _of_float(value: float, type_: str) -> tuple[str, ...]:
    if math.isnan(value):
        return (NAN,)
    if math.isinf(value):
        return (INFINITE,)
    return (DENORMAL,) if 0.0 < abs(value) < SMALLEST[type_] else ()


def _of_integer(raw: int, registers: int) -> tuple[str, ...]:
    bits = 16 * registers
    signs = {2**bits - 1: "0xFFFF" + "FFFF" * (registers - 1), 2 ** (bits - 1): "0x8000" + "0000" * (registers - 1)}
    signs[2 ** (bits - 1) - 1] = "0x7FFF" + "FFFF" * (registers - 1)
    return (f"{signs[raw]}: {USUAL}",) if raw in signs else ()


def _unsigned(registers: int) -> str:
    return {1: "uint16", 2: "uint32", 4: "uint64"}[registers]


def value_marks(value: object, type_: str) -> tuple[str, ...]:
    """As ``marks``, for a table that has the value alone, unscaled. ``type_`` is a word of ``app.model.values``.

    -1 is not marked: as a value it is an ordinary one.
    """
    floating = type_ in SMALLEST
    if type_ not in MACHINE_TYPES or isinstance(value, bool) or not isinstance(value, float if floating else int) or value == -1:
        return ()
    try:
        with np.errstate(over="raise"):
            return marks(encode(value, type_, "ABCD"), type_)
    except (ValueError, ArithmeticError):
        return ()  # it does not fit its type: another rule's matter
