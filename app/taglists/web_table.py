"""Lists as HTML: saved pages, and tables of web pages on the clipboard. Only cells are read; nothing of a page is run or fetched."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Final

from app.errors import UserError
from app.taglists.spreadsheet import text_of
from app.taglists.table import MAX_COLUMNS, MAX_ROWS, Row, Table, TableFormat, bounded

MAX_BYTES: Final = 16 * 1024 * 1024
MAX_SPAN: Final = 2_000
_BREAKS: Final = frozenset({"br", "p", "div", "li"})
_SILENT: Final = frozenset({"script", "style", "template", "noscript"})


class _Cell:
    def __init__(self, across: int, down: int) -> None:
        self.across, self.down = across, down
        self.parts: list[str] = []

    @property
    def text(self) -> str:
        return " ".join("".join(self.parts).split())


class _Tables(HTMLParser):
    """Cells of every table, innermost first; text outside of tables is kept as words around them."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[list[tuple[int, list[_Cell]]]] = []
        self.around: list[str] = []
        self._open: list[list[tuple[int, list[_Cell]]]] = []
        self._cells: list[_Cell | None] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent += 1
        elif tag == "table":
            self._open.append([])
            self._cells.append(None)
            if len(self._open) > 20:
                raise UserError(
                    "Cannot read the list", where="the list", why="tables stand in one another 20 deep", fix="Copy the table alone"
                )
        elif tag == "tr" and self._open:
            self._open[-1].append((self.getpos()[0], []))
            self._cells[-1] = None
        elif tag in ("td", "th") and self._open:
            if not self._open[-1]:
                self._open[-1].append((self.getpos()[0], []))
            spans = {name: _span(value) for name, value in attrs if name in ("colspan", "rowspan")}
            cell = _Cell(spans.get("colspan", 1), spans.get("rowspan", 1))
            self._open[-1][-1][1].append(cell)
            self._cells[-1] = cell
        elif tag in _BREAKS and self._cells and (inside := self._cells[-1]) is not None:
            inside.parts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        elif tag in ("td", "th") and self._cells:
            self._cells[-1] = None
        elif tag == "table" and self._open:
            self.tables.append(self._open.pop())
            self._cells.pop()

    def handle_data(self, data: str) -> None:
        if self._silent:
            return
        if self._cells and (cell := self._cells[-1]) is not None:
            cell.parts.append(data)
        elif not self._open and data.strip():
            self.around.append(" ".join(data.split()))


def read(data: bytes) -> tuple[Table, ...]:
    """Every table of a page, or of the fragment that a browser puts on the clipboard.

    Raises:
        UserError: There is no table, or more of one than anybody could want.
    """
    if len(data) > MAX_BYTES:
        why = f"{len(data):,} bytes; the limit is {MAX_BYTES:,}"
        raise UserError("Cannot read the list", where="the list", why=why, fix="Copy the table alone")
    parser = _Tables()
    parser.feed(text_of(data))
    parser.close()
    for left in reversed(parser._open):
        parser.tables.append(left)
    tables = [rows for rows in (_rows(table) for table in parser.tables) if rows]
    if not tables:
        raise UserError("Nothing to import", where="the list", why="the page holds no table", fix="Copy the table itself")
    around = tuple(parser.around[:200])
    titled = len(tables) > 1
    return tuple(Table(bounded(rows, "the list"), f"table {at}" if titled else "", around=around) for at, rows in enumerate(tables, 1))


def _rows(table: list[tuple[int, list[_Cell]]]) -> list[Row]:
    """Cells at their columns: one that reaches over several is in each of them."""
    found: list[Row] = []
    held: dict[int, tuple[int, str]] = {}
    for line, cells in table[:MAX_ROWS]:
        texts: list[str] = []

        def take_held(texts: list[str] = texts) -> None:
            while (above := held.get(len(texts))) is not None and above[0] > 0:
                held[len(texts)] = (above[0] - 1, above[1])
                texts.append(above[1])

        for cell in cells:
            take_held()
            for _ in range(min(cell.across, MAX_COLUMNS)):
                if cell.down > 1:
                    held[len(texts)] = (cell.down - 1, cell.text)
                texts.append(cell.text)
                if len(texts) > MAX_COLUMNS:
                    raise UserError(
                        "Cannot read the list", where=f"line {line}", why=f"more than {MAX_COLUMNS} columns", fix="Copy the table alone"
                    )
        take_held()
        if any(texts):
            found.append(Row(line, tuple(texts)))
    return found


def _span(value: str | None) -> int:
    return min(MAX_SPAN, max(1, int(value))) if value and value.isdecimal() and len(value) < 6 else 1


def fits(data: bytes, name: str) -> int:
    del name
    head = data[:200_000].lower()
    if b"\0" in head[:100]:
        head = head.replace(b"\0", b"")
    return 80 if re.search(rb"<table[\s>]", head) and re.search(rb"<t[dh][\s>]", head) else 0


FORMAT = TableFormat("html", "Table of a web page", (".html", ".htm"), fits, read)
