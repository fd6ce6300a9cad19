"""What people read on stdout: aligned columns, in colour where stdout is a terminal, else plain text without a frame."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

from app.commands.terminal.lines import json_value
from app.commands.terminal.out import is_terminal, put_lines
from app.model.values import Value

VALUE_WIDTH: Final = 60
"""Longer values end in "…": --json has them whole."""

STYLES: Final = {
    "good": "green", "uncertain": "yellow", "bad": "red",
    "error": "bold red", "warning": "yellow", "info": "blue",
}  # fmt: skip


def put_table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A header and rows; columns as wide as their widest cell. On a terminal, words of ``STYLES`` are coloured and long cells folded."""
    cells = [[plain(cell) for cell in row] for row in rows]
    if is_terminal():
        _put_rich(titles, cells)
    else:
        put_lines(aligned([list(titles), *cells]))


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns two spaces apart, no spaces at the end of a line."""
    widths = [max(_width(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(padded(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def value_text(value: Value, type_: str) -> str:
    """A value for people: numbers with the digits they have (float32 7, float64 15), text as it is, all else as JSON."""
    if isinstance(value, float) and type_ == "float32":
        import numpy as np

        return str(np.float32(value))
    if isinstance(value, float):
        return f"{value:.15g}"
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    shown = value if isinstance(value, str) else "" if value is None else json.dumps(json_value(value)[0], ensure_ascii=False)
    shown = plain(shown)
    return shown if len(shown) <= VALUE_WIDTH else f"{shown[: VALUE_WIDTH - 1]}…"


def _put_rich(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for title in titles:
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell, STYLES.get(cell.split(" ", 1)[0].lower(), "")) for cell in row))
    Console(highlight=False).print(table)


def plain(text: str) -> str:
    """On one line: what a device sends must not move a terminal's cursor, turn its direction, nor begin a new line."""
    return "".join("�" if unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp") else letter for letter in text)


def _width(text: str) -> int:
    """Columns on a terminal: East Asian wide letters take two, combining marks none."""
    return sum(0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
