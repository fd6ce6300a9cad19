"""Which rows of a table are rows of the list, and which are section titles, repeated headings, notes, or the rest of the row above."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from app.taglists import datatypes, states
from app.taglists.columns import Layout, header_score
from app.taglists.contents import in_grammar, is_address
from app.taglists.datatypes import folded
from app.taglists.places import as_hex
from app.taglists.scales import NOTHING
from app.taglists.table import Row, Skipped, Table

_SHOWN: Final = 120


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the list; ``table`` is what the section title above it names, "" for none."""

    row: Row
    table: str = ""


class Grouped(NamedTuple):
    """Rows in order, what was left out, and the texts of preamble and section titles."""

    rows: list[Entry]
    skipped: list[Skipped]
    headings: list[str]


def entries(table: Table, layout: Layout) -> Grouped:
    return _Grouping(table, layout).run()


class _Grouping:
    def __init__(self, table: Table, layout: Layout) -> None:
        self._table, self._layout = table, layout
        self._address = layout.column("address")
        self._rows: list[Entry] = []
        self._skipped: list[Skipped] = []
        self._headings: list[str] = []
        self._section = ""
        self._heading_texts = {folded(text) for text in layout.headings if text}

    def run(self) -> Grouped:
        for row in self._table.rows[: self._layout.first]:
            text = " ".join(row.filled)
            self._headings.append(text)
            if not self._is_heading_row(row):
                self._skip(row, "before the heading")
        for row in self._table.rows[self._layout.first :]:
            self._take(row)
        return Grouped(self._rows, self._skipped, self._headings)

    def _take(self, row: Row) -> None:
        texts = list(dict.fromkeys(row.filled))
        address = row.cell(self._address)
        if self._is_heading_row(row):
            self._skip(row, "the heading again")
        elif self._is_title(row, texts, address):
            self._on_title(row, " ".join(texts))
        elif not address and self._is_rest(row):
            self._append(row)
        elif not address and self._cell(row, "bit") and self._rows:
            self._rows.append(Entry(self._with_address_above(row), self._section))
        elif (why := self._unused(row, address)) is not None:
            self._skip(row, why)
        else:
            self._rows.append(Entry(row, self._section))

    def _is_heading_row(self, row: Row) -> bool:
        if not self._heading_texts:
            return False
        texts = [folded(cell) for cell in row.cells if cell]
        same = sum(1 for text in texts if text in self._heading_texts)
        return same >= 2 and same * 5 >= len(texts) * 4 and header_score(row.cells) > 1.5 and not is_address(row.cell(self._address))

    def _is_title(self, row: Row, texts: Sequence[str], address: str) -> bool:
        """One text in a row, that is no address and does not stand under a text column."""
        if len(texts) != 1 or len(self._layout.meanings) == 1:
            return False
        if address:
            return not self._could_be_address(address) and any(letter.isalpha() for letter in address)
        column = next(at for at, cell in enumerate(row.cells) if cell)
        meaning = self._layout.meanings[column] if column < len(self._layout.meanings) else ""
        return meaning not in ("description", "enum") or bool(states.table_word(texts[0])) or not self._rows

    def _could_be_address(self, text: str) -> bool:
        return in_grammar(text) or is_address(text) or as_hex(text) is not None or sum(map(str.isalpha, text)) < 4

    def _on_title(self, row: Row, text: str) -> None:
        self._headings.append(text)
        if word := states.table_word(text):
            self._section = word
        self._skip(row, f"a title; the rows below it are of the table {word}" if word else "a title")

    def _is_rest(self, row: Row) -> bool:
        """Only texts, in columns of text, below a row: it goes on there."""
        meanings = {self._layout.meanings[at] if at < len(self._layout.meanings) else "" for at, cell in enumerate(row.cells) if cell}
        return bool(self._rows) and meanings <= {"description", "enum", ""} and meanings != {""}

    def _append(self, row: Row) -> None:
        above = self._rows[-1]
        cells = list(above.row.cells) + [""] * (len(row.cells) - len(above.row.cells))
        for at, text in enumerate(row.cells):
            if text:
                cells[at] = f"{cells[at]}{'; ' if _begins_state(text) and cells[at] else ' '}{text}".strip()
        self._rows[-1] = replace(above, row=replace(above.row, cells=tuple(cells)))
        self._skip(row, f"goes on with {self._table.place(above.row.number)}")

    def _with_address_above(self, row: Row) -> Row:
        """A bit of the register of the row above: such rows leave the address out."""
        cells = list(row.cells) + [""] * (self._address + 1 - len(row.cells))
        cells[self._address] = self._rows[-1].row.cell(self._address)
        return replace(row, cells=tuple(cells))

    def _unused(self, row: Row, address: str) -> str | None:
        """Why a row stands for nothing, None where it stands for something."""
        name, description = self._cell(row, "name"), self._cell(row, "description")
        type_ = self._cell(row, "type")
        if not address and not type_ and not name:
            return "no address and no type"
        reserved = any(states.is_reserved(text) for text in (name, type_) if text) or (not name and states.is_reserved(description))
        if reserved and not in_grammar(address):  # who writes an address in full means it, whatever the name
            return "reserved"
        has_names = self._layout.column("name") >= 0 or self._layout.column("description") >= 0
        bare = not name and not description and (not type_ or type_.lower() in NOTHING)
        if has_names and bare and not in_grammar(address) and len(row.filled) == 1:
            return "only an address"
        return None

    def _cell(self, row: Row, meaning: str) -> str:
        at = self._layout.meanings.index(meaning) if meaning in self._layout.meanings else -1
        return row.cell(at) if at >= 0 else ""

    def _skip(self, row: Row, why: str) -> None:
        text = " ".join(row.filled)
        self._skipped.append(Skipped(self._table.place(row.number), text if len(text) <= _SHOWN else text[:_SHOWN] + "…", why))


def _begins_state(text: str) -> bool:
    """``1 = running``, ``Bit 3: alarm``: one more of a list of states."""
    head = text.split("=", 1)[0].split(":", 1)[0].strip().lower().removeprefix("bit").strip()
    return head.lstrip("-").isdecimal() and datatypes.kind(text) is None
