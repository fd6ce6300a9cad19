"""What every source of a list becomes first: rows of cells, each knowing where it stood."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from app.errors import UserError

if TYPE_CHECKING:
    from app.taglists.base import Context, TagRow
    from app.taglists.columns import Layout
    from app.taglists.registers import Given

MAX_ROWS: Final = 200_000
MAX_COLUMNS: Final = 256
MAX_CELL: Final = 32_767
"""Characters of a cell; what a workbook's cell can hold (ECMA-376 Part 1 §18.3.1.93 and Excel's own limit)."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it was written.

    Attributes:
        number: Its first line in the file, or its row in the sheet, counted from 1.
        cells: Texts, without blanks around them.
        troubles: Column → why there is no text in it (a formula whose value is not stored).
    """

    number: int
    cells: tuple[str, ...]
    troubles: Mapping[int, str] = field(default_factory=dict)

    def cell(self, column: int) -> str:
        return self.cells[column] if 0 <= column < len(self.cells) else ""

    @property
    def filled(self) -> list[str]:
        return [cell for cell in self.cells if cell]


@dataclass(frozen=True, slots=True)
class Skipped:
    """A piece of the source that is no row of the list, and why; so that nothing is lost without a word."""

    place: str
    text: str
    why: str


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of one source, or of one sheet of it.

    Attributes:
        rows: Those that hold anything.
        title: Of the sheet, "" where the source is one table.
        cells: Whether places are named as cells of a sheet ("B7") and not as lines.
        skipped: What the reader of this form left out already (page furniture of a PDF).
        around: Words that stand beside the table (preamble, section titles are rows): they may say how addresses are counted.
    """

    rows: tuple[Row, ...]
    title: str = ""
    cells: bool = False
    skipped: tuple[Skipped, ...] = ()
    around: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        return max((len(row.cells) for row in self.rows), default=0)

    def place(self, number: int, column: int = -1, heading: str = "") -> str:
        """``line 12, column gain`` in a text; ``Inverter, cell C12`` in a workbook."""
        if not self.cells:
            return f"line {number}" + (f", column {heading}" if heading else "")
        sheet = f"{self.title}, " if self.title else ""
        return f"{sheet}cell {column_letters(column)}{number}" if column >= 0 else f"{sheet}row {number}"


@dataclass(frozen=True, slots=True)
class TableFormat:
    """One form in which lists come; a module that ends in ``FORMAT``, found by itself.

    Attributes:
        suffixes: Of its files.
        fits: How sure it is that these bytes (with this file name, "" from the clipboard) are of its form: 0 not at all, the highest wins.
        read: The tables of a source. Raises UserError for bytes that are no such source at all.
        layout: What the columns of its tables mean, where the form fixes that; None where they are to be recognised.
        read_row: Its own reader of rows, where they are not those of any register list. One row may hold several tags.
    """

    key: str
    title: str
    suffixes: tuple[str, ...]
    fits: Callable[[bytes, str], int]
    read: Callable[[bytes], tuple[Table, ...]]
    layout: Callable[[Table], Layout | None] | None = None
    read_row: Callable[[Table, Layout, Row, Context, Given], list[TagRow]] | None = None


def column_letters(column: int) -> str:
    """A, B … Z, AA: the name of a zero-based column."""
    letters = ""
    number = column + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def bounded(rows: Sequence[Row], where: str) -> tuple[Row, ...]:
    """The rows, if there are not more than anybody could want.

    Raises:
        UserError: Too many rows or columns, or a cell beyond all measure.
    """
    widest = max((len(row.cells) for row in rows), default=0)
    if len(rows) > MAX_ROWS or widest > MAX_COLUMNS:
        why = f"it has {len(rows):,} rows and {widest:,} columns; the limits are {MAX_ROWS:,} and {MAX_COLUMNS}"
        raise UserError("Cannot read the list", where=where, why=why, fix="Split it")
    for row in rows:
        if any(len(cell) > MAX_CELL for cell in row.cells):
            raise UserError(
                "Cannot read the list",
                where=f"{where}, row {row.number}",
                why=f"a cell holds more than {MAX_CELL:,} characters: field larger than any text of a list",
                fix="Look for a quotation mark that is not closed",
            )
    return tuple(rows)
