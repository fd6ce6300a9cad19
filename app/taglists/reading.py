"""A list from its bytes to its rows: the one way in for window, command line and tests."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from app.errors import UserError
from app.taglists import datatypes, formats, states
from app.taglists.base import Context, TagList, TagRow
from app.taglists.columns import Layout, recognise
from app.taglists.contents import in_grammar
from app.taglists.corrections import Memory, named, remembered
from app.taglists.grouping import Entry, entries
from app.taglists.numbering import Numbering, numbering_of
from app.taglists.overlaps import marked
from app.taglists.registers import Given, length_unit, read_row
from app.taglists.rows import RowReader
from app.taglists.table import Row, Skipped, Table, TableFormat
from app.taglists.words import heading


@dataclass(frozen=True, slots=True)
class Source:
    """A list as it was read from its form, before anything in it was understood.

    Attributes:
        layouts: One per table.
        usable: Indexes of the tables that have a column of addresses, the one with most rows first.
    """

    name: str
    form: TableFormat
    tables: tuple[Table, ...]
    layouts: tuple[Layout, ...]

    @property
    def usable(self) -> list[int]:
        found = [at for at, layout in enumerate(self.layouts) if layout.column("address") >= 0]
        return sorted(found, key=lambda at: -len(self.tables[at].rows))

    def with_layout(self, at: int, layout: Layout) -> Source:
        layouts = list(self.layouts)
        layouts[at] = layout
        return replace(self, layouts=tuple(layouts))


def read_source(data: bytes, name: str = "", *, form: str = "", memory: Memory | None = None) -> Source:
    """Read a list by the form that fits it best (or the one named), and recognise its columns.

    Args:
        data: The file, or the text of the clipboard as UTF-8.
        name: Of the file, "" for the clipboard; its suffix counts little, the content much.
        form: Key of a format; "" finds out.
        memory: Where corrections of earlier lists with the same headings are kept.

    Raises:
        UserError: The bytes are no list in any form, or hold nothing.
    """
    if form and form not in formats():
        raise UserError("Unknown form of a list", where=form, why=f"it is none of {', '.join(formats())}", fix="Leave it out")
    chosen = formats()[form] if form else _best_form(data, name)
    try:
        tables = chosen.read(data)
    except UserError as error:
        where = error.where.replace("the list", name or "clipboard", 1) if error.where.startswith("the list") else error.where
        raise UserError(error.what, where=where, why=error.why, fix=error.fix) from error
    layouts = [(chosen.layout and chosen.layout(table)) or recognise(table) for table in tables]
    if memory is not None and chosen.layout is None:
        layouts = [remembered(memory, layout) for layout in layouts]
    return Source(name, chosen, tables, tuple(layouts))


def _best_form(data: bytes, name: str) -> TableFormat:
    suffix = Path(name).suffix.lower()
    scored = [(form.fits(data, name) + (5 if suffix in form.suffixes else 0), -at, form) for at, form in enumerate(formats().values())]
    score, _, best = max(scored, key=lambda entry: entry[:2])
    if data.startswith(b"%PDF"):
        fix = "Open it, select the rows of the table, copy them, and paste them into the tag table"
        raise UserError("Cannot read the list", where=name or "clipboard", why="this is a PDF, not its text", fix=fix)
    if score <= 0:
        why = "it is in none of the forms that can be read: " + ", ".join(form.title for form in formats().values())
        raise UserError(
            "Cannot read the list", where=name or "clipboard", why=why, fix="Save it as CSV or .xlsx, or copy and paste its rows"
        )
    return best


def read_list(data: bytes, name: str, context: Context, *, memory: Memory | None = None) -> TagList:
    """Everything at once: every usable table of a list.

    Raises:
        UserError: As ``read_source``, or no table has a column of addresses.
    """
    source = read_source(data, name, memory=memory)
    return interpret(source, context)


def interpret(source: Source, context: Context, only: Sequence[int] | None = None) -> TagList:
    """Every row of the usable tables (or of those in ``only``).

    Raises:
        UserError: There is no column of addresses.
    """
    parts = [list_of(source, at, context) for at in (source.usable if only is None else only)]
    if not parts:
        raise no_addresses(source)
    skipped = [one for part in parts for one in part.skipped]
    for at, table in enumerate(source.tables):
        if only is None and at not in source.usable:
            skipped += [*table.skipped, Skipped(table.title or "the list", f"{len(table.rows)} rows", "no column of addresses")]
    rows = marked([row for part in parts for row in part.rows])
    open_ones = [part.numbering for part in parts if part.numbering.is_open]
    ignored = tuple(dict.fromkeys(text for part in parts for text in part.ignored))
    stated = frozenset().union(*(part.stated for part in parts))
    notes = tuple(dict.fromkeys(note for part in parts for note in part.notes))
    return TagList(tuple(rows), ignored, tuple(skipped), (open_ones or [parts[0].numbering])[0], stated, notes)


def no_addresses(source: Source) -> UserError:
    """What to say of a list in which no column holds addresses."""
    table, layout = source.tables[0], source.layouts[0]
    titles = ", ".join(text for text in layout.headings if text)
    why = 'no column "address" was recognised' + (f"; the list has {titles}" if titles else "")
    where = table.place(table.rows[max(0, layout.first - 1)].number) if table.rows else source.name or "the list"
    return UserError("Cannot read the list", where=where, why=why, fix="Say which column holds the addresses")


def list_of(source: Source, at: int, context: Context) -> TagList:
    """One table, at once."""
    reading = Reading(source, at, context)
    for _ in reading.steps():
        pass
    return reading.result()


class Reading:
    """One table being read, row by row, so that a window can do a little of it at a time."""

    def __init__(self, source: Source, at: int, context: Context) -> None:
        self._source, self._context = source, _settled(context)
        self._table, self._layout = source.tables[at], source.layouts[at]
        grouped = entries(self._table, self._layout)
        self._entries, self._skipped = grouped.rows, [*self._table.skipped, *grouped.skipped]
        self._is_modbus = context.spec.key == "modbus"
        self._around = (*self._table.around, self._table.title, *(text for text in grouped.headings))
        self.numbering = self._numbering()
        self._order = self._order_around() if self._is_modbus else ""
        self._length = length_unit(self._layout.title(self._layout.column("length")), [entry.row for entry in self._entries], self._layout)
        self.count = len(self._entries)
        self.rows: list[TagRow] = []

    def steps(self) -> Iterator[int]:
        """Read on; yields how many rows are done, after each."""
        title = states.table_word(self._table.title) if self._table.title else ""
        around = _only({states.table_word(text) for text in self._table.around} - {""})
        heading_table = states.table_word(self._layout.title(self._layout.column("address")))
        for entry in self._entries:
            given = Given(self.numbering, self._length, entry.table or heading_table or title or around, self._order)
            self.rows += self._read(entry.row, given)
            yield len(self.rows)

    def result(self) -> TagList:
        stated: set[str] = {meaning for meaning in self._layout.meanings if meaning}
        notes = [self._order_note()] if self._order else []
        return TagList(
            tuple(marked(self.rows)), self._layout.ignored, tuple(self._skipped), self.numbering, frozenset(stated), tuple(notes)
        )

    def _read(self, row: Row, given: Given) -> list[TagRow]:
        if self._source.form.read_row is not None:
            return self._source.form.read_row(self._table, self._layout, row, self._context, given)
        if self._is_modbus:
            return read_row(self._table, self._layout, row, self._context, given)
        return [RowReader(self._table, self._layout, row, self._context).tag_row()]

    # How addresses are counted

    def _numbering(self) -> Numbering:
        address = self._layout.column("address")
        if not self._is_modbus or address < 0:
            return Numbering(base=0, why="")
        cells = [(text, self._stated_table(entry)) for entry in self._entries if (text := entry.row.cell(address)) and not in_grammar(text)]
        if not cells:
            return Numbering(base=0, why="the addresses are in the form of this program, counted from 0")
        kept = [entry for entry in self._entries if entry.row.cell(address) and not in_grammar(entry.row.cell(address))]
        twins = [
            [entry.row.cell(column) for entry in kept]
            for column, meaning in enumerate(self._layout.meanings)
            if not meaning and heading(self._layout.title(column))[0] == "address"
        ]
        found = numbering_of(cells, [self._layout.title(address)], self._around, twins, style=self._context.notation)
        return found if self._context.base is None else found.at(self._context.base)

    def _stated_table(self, entry: Entry) -> str:
        column, function = self._layout.column("table"), self._layout.column("function")
        if column >= 0 and (word := states.table_word(entry.row.cell(column))):
            return word
        if function >= 0 and (implied := states.functions(entry.row.cell(function))):
            return implied[0]
        return entry.table

    def _order_around(self) -> str:
        """Byte order that the words around the table state, where they do so once."""
        named = {
            datatypes.order(text)[0]
            for text in self._around
            if re.search(r"(?i)endian|(word|byte)[\s-]*order|word[\s-]*first|\b[LM]SW\b", text)
        }
        return _only(named - {""})

    def _order_note(self) -> str:
        return f"Byte order {self._order}, as words beside the table say"


def _settled(context: Context) -> Context:
    """``one-based`` is plain numbers counted from 1, where the list is in a vendor's form; own addresses keep it as their notation."""
    if context.notation == "one-based" and context.base is None:
        return replace(context, base=1)
    return context


def _only(words: set[str]) -> str:
    return next(iter(words)) if len(words) == 1 else ""


def corrected(source: Source, corrections: Mapping[str, str]) -> Source:
    """A person's words for columns (meaning → heading, number or letter), on every table where they fit; it must fit one.

    Raises:
        UserError: A meaning that is none; no table has such a column.
    """
    layouts: list[Layout] = []
    failure: UserError | None = None
    fitted = False
    for layout in source.layouts:
        try:
            layouts.append(named(layout, corrections))
            fitted = True
        except UserError as error:
            failure = failure or error
            layouts.append(layout)
    if not fitted and failure is not None:
        raise failure
    return replace(source, layouts=tuple(layouts))
