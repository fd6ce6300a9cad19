"""Tag lists as CSV or as text pasted from a spreadsheet: ``name,address,type,order,gain,offset,unit,description,access`` in any order.

Only ``address`` must be there. Without a header line the columns are those, in that order; a single column is addresses. For Modbus,
``type`` and ``order`` become part of the address; for OPC UA, ``type`` is the tag's type and there is no order. A unit that is
recognised is kept as its UNECE code. What the columns cannot hold (group, range, enumeration, browse path) is not written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, NamedTuple, cast

from app.drivers.base import TypedAddresses
from app.edits.tags import TagDraft
from app.errors import UserError
from app.model.plant import Tag
from app.model.values import SCALAR_TYPES
from app.taglists.base import Context, TagList, TagListFormat, TagRow
from app.taglists.spreadsheet import Record, best_records, number, safe, text_of, written
from app.units import recognise, unit

COLUMNS: Final = ("name", "address", "type", "order", "gain", "offset", "unit", "description", "access")
_ALIASES: Final[dict[str, str]] = {
    "tag": "name", "tagname": "name", "alias": "name", "label": "name", "signal": "name", "variable": "name",
    "addr": "address", "node": "address", "nodeid": "address", "register": "address", "id": "address", "item": "address",
    "datatype": "type", "format": "type", "dtype": "type",
    "byteorder": "order", "wordorder": "order", "endianness": "order", "endian": "order", "byteandwordorder": "order",
    "scale": "gain", "factor": "gain", "multiplier": "gain", "scaling": "gain",
    "bias": "offset", "zero": "offset",
    "units": "unit", "eu": "unit", "engineeringunit": "unit", "engineeringunits": "unit", "uom": "unit",
    "desc": "description", "comment": "description", "text": "description", "remark": "description",
    "accesslevel": "access", "rw": "access", "readwrite": "access", "mode": "access",
}  # fmt: skip
_ACCESS: Final[dict[str, str]] = {
    "": "r", "r": "r", "ro": "r", "read": "r", "readonly": "r",
    "rw": "rw", "wr": "rw", "readwrite": "rw", "w": "w", "wo": "w", "write": "w", "writeonly": "w",
}  # fmt: skip


def read(data: bytes, context: Context) -> TagList:
    """Every row of a list, usable or not.

    Raises:
        UserError: It is no text, has no rows, or has a header without an address.
    """
    rows = best_records(text_of(data), lambda found: _score(found, context))
    if not rows:
        raise UserError("Nothing to import", where="the list", why="it is empty", fix=f"Give a list with the columns {','.join(COLUMNS)}")
    header = _header(rows[0].cells, context)
    if header is None:
        layout = _Layout(("address",) if max(len(row.cells) for row in rows) == 1 else COLUMNS, ())
    elif "address" not in header.columns:
        why = f'the header has no column "address"; it has {", ".join(rows[0].cells)}'
        raise UserError("Cannot read the list", where=f"line {rows[0].line}", why=why, fix=f"Name the columns {','.join(COLUMNS)}")
    else:
        layout, rows = header, rows[1:]
    seen: dict[tuple[str, str], int] = {}
    return TagList(tuple(_marked(_RowReader(layout, row, context).tag_row(), seen) for row in rows), layout.ignored)


def write(tags: Iterable[Tag | TagDraft]) -> bytes:
    """The tags as CSV that ``read`` gives back, and that no spreadsheet runs."""
    rows: list[tuple[str, ...]] = []
    for tag in tags:
        numbers = (_number_text(tag.gain), _number_text(tag.offset))
        rows.append(
            (safe(tag.name), safe(tag.address), tag.type, "", *numbers, safe(_unit_text(tag.unit)), safe(tag.description), tag.access)
        )
    return written([COLUMNS, *rows])


class _Layout(NamedTuple):
    """Which column stands where ("" for one that is ignored), and the headers of those."""

    columns: tuple[str, ...]
    ignored: tuple[str, ...]


def _header(cells: Sequence[str], context: Context) -> _Layout | None:
    """None where no cell is a known header, or one is an address: then it is a row already.

    Of two columns with one meaning, the one with our own name counts, else the first.
    """
    folded = [re.sub(r"[\W_]+", "", cell).lower() for cell in cells]
    claimed = {word for word in folded if word in COLUMNS}
    columns: list[str] = []
    for word in folded:
        known = word if word in COLUMNS else _ALIASES.get(word, "")
        if known in columns or (known in claimed and known != word):
            known = ""
        columns.append(known)
    if not any(columns) or any(_is_address(cell, context) for cell in cells):
        return None
    return _Layout(tuple(columns), tuple(cell for cell, column in zip(cells, columns, strict=True) if cell and not column))


def _score(rows: Sequence[Record], context: Context) -> tuple[int, ...]:
    """How well a delimiter fits: known headers, then cells that are addresses, then cells at all."""
    if not rows:
        return (0, 0, 0)
    header = _header(rows[0].cells, context)
    if header is not None:
        return (sum(map(bool, header.columns)), 0, len(rows[0].cells))
    return (0, sum(_is_address(cell, context) for row in rows[:20] for cell in row.cells), len(rows[0].cells))


def _is_address(text: str, context: Context) -> bool:
    try:
        context.spec.parse_address(text, namespaces=context.namespaces, notation=context.notation)
    except UserError:
        return False
    return True


class _RowReader:
    """One row; collects its problems."""

    def __init__(self, layout: _Layout, record: Record, context: Context) -> None:
        self._record, self._context = record, context
        self._cells: dict[str, str] = {column: cell for column, cell in zip(layout.columns, record.cells, strict=False) if column}
        self._problems: list[UserError] = []
        extra = [cell for cell in record.cells[len(layout.columns) :] if cell]
        if extra:
            self._problem("", "Too many cells", f"nothing may stand behind the last column: {extra[0]}", "Put texts with commas in quotes")

    def tag_row(self) -> TagRow:
        address, type_ = self._address()
        draft = TagDraft(
            address=address,
            name=self._cell("name") or (self._context.spec.short_address(address) if address else ""),
            type=type_,
            gain=self._number("gain", 1.0),
            offset=self._number("offset", 0.0),
            unit=_unit_code(self._cell("unit")),
            access=self._access(),
            description=self._cell("description"),
        )
        tag = None if self._problems else draft
        return TagRow(self._record.line, tag, tuple(self._problems), cells=tuple(self._cells.items()))

    def _cell(self, column: str) -> str:
        return self._cells.get(column, "")

    def _address(self) -> tuple[str, str]:
        spec, given = self._context.spec, self._cell("address")
        if not given:
            self._problem("address", "No address", "the cell is empty", "Give every tag an address")
            return "", ""
        type_, order = self._cell("type"), self._cell("order")
        try:
            if isinstance(spec, TypedAddresses):
                address = spec.with_type(given, type_, order, notation=self._context.notation)
                return address, spec.type_of(address)
            address = spec.parse_address(given, namespaces=self._context.namespaces, notation=self._context.notation)
        except UserError as error:
            self._problem("address", error.what, f"{error.where}: {error.why}", error.fix)
            return "", ""
        if order:
            self._problem("order", "No byte order here", f"{spec.title} has none", "Leave the column empty")
        word = type_.lower()
        if word and word.removesuffix("[]") not in SCALAR_TYPES:
            self._problem(
                "type", "Unknown type", f"{type_!r} is none of {', '.join(SCALAR_TYPES)}, with [] behind for arrays", "Leave it empty"
            )
        return address, word

    def _number(self, column: str, default: float) -> float:
        text = self._cell(column)
        if not text:
            return default
        value = number(text)
        if value is None:
            self._problem(column, "Not a number", text, "Write 0.1, 0,1 or 1e-3, without thousands separators")
            return default
        if column == "gain" and value == 0.0:
            self._problem(column, "A gain of 0", "every value would be the offset", "Leave the cell empty for 1")
        return value

    def _access(self) -> Literal["r", "rw", "w"]:
        text = self._cell("access")
        word = _ACCESS.get(re.sub(r"[\W_]+", "", text).lower())
        if word is None:
            self._problem("access", "Unknown access", text, "Write r, rw or w")
            return "r"
        return cast('Literal["r", "rw", "w"]', word)

    def _problem(self, column: str, what: str, why: str, fix: str) -> None:
        where = f"line {self._record.line}" + (f", column {column}" if column else "")
        self._problems.append(UserError(what, where=where, why=why, fix=fix))


def _marked(row: TagRow, seen: dict[tuple[str, str], int]) -> TagRow:
    """The row, marked where its name or address stands in the list before."""
    if row.tag is None:
        return row
    keys: Mapping[str, str] = {"name": row.tag.name, "address": row.tag.address}
    marks = tuple(f"same {kind} as line {seen[kind, text]}" for kind, text in keys.items() if (kind, text) in seen)
    for kind, text in keys.items():
        seen.setdefault((kind, text), row.line)
    return TagRow(row.line, row.tag, row.problems, marks, row.cells)


def _number_text(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def _unit_code(text: str) -> str:
    found = recognise(text) if text else None
    return text if found is None else found.code


def _unit_text(code: str) -> str:
    """What a person writes for the unit, if reading that gives the same one; a code may be the symbol of another unit ("VA")."""
    known = unit(code)
    texts = (known.symbol, known.name, code) if known else (code,)
    return next((text for text in texts if _unit_code(text) == code), code)


FORMAT = TagListFormat("csv", "CSV, or text from a spreadsheet", (".csv", ".tsv", ".txt"), read)
