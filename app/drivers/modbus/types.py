"""What registers can hold: every type word of an address, its size, and the type of the value that comes out of it."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple


class RegisterType(NamedTuple):
    """One type of a register item.

    Attributes:
        registers: How many it occupies.
        value: Type word of ``app.model.values`` that its values have.
        kind: ``machine`` every pattern of bits is a value; ``decimal`` digits, some patterns are none; ``clock`` date and time.
        about: What a person is told of it, with the source of the form where it is not common knowledge.
    """

    registers: int
    value: str
    kind: Literal["machine", "decimal", "clock"] = "machine"
    about: str = ""


_M10K: Final = "base 10,000, a digit in each register, {}, the most significant first in order ABCD (PowerLogic ION)"
REGISTER_TYPES: Final[dict[str, RegisterType]] = {
    "int16": RegisterType(1, "int16"),
    "uint16": RegisterType(1, "uint16"),
    "int32": RegisterType(2, "int32"),
    "uint32": RegisterType(2, "uint32"),
    "int64": RegisterType(4, "int64"),
    "uint64": RegisterType(4, "uint64"),
    "float16": RegisterType(1, "float32", about="IEEE 754 binary16"),
    "float32": RegisterType(2, "float32"),
    "float64": RegisterType(4, "float64"),
    "bcd16": RegisterType(1, "uint16", "decimal", "one decimal digit in each nibble, 0…9999"),
    "bcd32": RegisterType(2, "uint32", "decimal", "one decimal digit in each nibble, eight digits"),
    "bcd64": RegisterType(4, "uint64", "decimal", "one decimal digit in each nibble, sixteen digits"),
    "mod10k32": RegisterType(2, "uint32", "decimal", _M10K.format("0…9999")),
    "mod10k48": RegisterType(3, "uint64", "decimal", _M10K.format("0…9999")),
    "mod10k64": RegisterType(4, "uint64", "decimal", _M10K.format("0…9999")),
    "smod10k32": RegisterType(2, "int32", "decimal", _M10K.format("-9999…9999, all of one sign")),
    "smod10k48": RegisterType(3, "int64", "decimal", _M10K.format("-9999…9999, all of one sign")),
    "smod10k64": RegisterType(4, "int64", "decimal", _M10K.format("-9999…9999, all of one sign")),
    "sm16": RegisterType(1, "int16", about="sign and magnitude: the top bit is the sign, the other 15 the amount"),
    "sm32": RegisterType(2, "int32", about="sign and magnitude: the top bit is the sign, the other 31 the amount"),
    "unix32": RegisterType(2, "datetime", "clock", "unsigned seconds since 1970-01-01 UTC"),
    "unix64": RegisterType(4, "datetime", "clock", "seconds since 1970-01-01 UTC"),
    "unixms64": RegisterType(4, "datetime", "clock", "milliseconds since 1970-01-01 UTC"),
    "cp56": RegisterType(4, "datetime", "clock", "IEC 60870-5-4 CP56Time2a as one 64-bit number (Schneider's TI081)"),
    "s7dt": RegisterType(4, "datetime", "clock", "Siemens S7 DATE_AND_TIME: eight BCD bytes"),
    "ymdhms3": RegisterType(3, "datetime", "clock", "bytes year-2000, month, day, hour, minute, second"),
    "mdyhms3": RegisterType(3, "datetime", "clock", "bytes month, day, year-1900, hour, minute, second (PowerLogic PM800, CM4000)"),
    "ymdhms6": RegisterType(6, "datetime", "clock", "a register each: year, month, day, hour, minute, second"),
    "ymdhms7": RegisterType(7, "datetime", "clock", "a register each: year, month, day, hour, minute, second, millisecond"),
}
"""Every type of one or more whole registers but strings. Of a year in a register of its own, 0…99 counts from 2000."""

REGISTERS_OF: Final[dict[str, int]] = {name: found.registers for name, found in REGISTER_TYPES.items()}
MACHINE_TYPES: Final = tuple(name for name, found in REGISTER_TYPES.items() if found.kind == "machine" and not name.startswith("sm"))
"""Those that numpy knows."""
FIELD_CLOCKS: Final = frozenset({"s7dt", "ymdhms3", "mdyhms3", "ymdhms6", "ymdhms7"})
"""Sequences of fields, not numbers: like strings, they have a byte order but no word order."""
UTC_CLOCKS: Final = frozenset({"unix32", "unix64", "unixms64"})
"""The others state no time zone: what the device's clock shows is taken as UTC."""

LONGEST_STRING: Final = 250
"""Bytes that one request can carry (125 registers, Modbus V1.1b3 §6.3): an item never straddles two requests."""
PADDINGS: Final = {
    "": "ends at the first NUL; spaces at the end are padding",
    "z": "ends at the first NUL; spaces belong to the text",
    "s": "padded with spaces; NULs belong to the text",
}
"""Letter behind ``strN`` → where the text ends."""


def value_type(name: str) -> str:
    """Type word of the values of a type word: "bool", "string", or as ``REGISTER_TYPES`` says."""
    return REGISTER_TYPES[name].value if name in REGISTER_TYPES else name


def about_type(name: str, padding: str = "") -> str:
    """What a person should know of a type beyond its word; "" of the common ones."""
    if name == "string":
        return PADDINGS[padding]
    if name not in REGISTER_TYPES:
        return ""
    about = REGISTER_TYPES[name].about
    return f"{about}; no time zone, taken as UTC" if REGISTER_TYPES[name].kind == "clock" and name not in UTC_CLOCKS else about
