"""Lists as Excel workbooks (.xlsx, .xlsm): every visible sheet a table, formulas by the value that was stored with them.

A workbook is a zip of XML from somebody else: sizes are checked before anything is unpacked, nothing is unpacked to disk, and macros, links
and pictures are never looked at.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import warnings
import zipfile
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from app.errors import UserError
from app.taglists.table import MAX_COLUMNS, MAX_ROWS, Row, Skipped, Table, TableFormat, bounded

if TYPE_CHECKING:
    from openpyxl.cell.cell import Cell, MergedCell
    from openpyxl.worksheet._read_only import ReadOnlyWorksheet

MAX_FILE: Final = 32 * 1024 * 1024
MAX_UNPACKED: Final = 256 * 1024 * 1024
MAX_PART: Final = 128 * 1024 * 1024
MAX_RATIO: Final = 200
"""Unpacked bytes per packed byte of a part above 1 MiB; sheets of numbers come to about 20."""
MAX_PARTS: Final = 5_000
MAX_MERGED: Final = 200_000
_ZIP: Final = b"PK\x03\x04"
_NO_VALUE: Final = re.compile(
    r'<(?:\w+:)?c\s[^>]*?r="([A-Z]{1,3})([0-9]{1,7})"[^>]*>\s*<(?:\w+:)?f[^>]*?(?:/>|>[^<]*</(?:\w+:)?f>)\s*'
    r"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)?\s*</"
)
_FIX: Final = "Save it again with Excel or LibreOffice as .xlsx, or as CSV"


def read(data: bytes) -> tuple[Table, ...]:
    """Every visible sheet that holds anything.

    Raises:
        UserError: It is no workbook, too large unpacked, protected by a password, or empty.
    """
    _check(data)
    from openpyxl import load_workbook

    try:
        with warnings.catch_warnings():  # of extensions that openpyxl does not keep; we only read
            warnings.simplefilter("ignore")
            book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
            try:
                tables, hidden = _sheets(book)
            finally:
                book.close()
    except UserError:
        raise
    except Exception as error:  # a library over a stranger's XML: whatever it stumbles over, the file cannot be read
        why = f"{type(error).__name__}: {error}"[:300]
        raise UserError("Cannot read the workbook", where="the list", why=why, fix=_FIX) from error
    if not tables:
        raise UserError(
            "Nothing to import", where="the list", why="no visible sheet of the workbook holds anything", fix="Look at its sheets"
        )
    if hidden:
        first = tables[0]
        tables[0] = Table(first.rows, first.title, first.cells, (*first.skipped, *hidden), first.around)
    return tuple(tables)


def _check(data: bytes) -> None:
    """Raises ``UserError`` for what must not even be opened."""
    if len(data) > MAX_FILE:
        why = f"{len(data):,} bytes; the limit is {MAX_FILE:,}"
        raise UserError("Cannot read the workbook", where="the list", why=why, fix="Save the sheet with the list alone, as CSV")
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        why = "it is an old .xls workbook, or one that a password protects"
        raise UserError("Cannot read the workbook", where="the list", why=why, fix="Save it as .xlsx without a password, or as CSV")
    try:
        parts = zipfile.ZipFile(io.BytesIO(data)).infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
        raise UserError("Cannot read the workbook", where="the list", why=f"it is damaged: {error}", fix=_FIX) from error
    names = [part.filename for part in parts]
    why = ""
    if len(parts) > MAX_PARTS:
        why = f"it has {len(parts):,} parts; the limit is {MAX_PARTS:,}"
    elif len(set(names)) != len(names):
        why = "it holds a part twice"
    elif any(part.flag_bits & 1 for part in parts):
        why = "parts of it are encrypted"
    elif sum(part.file_size for part in parts) > MAX_UNPACKED or any(part.file_size > MAX_PART for part in parts):
        why = f"unpacked it would have {sum(part.file_size for part in parts):,} bytes; the limit is {MAX_UNPACKED:,}"
    elif any(part.file_size > 2**20 and part.file_size > MAX_RATIO * max(1, part.compress_size) for part in parts):
        why = "a part of it unpacks to far more than any sheet would"
    elif "[Content_Types].xml" not in names or not any(name.startswith("xl/") for name in names):
        why = "it is a zip file, but no Excel workbook"
    if why:
        raise UserError("Cannot read the workbook", where="the list", why=why, fix=_FIX)


def _sheets(book: object) -> tuple[list[Table], list[Skipped]]:
    tables: list[Table] = []
    hidden: list[Skipped] = []
    sheets = book.worksheets  # type: ignore[attr-defined]  # openpyxl's Workbook, imported only where it is used
    for sheet in sheets:
        if not hasattr(sheet, "iter_rows"):
            continue  # a sheet that is a chart
        if sheet.sheet_state != "visible":
            hidden.append(Skipped(sheet.title, "", "a hidden sheet"))
            continue
        rows = _rows(sheet)
        if rows:
            title = sheet.title if len(sheets) > 1 else ""
            tables.append(Table(bounded(rows, sheet.title), title, cells=True))
    return tables, hidden


def _rows(sheet: ReadOnlyWorksheet) -> list[Row]:
    merged, no_value = _from_xml(sheet)
    sheet.reset_dimensions()  # what a file says of its size may be anything
    found: list[Row] = []
    values: dict[tuple[int, int], str] = {}
    rows = sheet.iter_rows(max_col=MAX_COLUMNS)  # type: ignore[misc]  # the stubs take it for a method of another class
    for number, cells in enumerate(rows, 1):
        if number > MAX_ROWS:
            why = f"it has more than {MAX_ROWS:,} rows"
            raise UserError("Cannot read the workbook", where=sheet.title, why=why, fix="Take away the empty rows at its end, or split it")
        texts: list[str] = []
        troubles: dict[int, str] = {}
        for column, cell in enumerate(cells):
            text, trouble = _text(cell)
            if (number, column) in no_value and not text:
                trouble = "a formula without a stored value"
            if trouble:
                troubles[column] = trouble
            above = merged.get((number, column))
            if above is not None and not text:
                text = values.get(above, "")
            elif above is not None:
                values[number, column] = text
            texts.append(text)
        while texts and not texts[-1] and len(texts) - 1 not in troubles:
            texts.pop()
        if any(texts) or troubles:
            found.append(Row(number, tuple(texts), troubles))
    return found


def _from_xml(sheet: ReadOnlyWorksheet) -> tuple[Mapping[tuple[int, int], tuple[int, int]], frozenset[tuple[int, int]]]:
    """What the library leaves out when it streams: cells of merged areas → their first cell, and formulas without a stored value."""
    source = sheet._get_source  # type: ignore[attr-defined]  # the only way to the bytes of a streamed sheet; the stubs leave it out
    with source() as part:
        text = part.read().decode("utf-8", "replace")
    merged: dict[tuple[int, int], tuple[int, int]] = {}
    for found in re.finditer(r'<(?:\w+:)?mergeCell\s+ref="([A-Z]{1,3})([0-9]{1,7}):([A-Z]{1,3})([0-9]{1,7})"', text):
        left, right = _column(found[1]), min(_column(found[3]), MAX_COLUMNS - 1)
        top, bottom = int(found[2]), int(found[4])
        if bottom - top > MAX_ROWS or len(merged) + (right - left + 1) * (bottom - top + 1) > MAX_MERGED:
            continue  # a sheet merged beyond all measure keeps its first cells
        for row in range(top, bottom + 1):
            for column in range(left, right + 1):
                merged[row, column] = (top, left)
    no_value = {(int(found[2]), _column(found[1])) for found in _NO_VALUE.finditer(text)}
    return merged, frozenset(no_value)


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _text(cell: Cell | MergedCell) -> tuple[str, str]:
    """The cell as a person sees it, and why it cannot be used."""
    value = cell.value
    if value is None:
        return "", ""
    if isinstance(value, bool):
        return str(value).upper(), ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    if isinstance(value, int):
        zeros = re.fullmatch(r"0{2,9}", str(cell.number_format or ""))
        return (f"{value:0{len(zeros[0])}d}" if zeros else str(value)), ""
    if isinstance(value, float):
        return repr(value), ""
    if isinstance(value, dt.datetime | dt.date | dt.time | dt.timedelta):
        return str(value), f"a date ({value}): spreadsheets make one of texts such as 1/10"
    text = str(value).strip()
    return text, f"the formula gives {text}" if re.fullmatch(r"#[A-Z/0]+[!?]?", text) else ""


def fits(data: bytes, name: str) -> int:
    del name
    return 90 if data.startswith(_ZIP) else 70 if data.startswith(b"\xd0\xcf\x11\xe0") else 0


FORMAT = TableFormat("xlsx", "Excel workbook", (".xlsx", ".xlsm"), fits, read)
