"""Rows of a register map: address, type, width, table, unit id and order from however a vendor writes them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from app.drivers.modbus.address import BIT_TABLES, Address, parse
from app.drivers.modbus.types import REGISTERS_OF
from app.errors import UserError
from app.taglists import datatypes, states
from app.taglists.base import Context, TagRow
from app.taglists.columns import Layout
from app.taglists.contents import in_grammar
from app.taglists.datatypes import WIDTHS, Kind, sized
from app.taglists.numbering import Numbering, Spot, spot, written_place
from app.taglists.places import Place
from app.taglists.rows import RowReader
from app.taglists.scales import NOTHING
from app.taglists.table import Row, Table

_KNOWN: Final = "uint16, int32, float32, bool, string, bcd16, unix32"
_COUNT: Final = re.compile(r"([0-9]{1,3})\s*(words?|registers?|regs?|w|bytes?|b|bits?)?\b.*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Given:
    """What the list as a whole says for its rows.

    Attributes:
        numbering: How addresses are counted.
        length_unit: What the column of lengths counts: ``words``, ``bytes`` or ``bits``.
        table: Of the section in which the row stands, "" where none says it.
        order: Byte order that the words around the table state for all of it.
    """

    numbering: Numbering
    length_unit: str = "words"
    table: str = ""
    order: str = ""


class RegisterReader(RowReader):
    """A row of a register map."""

    def __init__(self, table: Table, layout: Layout, row: Row, context: Context, given: Given) -> None:
        super().__init__(table, layout, row, context)
        self._given = given

    def _address(self) -> tuple[str, str]:
        text = self.cell("address")
        if not text:
            self._problem("address", "No address", "the cell is empty", "Give every tag an address")
            return "", ""
        if in_grammar(text):
            return self._in_grammar()
        try:
            place = written_place(text, self._given.numbering)
            where = spot(place, self._given.numbering)
        except UserError as error:
            self._problem("address", error.what, f"{error.where}: {error.why}", error.fix)
            self._kind()
            return "", ""
        table = self._table_of(where)
        kind = self._kind()
        unit = self._unit_id()
        if kind is None or table is None:
            return "", ""
        return self._put_together(place, where.address, table, kind, unit)

    def _in_grammar(self) -> tuple[str, str]:
        """An address in our own form; the type beside it may be written as vendors do."""
        kind = self._kind()
        if kind is None:
            return "", ""
        return super()._address()

    def _type_words(self) -> tuple[str, str]:
        """Type and order in the words of our addresses, for addresses in our own form."""
        text = self.cell("type")
        found = datatypes.kind(text) if text and text.lower() not in NOTHING else None
        if found is None:
            return "", self._order
        if found.type == "string":
            length = found.length or 2 * (self._words() or 0)
            return (f"str{length}" if length else text), self._order
        is_bit = found.type == "bool" and (
            self.cell("address").lower().lstrip("0123456789/").startswith(tuple(BIT_TABLES)) or "." in self.cell("address")
        )
        width = 16 * (self._words() or 0) or found.usual
        word = found.type or (sized(found.family, width) if width in WIDTHS[found.family] else text)
        stated = self.cell("address").count(":") > 1
        return ("bool" if is_bit else "" if word == "bool" or (stated and not found.type) else word), self._order

    # Table, unit id

    def _table_of(self, where: Spot) -> str | None:
        """Address, column, function code, section, then what was chosen for the list; contradictions are problems."""
        named: dict[str, str] = {}
        if where.table:
            named["the address"] = where.table
        text = self.cell("table")
        if text.lower() not in NOTHING and (word := states.table_word(text)):
            named["the table"] = word
        text = self.cell("function")
        if text.lower() not in NOTHING:
            implied = states.functions(text)
            if implied is None:
                why = f"{text!r} is none of 1, 2, 3, 4, 5, 6, 15, 16, or codes of different tables"
                self._problem("function", "No function code", why, "Write the codes of one table, such as 3, 6, 16")
                return None
            named["the function code"], self._implied_access = implied
        tables = set(named.values())
        if len(tables) > 1:
            why = " but ".join(f"{who} says {table}" for who, table in named.items())
            self._problem("address", "Two tables", why, "Correct one of them, or take that column away")
            return None
        table = tables.pop() if tables else self._given.table or self._context.table
        if self._implied_access is None and table in ("input", "discrete"):
            self._implied_access = "r"
        return table

    def _unit_id(self) -> int | None:
        text = self.cell("unit_id")
        if text.lower() in NOTHING:
            return self._context.unit
        found = re.fullmatch(r"(?:0[xX][0-9a-fA-F]{1,2}|[0-9]{1,3})", text)
        value = int(text, 0) if found and not re.fullmatch(r"0[0-9]+", text) else int(text) if found else -1
        if not 0 <= value <= 255:
            self._problem("unit_id", "No unit id", f"{text!r} is not a number from 0 to 255", "Correct it, or take that column away")
            return None
        return value

    # Type

    def _kind(self) -> Kind | None:
        """What column and order say; a type that is none of ours is a problem."""
        text = self.cell("type")
        order = self._stated_order()
        if text.lower() in NOTHING:
            self._order = order
            return Kind()
        found = datatypes.kind(text)
        if found is None:
            self._order = order
            self._problem("type", "Unknown type", f"{text!r} is no type of registers we know", f"Write one such as {_KNOWN}")
            return None
        if order and found.order and order != found.order:
            self._problem("order", "Two orders", f"the type says {found.order}, the order {order}", "Keep one")
        self._is_enum = found.is_enum
        self._order = order or found.order or self._given.order
        return found

    def _stated_order(self) -> str:
        text = self.cell("order")
        if text.lower() in NOTHING:
            return ""
        named = text.strip().upper() if text.strip().upper() in ("AB", "BA") else datatypes.order(text)[0]
        if not named:
            self._problem("order", "Unknown byte order", f"{text!r} is none", "Write ABCD, CDAB, BADC, DCBA, big endian or word swap")
        return {"AB": "ABCD", "BA": "BADC"}.get(named, named)

    def _words(self) -> int | None:
        """Registers as the column of lengths states them."""
        text = self.cell("length")
        if text.lower() in NOTHING:
            return None
        found = _COUNT.fullmatch(text.strip())
        if found is None or not int(found[1]):
            self._problem("length", "Not a number of registers", text, "Write 1, 2 or 4, or take that column away")
            return None
        unit = (found[2] or self._given.length_unit).lower()
        return registers_of(int(found[1]), "bits" if unit.startswith("bit") else "bytes" if unit.startswith("b") else "words")

    def _put_together(self, place: Place, address: int, table: str, kind: Kind, unit: int | None) -> tuple[str, str]:
        if table in BIT_TABLES:
            return self._coil(place, address, table, kind, unit)
        words = self._one_width(place, self._words())
        bit, last_bit = self._bits(place, kind)
        if bit is not None:
            found = Address(unit, table, address, bit, "bool" if last_bit is None else "uint16", last_bit=last_bit)
            self._order = ""
            return self._settled(found)
        type_, length = self._type(kind, words)
        if not type_:
            return "", ""
        if type_ == "bool":
            self._marks.append("a bool in a register is read as its bit 0")
            self._order = ""
            return self._settled(Address(unit, table, address, 0, "bool"))
        found = Address(unit, table, address, None, type_, length, self._order if type_ != "string" else "")
        if found.count < 2 or type_ == "string":
            swapped = self._order in ("BADC", "DCBA") and (found.count == 1 or type_ == "string")
            found = Address(unit, table, address, None, type_, length, "BADC" if swapped else "")
            self._order = "" if not swapped else self._order
        return self._settled(found)

    def _coil(self, place: Place, address: int, table: str, kind: Kind, unit: int | None) -> tuple[str, str]:
        if kind.type not in ("", "bool", "uint16", "int16") or (kind.family and kind.family not in ("bits", "enum", "uint", "int")):
            self._problem("type", "Wrong type", f"a {table} is one bit, and {self.cell('type')!r} is more", "Check type and table")
            return "", ""
        if place.count not in (None, 1):
            self._problem("address", "A range of bits", f"{place.text!r} are {place.count} bits", "Give every bit a row of its own")
            return "", ""
        self._order = ""
        return self._settled(Address(unit, table, address, None, "bool"))

    def _one_width(self, place: Place, words: int | None) -> int | None:
        """Registers that range and length state; a problem where they differ."""
        if place.count is not None and words is not None and place.count != words:
            why = f"the range {place.text!r} has {place.count}, the length says {words}"
            self._problem("length", "Two lengths", why, "Correct one of them, or take the column of lengths away")
        return place.count if place.count is not None else words

    def _bits(self, place: Place, kind: Kind) -> tuple[int | None, int | None]:
        """The bit of address, column or type; the first that states one."""
        if place.bit is not None:
            return place.bit, place.last_bit
        text = self.cell("bit")
        if text.lower() not in NOTHING:
            found = re.fullmatch(
                r"(?:bits?)?\s*([0-9]{1,2})(?:\s*(?:-|…|\.\.\.?|–|to|bis)\s*(?:bit\s*)?([0-9]{1,2}))?", text, re.IGNORECASE
            )
            numbers = sorted(int(part) for part in found.groups() if part is not None) if found else []
            if not numbers or numbers[-1] > 15:
                self._problem("bit", "No bit", f"{text!r} is not a bit from 0 to 15", "Correct it, or take that column away")
            elif numbers != [0, 15]:
                return numbers[0], numbers[-1] if numbers[-1] > numbers[0] else None
            return None, None
        return kind.bit, kind.last_bit

    def _type(self, kind: Kind, words: int | None) -> tuple[str, int]:
        """Type word and bytes of a string; ("", 0) with a problem."""
        if kind.type == "string":
            return self._string(kind, words)
        if kind.type:
            needed = REGISTERS_OF.get(kind.type, 1)
            if words is not None and words != needed:
                return self._contradiction(kind.type, needed, words)
            return kind.type, 0
        family = kind.family or "uint"
        width = 16 * words if words is not None else kind.usual or 16
        if width not in WIDTHS[family] or (family == "float" and width == 16 and words is not None and words == 1):
            written = self.cell("type") or "without a type"
            many = f"{words} register{'s' if words != 1 else ''}"
            self._problem("type", "Type and length do not fit", f"{written!r} over {many} is no type", "Correct type or length")
            return "", 0
        type_ = sized(family, width)
        if not kind.family and words is None:
            self._marks.append("no type is stated: taken as uint16")
        elif not kind.family:
            self._marks.append(f"no type is stated: taken as {type_} from its length")
        elif words is not None and kind.usual and width != kind.usual:
            self._marks.append(f"{self.cell('type')} over {words} registers is {type_}")
        return type_, 0

    def _contradiction(self, type_: str, needed: int, words: int) -> tuple[str, int]:
        many = f"{words} register{'s' if words != 1 else ''}"
        why = f"{self.cell('type')!r} ({type_}) takes {needed}, the list states {many}"
        self._problem("type", "Type and length do not fit", why, "Correct type or length, or take the column of lengths away")
        return "", 0

    def _string(self, kind: Kind, words: int | None) -> tuple[str, int]:
        if kind.length is None and words is None:
            why = f"{self.cell('type')!r} does not say how long the text is"
            self._problem("type", "A text without a length", why, "Write string(16) for 16 bytes, or give the number of registers")
            return "", 0
        if words is None:
            return "string", kind.length or 0
        if kind.length is not None and kind.length not in (2 * words, 2 * words - 1):
            if kind.length == words:
                self._marks.append(f"{self.cell('type')} counts registers: {2 * words} bytes")
            else:
                why = f"{self.cell('type')!r} is {kind.length} bytes, {words} registers are {2 * words}"
                self._problem("type", "Type and length do not fit", why, "Correct one of them")
                return "", 0
            return "string", 2 * words
        return "string", kind.length if kind.length is not None else 2 * words

    def _settled(self, found: Address) -> tuple[str, str]:
        """Canonical text, after the driver's own check (beyond the last register, an unknown type word)."""
        try:
            checked = parse(str(found))
        except UserError as error:
            self._problem("address", error.what, error.why, error.fix)
            return "", ""
        return str(checked), checked.value_type


@lru_cache(maxsize=256)
def registers_of(number: int, unit: str) -> int:
    """Registers of so many ``words``, ``bytes`` or ``bits``; at least one."""
    per_register = {"words": 1, "bytes": 2, "bits": 16}[unit]
    return max(1, -(-number // per_register))


def length_unit(heading: str, rows: Sequence[Row], layout: Layout) -> str:
    """What a column of lengths counts: as its heading says, else as most types with a width of their own agree with."""
    lower = heading.lower()
    for word, unit in (("byte", "bytes"), ("bit", "bits"), ("word", "words"), ("reg", "words")):
        if word in lower:
            return unit
    length, type_ = layout.column("length"), layout.column("type")
    if length < 0 or type_ < 0:
        return "words"
    agree: Counter[str] = Counter()
    for row in rows:
        kind = datatypes.kind(row.cell(type_)) if row.cell(type_) else None
        if kind is None or kind.type not in REGISTERS_OF or not row.cell(length).isdecimal() or len(row.cell(length)) > 3:
            continue
        for unit, per_register in (("words", 1), ("bytes", 2), ("bits", 16)):
            if int(row.cell(length)) == REGISTERS_OF[kind.type] * per_register:
                agree[unit] += 1
    return max(("words", "bytes", "bits"), key=lambda unit: agree[unit])


def read_row(table: Table, layout: Layout, row: Row, context: Context, given: Given) -> list[TagRow]:
    return [RegisterReader(table, layout, row, context, given).tag_row()]
