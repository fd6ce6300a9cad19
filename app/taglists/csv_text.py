"""Lists as delimited text: CSV with any delimiter, and what spreadsheets and tables of web pages put on the clipboard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from app.errors import UserError
from app.taglists.columns import header_score
from app.taglists.spreadsheet import DELIMITERS, Record, records, text_of
from app.taglists.table import Row, Table, TableFormat, bounded

_LOOKED_AT: Final = 200
"""Rows by which a delimiter is judged."""


def read(data: bytes) -> tuple[Table, ...]:
    """One table, by whichever delimiter makes the best one of it.

    Raises:
        UserError: It is no text, empty, or has a quotation mark that is never closed.
    """
    text = text_of(data)
    best: list[Record] = []
    best_score: tuple[float, ...] = ()
    failure: UserError | None = None
    for delimiter in DELIMITERS:
        try:
            found = records(text, delimiter)
        except UserError as error:
            failure = error
            continue
        score = _score(found)
        if not best or score > best_score:
            best, best_score = found, score
    if not best and failure is not None:
        raise failure
    if not best:
        raise UserError("Nothing to import", where="the list", why="it is empty", fix="Give a list with a column of addresses")
    return (Table(bounded([Row(record.line, tuple(record.cells)) for record in best], "the list")),)


def _score(found: Sequence[Record]) -> tuple[float, ...]:
    """How well a delimiter fits: known headings in one row, then rows that agree in how many cells they have, then cells."""
    sample = found[:_LOOKED_AT]
    if not sample:
        return (0.0, 0.0, 0.0)
    headings = max(header_score(record.cells) for record in sample[:40])
    widths = Counter(len(record.cells) for record in sample)
    width, agreeing = max(widths.items(), key=lambda pair: (pair[1], pair[0]))
    return (headings, agreeing / len(sample) if width > 1 else 0.0, float(width))


def fits(data: bytes, name: str) -> int:
    """Any text may be one; a text with tabs, or of this suffix, is."""
    del name
    head = data[:65_536]
    if head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF")):
        return 0
    try:
        text = text_of(head)
    except UserError:
        return 1
    lines = [line for line in text.splitlines()[:200] if line.strip()]
    delimited = sum(1 for line in lines if max((line.count(delimiter) for delimiter in DELIMITERS), default=0) >= 2)
    return 60 if lines and delimited * 2 >= len(lines) else 20


FORMAT = TableFormat("csv", "CSV, or cells from a spreadsheet", (".csv", ".tsv", ".tab"), fits, read)
