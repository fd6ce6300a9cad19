"""From the bytes of a spreadsheet program to cells, and back: encodings, delimiters, numbers, and cells that a spreadsheet would run."""

from __future__ import annotations

import codecs
import csv
import io
import math
import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from app.errors import UserError

MAX_BYTES: Final = 64 * 1024 * 1024
DELIMITERS: Final = ("\t", ";", ",", "|")
ACTIVE: Final = frozenset("=+-@\t\r\n\0")
"""First characters with which a spreadsheet takes a cell for a formula, or moves it (CWE-1236; OWASP ASVS 1.2.10)."""
_WORKBOOKS: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # xlsx and ods are zip files, xls is a compound file
_NUMBER: Final = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d{1,3})?", re.ASCII)


class Record(NamedTuple):
    """One row that is not empty; ``line`` is where it begins, counted from 1."""

    line: int
    cells: list[str]


def text_of(data: bytes) -> str:
    """The text of a file or of the clipboard.

    UTF-8, UTF-16 or UTF-32 by its byte order mark, else UTF-16 where every other byte is 0, else UTF-8, else Windows-1252.

    Raises:
        UserError: It is larger than any list of tags, or a workbook.
    """
    if len(data) > MAX_BYTES:
        why = f"{len(data)} bytes; the limit is {MAX_BYTES}"
        raise UserError("Cannot read the list", where="the list", why=why, fix="Split it")
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return data.decode("utf-32", "replace")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    if data.startswith(_WORKBOOKS):
        raise UserError("Cannot read the list", where="the list", why="this is a workbook, not a text", fix="Save it as CSV or .xlsx")
    if data.startswith(b"%PDF"):
        fix = "Open it, select the table, copy it, and paste it here"
        raise UserError("Cannot read the list", where="the list", why="this is a PDF, not its text", fix=fix)
    head = data[:2000]
    if len(head) >= 8 and head.count(b"\0") * 5 >= len(head) * 2:  # UTF-16 without a mark, as some exports write it
        little = head[1::2].count(b"\0") >= head[0::2].count(b"\0")
        return data.decode("utf-16-le" if little else "utf-16-be", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def records(text: str, delimiter: str) -> list[Record]:
    """Rows that hold more than blanks and delimiters. Cells are stripped, and freed of the apostrophe that ``safe`` puts before them."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    found: list[Record] = []
    line = 1
    try:
        for row in reader:
            cells = [_plain(cell).strip() for cell in row]
            if any(cell.strip(";,| \t") for cell in cells):
                found.append(Record(line, cells))
            line = reader.line_num + 1
    except csv.Error as error:
        where = f"line {line}"
        raise UserError("Cannot read the list", where=where, why=str(error), fix="Look for a quotation mark that is not closed") from error
    return found


def number(text: str) -> float | None:
    """A finite number with a decimal point or a decimal comma; None for anything else, ``1.234,5`` included."""
    plain = text.replace("\u2212", "-").replace("\xa0", "")
    if not _NUMBER.fullmatch(plain):
        return None
    value = float(plain.replace(",", "."))
    return value if math.isfinite(value) else None


def safe(text: str) -> str:
    """A text that no spreadsheet takes for a formula; ``records`` gives the text back."""
    return "'" + text if text.lstrip("'")[:1] in ACTIVE and text.lstrip("'") else text


def _plain(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell.lstrip("'")[:1] in ACTIVE and cell.lstrip("'") else cell


def written(rows: Iterable[Sequence[str]]) -> bytes:
    """RFC 4180 with a byte order mark, without which spreadsheet programs take UTF-8 for something else; every cell quoted."""
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode("utf-8-sig")
