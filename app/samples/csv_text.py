"""CSV as RFC 4180 says, readable by spreadsheets and harmless in them."""

from __future__ import annotations

import base64
import csv
from collections.abc import Iterable, Sequence
from typing import Final, TextIO

import msgspec
import numpy as np

from app.model.times import rfc3339
from app.model.values import Quality, Value
from app.samples.history import GAP

Cell = str | int | float | None

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")
"""A spreadsheet takes a cell that begins so for a formula (CWE-1236), and names and strings of a plant are not ours."""

QUALITY_WORDS: Final = {Quality.GOOD: "good", Quality.UNCERTAIN: "uncertain", Quality.BAD: "bad", GAP: "gap"}


def safe_text(text: str) -> str:
    """Text that no spreadsheet evaluates: with a ``'`` before it where it would."""
    return "'" + text if text.startswith(_FORMULA) else text


def time_cell(time_ns: int | None) -> str | None:
    """RFC 3339, UTC; None for None and for 0 ("the protocol has none")."""
    return rfc3339(time_ns) if time_ns else None


def cell(value: Value) -> Cell:
    """Numbers stay numbers; text is made safe, bytes are base64, arrays and structures JSON; NaN, infinities and None are empty."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | None:
            return value
        case float():
            return value if np.isfinite(value) else None
        case str():
            return safe_text(value)
        case bytes():
            return base64.b64encode(value).decode()
        case _:
            return safe_text(msgspec.json.encode(value).decode())


def write_rows(out: TextIO, header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> int:
    """Write a header and rows (text quoted, numbers bare, CRLF); how many rows. ``out`` must not translate line ends."""
    writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    writer.writerow([safe_text(title) for title in header])
    count = 0
    for row in rows:
        writer.writerow(["" if value is None else value for value in row])
        count += 1
    return count
