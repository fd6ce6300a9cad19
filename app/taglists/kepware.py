"""Tag lists as KEPServerEX exports them: Modbus addresses, types and scaling in that product's own forms.

Forms as its Modbus drivers document them: ``400001``, bits ``400001.5``, strings ``400001.20H`` (20 bytes, high byte first; ``L`` low byte
first), arrays ``400001 [10]``; counted from 1. Linear scaling becomes gain and offset; square-root scaling is no part of a tag.
"""

from __future__ import annotations

import re
from typing import Final

from msgspec import structs

from app.drivers.modbus.address import BIT_TABLES, Address, parse
from app.edits.tags import TagDraft
from app.errors import UserError
from app.taglists import csv_text
from app.taglists.base import Context, TagRow
from app.taglists.columns import Layout
from app.taglists.datatypes import folded
from app.taglists.places import TABLE_OF_DIGIT
from app.taglists.registers import Given
from app.taglists.rows import RowReader
from app.taglists.spreadsheet import number, text_of
from app.taglists.table import Row, Table, TableFormat
from app.taglists.words import Meaning

_MEANINGS: Final[dict[str, Meaning]] = {
    "tagname": "name", "address": "address", "datatype": "type", "clientaccess": "access", "engunits": "unit", "description": "description",
}  # fmt: skip
_NEEDED: Final = frozenset({"tagname", "address", "datatype", "clientaccess"})
_TYPES: Final = {
    "boolean": "bool", "short": "int16", "word": "uint16", "long": "int32", "dword": "uint32", "llong": "int64", "qword": "uint64",
    "float": "float32", "double": "float64", "string": "string", "bcd": "bcd16", "lbcd": "bcd32", "char": "int16", "byte": "uint16",
    "default": "", "": "",
}  # fmt: skip
_ADDRESS: Final = re.compile(
    r"(?P<digit>[0134])(?P<number>[0-9]{4,5})(?:\.(?:(?P<bytes>[0-9]{1,3})(?P<order>[HL])|(?P<bit>[0-9]{1,2})))?"
    r"(?:\s*\[(?P<size>[0-9]{1,3})\](?:\s*\[(?P<size2>[0-9]{1,3})\])?)?",
    re.IGNORECASE,
)
MOST_ELEMENTS: Final = 500


def layout(table: Table) -> Layout | None:
    """The columns of such a file, None where it is none; comment lines may stand before the heading."""
    for at, row in enumerate(table.rows[:20]):
        words = [folded(cell) for cell in row.cells]
        if set(words) >= _NEEDED:
            width = max(table.width, len(words))
            meanings: list[Meaning] = [_MEANINGS.get(word, "") for word in words] + [""] * (width - len(words))
            return Layout(tuple(meanings), tuple(row.cells) + ("",) * (width - len(words)), at + 1)
    return None


class _KepwareRow(RowReader):
    def __init__(self, table: Table, layout: Layout, row: Row, context: Context, given: Given) -> None:
        super().__init__(table, layout, row, context)
        self._numbering = given.numbering
        self._own = {folded(title): column for column, title in enumerate(layout.headings)}
        self.elements = 1

    def own(self, heading: str) -> str:
        """A cell by this product's own heading."""
        column = self._own.get(heading, -1)
        return self._row.cell(column) if column >= 0 else ""

    def _address(self) -> tuple[str, str]:
        if self._context.spec.key != "modbus":
            return super()._address()
        text = self.cell("address")
        found = _ADDRESS.fullmatch(text.strip())
        if found is None:
            why = f"{text!r} is an address of another driver of that product; only Modbus addresses (400001, 400001.5) can be used here"
            self._problem("address", "Not a Modbus address", why, "Import it at an endpoint of its own protocol, or take the row away")
            return "", ""
        table, written = TABLE_OF_DIGIT[found["digit"]], int(found["number"])
        base = self._numbering.base if self._numbering.base is not None else 1
        if not base <= written <= 65_535 + base:
            self._problem(
                "address", "No such register", f"{text!r} is not from {base} to {65_535 + base} behind the table digit", "Correct it"
            )
            return "", ""
        return self._typed(found, table, written - base)

    def _typed(self, found: re.Match[str], table: str, address: int) -> tuple[str, str]:
        word = folded(self.cell("type"))
        array = word.endswith("array") or found["size"] is not None
        word = word.removesuffix("array")
        if word not in _TYPES:
            self._problem(
                "type", "Unknown type", f"{self.cell('type')!r} has no counterpart here", "Use Boolean, Short, Word, Long, DWord, Float …"
            )
            return "", ""
        if array:
            self.elements = int(found["size"] or 1) * int(found["size2"] or 1)
            if not 1 <= self.elements <= MOST_ELEMENTS:
                self._problem("address", "Too long an array", f"{self.elements} elements; the limit is {MOST_ELEMENTS}", "Split it")
                return "", ""
        if word in ("char", "byte"):
            self._marks.append(f"{self.cell('type')} is read as the whole register")
        return self._item(found, table, address, _TYPES[word])

    def _item(self, found: re.Match[str], table: str, address: int, type_: str) -> tuple[str, str]:
        unit = self._context.unit
        if found["bytes"]:
            item = Address(unit, table, address, None, "string", int(found["bytes"]), "BADC" if found["order"].upper() == "L" else "")
        elif found["bit"]:
            item = Address(unit, table, address, int(found["bit"]), "bool")
        elif table in BIT_TABLES:
            item = Address(unit, table, address, None, "bool")
        elif type_ == "string":
            self._problem(
                "address", "A text without a length", f"{self.cell('address')!r} does not say it", "Write 400001.20H for 20 bytes"
            )
            return "", ""
        elif type_ == "bool":
            self._marks.append("a Boolean in a register is read as its bit 0")
            item = Address(unit, table, address, 0, "bool")
        else:
            item = Address(unit, table, address, None, type_ or "uint16")
        try:
            checked = parse(str(item))
        except UserError as error:
            self._problem("address", error.what, error.why, error.fix)
            return "", ""
        return str(checked), checked.value_type

    def _checked(self, draft: TagDraft) -> TagDraft:
        """Scaling, from its six columns."""
        kind = folded(self.own("scaling"))
        numbers = {name: number(self.own(name)) for name in ("rawlow", "rawhigh", "scaledlow", "scaledhigh")}
        negated = folded(self.own("negatevalue")) in ("1", "true", "yes")
        if kind in ("squareroot", "sqrt"):
            why = "square-root scaling is no part of a tag: it holds the raw value; map it with the square-root transform"
            self._marks.append(
                f"{why} (raw {self.own('rawlow')}…{self.own('rawhigh')} to {self.own('scaledlow')}…{self.own('scaledhigh')})"
            )
            return structs.replace(draft, unit="")
        if kind not in ("linear", "none", ""):
            self._problem(
                "", "Unknown scaling", f"{self.own('scaling')!r} is neither None, Linear nor Square Root", "Set it to None or Linear"
            )
            return draft
        if kind != "linear":
            return draft
        if any(value is None for value in numbers.values()) or numbers["rawlow"] == numbers["rawhigh"]:
            self._problem(
                "", "Incomplete scaling", "raw and scaled low and high must be numbers, raw low and high different", "Correct them"
            )
            return draft
        low, high, scaled_low, scaled_high = (value or 0.0 for value in numbers.values())
        gain = (scaled_high - scaled_low) / (high - low)
        offset = scaled_low - low * gain
        if not gain:
            self._problem("", "A gain of 0", "scaled low and high are equal", "Correct them")
            return draft
        sign = -1.0 if negated else 1.0
        limits = sorted((sign * scaled_low, sign * scaled_high))
        return super()._checked(
            structs.replace(draft, gain=_plain(sign * gain), offset=_plain(sign * offset) + 0.0, low=limits[0], high=limits[1])
            if draft.type != "bool"
            else draft
        )


def _plain(value: float) -> float:
    """Without the last digits that only the division made: 0.1 and not 0.10000000000000002."""
    return float(f"{value:.12g}")


def read_row(table: Table, layout: Layout, row: Row, context: Context, given: Given) -> list[TagRow]:
    """One tag, or the elements of an array as tags of their own."""
    from dataclasses import replace

    reader = _KepwareRow(table, layout, row, context, given)
    found = reader.tag_row()
    if reader.elements == 1 or found.tag is None:
        return [found]
    first = parse(found.tag.address)
    rows: list[TagRow] = []
    for element in range(reader.elements):
        item = structs.replace(first, address=first.address + element * first.count)
        if item.address + item.count > 65_536:
            why = f"element {element} of the array lies beyond the last register"
            error = UserError("No such register", where=found.place, why=why, fix="Correct the length of the array")
            rows.append(replace(found, tag=None, problems=(error,)))
            break
        tag = structs.replace(found.tag, address=str(item), name=f"{found.tag.name}[{element}]")
        rows.append(replace(found, tag=tag, marks=(*found.marks, f"element {element} of {reader.elements}")))
    return rows


def fits(data: bytes, name: str) -> int:
    del name
    try:
        head = text_of(data[:8_192])
    except UserError:
        return 0
    return 95 if any({folded(cell) for cell in re.split(r"[,;\t]", line)} >= _NEEDED for line in head.splitlines()[:20]) else 0


FORMAT = TableFormat("kepware", "Kepware CSV", (".csv",), fits, csv_text.read, layout, read_row)
