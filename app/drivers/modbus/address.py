"""Modbus item addresses: ``[<unit>/]<table>:<address>[.<bit>[-<bit>]][:<type>[:<order>]]``.

Canonical text: zero-based decimal address; lower-case table and type, upper-case order; the unit only where it was written (without one
the unit of the endpoint's URL is meant, 1 when that names none); the type left out when it is the table's default (bool for coil,
discrete and single bits, uint16 for input and holding and for several bits) and no order follows; the order only where it was written
(without one the default of the unit is meant).

A hyphen has a meaning behind a dot only: ``holding:12.4-7`` are bits 4 to 7 of register 12 as a number. ``100-101``, as register lists
write the registers of one value, is no address.
"""

from __future__ import annotations

import re
from typing import Final, NoReturn

import msgspec

from app.drivers.modbus.types import LONGEST_STRING, REGISTERS_OF, value_type
from app.errors import UserError

TABLES: Final = ("coil", "discrete", "input", "holding")
BIT_TABLES: Final = frozenset({"coil", "discrete"})
ORDERS: Final = ("ABCD", "CDAB", "BADC", "DCBA")
NOTATION_TITLES: Final = {"": "0-based", "one-based": "1-based", "modicon": "4xxxx", "hex": "hex"}
"""Ways to write an address: "" is zero-based decimal, the only one that is ever stored."""
NOTATIONS: Final = tuple(NOTATION_TITLES)

TYPES: Final = ("bool", *REGISTERS_OF, "strN", "strNz", "strNs")

EXAMPLE: Final = "3/holding:100:float32:CDAB"
_MODICON_TABLE: Final = {"0": "coil", "1": "discrete", "3": "input", "4": "holding"}
_MODICON_DIGIT: Final = {table: digit for digit, table in _MODICON_TABLE.items()}
_MEANT: Final = {
    "float": "float32", "real": "float32", "double": "float64", "lreal": "float64", "int": "int16", "short": "int16", "word": "uint16",
    "uint": "uint16", "dint": "int32", "long": "int32", "dword": "uint32", "udint": "uint32", "lint": "int64", "lword": "uint64",
    "ulint": "uint64", "string": "str32", "str": "str32", "bit": "bool", "boolean": "bool",
    "half": "float16", "bcd": "bcd16", "m10k": "mod10k32", "mod10": "mod10k32", "date": "unix32", "time": "unix32", "datetime": "unix32",
    "timestamp": "unix32", "dt": "s7dt", "ti081": "cp56", "cp56time2a": "cp56", "date_and_time": "s7dt",
}  # fmt: skip
_NUMBER: Final = re.compile(r"[0-9]{1,9}", re.ASCII)


class Address(msgspec.Struct, frozen=True):
    """One Modbus item.

    Attributes:
        unit: 0…255, None where the address leaves it to the endpoint's URL.
        address: Zero-based, 0…65535.
        bit: Bit of a register, 0 the least significant after byte order; None for a whole item.
        type: ``bool``, a key of ``REGISTERS_OF``, or ``string``.
        length: Bytes of a string, else 0.
        order: One of ``ORDERS``, "" where the address leaves it to the unit.
        last_bit: Where several bits are one number, the highest of them; ``bit`` is the lowest. None otherwise.
        padding: Of a string, a key of ``types.PADDINGS``.
    """

    unit: int | None
    table: str
    address: int
    bit: int | None = None
    type: str = "uint16"
    length: int = 0
    order: str = ""
    last_bit: int | None = None
    padding: str = ""

    @property
    def value_type(self) -> str:
        """Type word of ``app.model.values`` that its values have."""
        return value_type(self.type)

    @property
    def count(self) -> int:
        """Registers (or bits, of coil and discrete) that the item occupies."""
        if self.type == "string":
            return (self.length + 1) // 2
        return REGISTERS_OF.get(self.type, 1)

    @property
    def type_text(self) -> str:
        """The type as an address writes it: ``str32`` for a string of 32 bytes."""
        return f"str{self.length}{self.padding}" if self.type == "string" else self.type

    @property
    def point(self) -> str:
        """Unit, table, address and bits without type and order."""
        return _join(self, f"{self.table}:{self.address}")

    def __str__(self) -> str:
        return self.point + _suffix(self)


def parse(text: str, notation: str = "") -> Address:
    """Read an address in one of the ``NOTATIONS``.

    Raises:
        UserError: What is wrong, at which character (counted from 1), and an example of a right one.
    """
    if notation not in NOTATIONS:
        raise UserError("Unknown notation", where=notation, why=f"it is none of {', '.join(filter(None, NOTATIONS))}")
    return _Parser(text, notation).parse()


def with_type(text: str, type_: str, order: str, notation: str = "") -> Address:
    """An address whose type and order stand beside it, as in the columns of a list; "" leaves either to the address.

    Raises:
        UserError: As ``parse``, or the address states another type or order itself.
    """
    address = parse(text, notation)
    type_, order = type_.strip().lower(), order.strip().upper()
    stated = text.count(":") > (0 if notation == "modicon" else 1)
    if type_ and stated and type_ not in (address.type, address.type_text):
        raise UserError("Two types", where=text, why=f"the address says {address.type_text}, the type beside it {type_}", fix="Keep one")
    if order and address.order and order != address.order:
        raise UserError("Two orders", where=text, why=f"the address says {address.order}, the order beside it {order}", fix="Keep one")
    suffix = "" if stated or not (type_ or order) else f":{type_ or address.type_text}"
    return parse(text.rstrip() + suffix + (f":{order}" if order and not address.order else ""), notation)


def in_notation(address: Address, notation: str) -> str:
    """The address as a person who uses this notation reads it; ``parse`` with the same notation gives it back.

    Raises:
        UserError: There is no such notation.
    """
    return point_in_notation(address, notation) + _suffix(address)


def point_in_notation(address: Address, notation: str) -> str:
    """As ``in_notation``, without type and order."""
    if notation == "modicon":
        width = 4 if address.address < 9999 else 5
        place = f"{_MODICON_DIGIT[address.table]}{address.address + 1:0{width}}"
    elif notation == "one-based":
        place = f"{address.table}:{address.address + 1}"
    elif notation == "hex":
        place = f"{address.table}:0x{address.address:04X}"
    elif notation == "":
        place = f"{address.table}:{address.address}"
    else:
        raise UserError("Unknown notation", where=notation, why=f"it is none of {', '.join(filter(None, NOTATIONS))}")
    return _join(address, place)


def _join(address: Address, place: str) -> str:
    bits = "" if address.bit is None else f".{address.bit}" if address.last_bit is None else f".{address.bit}-{address.last_bit}"
    return ("" if address.unit is None else f"{address.unit}/") + place + bits


def _suffix(address: Address) -> str:
    default = "bool" if address.table in BIT_TABLES or (address.bit is not None and address.last_bit is None) else "uint16"
    if address.order:
        return f":{address.type_text}:{address.order}"
    return "" if address.type == default else f":{address.type_text}"


def _type_fault(table: str, one_bit: bool, last_bit: int | None, type_: str, length: int, word: str) -> str:
    """Why a type cannot stand there, "" when it can."""
    if type_ not in ("bool", "string", *REGISTERS_OF):
        hint = f", perhaps {_MEANT[word]}" if word in _MEANT else ""
        return f"{word!r} is no type{hint}; types are {', '.join(TYPES)} (N bytes)"
    if one_bit and type_ != "bool":
        return f"a {table if table in BIT_TABLES else 'single bit'} is of type bool"
    if last_bit is not None and type_ != "uint16":
        return "several bits of a register are of type uint16"
    if not one_bit and type_ == "bool":
        return "a bool in a register is one of its bits: holding:12.0 … holding:12.15"
    if type_ == "string" and not 1 <= length <= LONGEST_STRING:
        return f"a string has 1 to {LONGEST_STRING} bytes"
    return ""


class _Parser:
    """One text, read from left to right; ``at`` is where the next part begins."""

    def __init__(self, text: str, notation: str) -> None:
        self.given, self.notation = text, notation
        self.text = text.strip()
        self.margin = len(text) - len(text.lstrip())
        self.at = 0

    def parse(self) -> Address:
        if not self.text:
            self.fail("it is empty")
        unit = self.unit()
        table, address = self.modicon() if self.notation == "modicon" else self.place()
        bit, last_bit = self.bits(table)
        type_, length, padding = self.type(table, bit, last_bit)
        order = self.order(table)
        if self.at < len(self.text):
            self.fail(f"nothing may follow {self.text[: self.at]!r}")
        found = Address(unit, table, address, bit, type_, length, order, last_bit, padding)
        if address + found.count > 65536:
            self.at = 0
            self.fail(f"{found.count} registers from {address} go beyond the last one, 65535")
        return found

    def unit(self) -> int | None:
        head, slash, _ = self.text.partition("/")
        if not slash:
            return None
        number = self.number("the unit id", 0, 255)
        if self.at != len(head):
            self.fail("the unit id is a number, followed by '/'")
        self.at += 1
        return number

    def place(self) -> tuple[str, int]:
        head = re.compile(r"[^:]*").match(self.text, self.at)
        word = head.group().lower() if head else ""
        if word not in TABLES:
            hint = " (Modicon addresses such as 40101 are read with the notation 'modicon')" if word[:5].isdigit() else ""
            self.fail(f"{word!r} is no table; tables are {', '.join(TABLES)}{hint}")
        self.at += len(word)
        if not self.taken(":"):
            self.fail("the address is missing")
        if self.notation == "hex":
            return word, self.hexadecimal()
        if self.notation == "one-based":
            return word, self.number("the one-based address", 1, 65536) - 1
        if self.text[self.at : self.at + 2].lower() == "0x":
            self.fail("hexadecimal addresses are read with the notation 'hex' only")
        return word, self.number("the address", 0, 65535)

    def modicon(self) -> tuple[str, int]:
        """``40101`` and ``400101`` (five or six digits), ``4x101``; the number after the table digit is one-based."""
        found = re.compile(r"([0134])(?:[xX]([0-9]{1,5})|([0-9]{4,5}))(?![0-9])", re.ASCII).match(self.text, self.at)
        if found is None:
            self.fail("a Modicon address has five or six digits, the first 0, 1, 3 or 4 (40101, 400101), or is written 4x101")
        number = int(found.group(2) or found.group(3))
        if not 1 <= number <= 65536:
            self.fail("after the table digit, a Modicon address counts from 1 to 65536")
        self.at = found.end()
        return _MODICON_TABLE[found.group(1)], number - 1

    def bits(self, table: str) -> tuple[int | None, int | None]:
        """``.5`` is one bit, ``.4-7`` are four as one number."""
        if not self.taken("."):
            return None, None
        if table in BIT_TABLES:
            self.at -= 1
            self.fail(f"a {table} is one bit already")
        low = self.number("the bit", 0, 15)
        if not self.taken("-"):
            return low, None
        start = self.at
        high = self.number("the last bit", 0, 15)
        if high <= low:
            self.at = start
            self.fail("the last bit comes after the first: holding:12.4-7; one bit alone is holding:12.4")
        return low, high

    def type(self, table: str, bit: int | None, last_bit: int | None) -> tuple[str, int, str]:
        """Type, bytes of a string, and its padding."""
        one_bit = table in BIT_TABLES or (bit is not None and last_bit is None)
        if not self.taken(":"):
            return ("bool" if one_bit else "uint16"), 0, ""
        start = self.at
        word = self.word()
        found = re.fullmatch(r"str([0-9]{1,9})([zs]?)", word, re.ASCII)
        type_, length, padding = ("string", int(found.group(1)), found.group(2)) if found else (word, 0, "")
        if why := _type_fault(table, one_bit, last_bit, type_, length, word):
            self.at = start
            self.fail(why)
        return type_, length, padding

    def order(self, table: str) -> str:
        if not self.taken(":"):
            return ""
        start = self.at
        word = self.word().upper()
        if word not in ORDERS:
            self.at = start
            self.fail(f"{word!r} is no byte order; orders are {', '.join(ORDERS)}")
        if table in BIT_TABLES:
            self.at = start
            self.fail(f"a {table} has no byte order")
        return word

    def word(self) -> str:
        word = self.text[self.at :].partition(":")[0]
        self.at += len(word)
        return word.lower()

    def number(self, name: str, low: int, high: int) -> int:
        found = _NUMBER.match(self.text, self.at)
        if found is None:
            self.fail(f"{name} is missing or not a number")
        if not low <= int(found.group()) <= high:
            self.fail(f"{name} is from {low} to {high}")
        self.at = found.end()
        return int(found.group())

    def hexadecimal(self) -> int:
        found = re.compile(r"(?:0[xX])?([0-9a-fA-F]{1,8})", re.ASCII).match(self.text, self.at)
        if found is None or int(found.group(1), 16) > 65535:
            self.fail("the hexadecimal address is from 0x0000 to 0xFFFF")
        self.at = found.end()
        return int(found.group(1), 16)

    def taken(self, mark: str) -> bool:
        if self.text.startswith(mark, self.at):
            self.at += 1
            return True
        return False

    def fail(self, why: str) -> NoReturn:
        raise UserError(
            "Not a Modbus address",
            where=self.given,
            why=f"at character {self.margin + self.at + 1}: {why}",
            fix=f"Write for example {EXAMPLE}, input:7:int16, coil:3 or holding:12.5",
        )
