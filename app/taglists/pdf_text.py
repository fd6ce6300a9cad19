"""Register maps as text copied from a PDF: columns collapsed to blanks, lines broken anywhere, headers and footers of pages in between."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

from app.errors import UserError
from app.taglists import states
from app.taglists.pdf_cells import OPEN, deal, is_plain_type
from app.taglists.pdf_lines import Line, furniture, heading_of, joined, split
from app.taglists.places import Place, find_place
from app.taglists.scales import NOTHING
from app.taglists.spreadsheet import text_of
from app.taglists.table import Row, Skipped, Table, TableFormat, bounded
from app.taglists.words import Meaning

MAX_BYTES: Final = 8 * 1024 * 1024
_LOOK_BACK: Final = 40
_TITLE: Final = re.compile(
    r"[0-9]{1,2}(\.[0-9]{1,2}){1,3}\.?\s+[A-ZÄÖÜ].*|[0-9]{1,2}\.?\s+[A-ZÄÖÜ][a-zäöü]+(\s+[A-Za-zäöüÄÖÜ]+){0,5}|"
    r"(?i:table|tabelle|chapter|kapitel|section|abschnitt|appendix|anhang|figure|abbildung|part|teil)\s+[0-9A-Z][0-9.]*\b.*"
)
_NOTE: Final = re.compile(
    r"(?i)(notes?|hinweise?|anmerkung(en)?|remarks?|attention|caution|achtung|important|wichtig|warning)\b\s*[0-9)]*\s*[:.\-–]\s*.*|\*+\)?\s+\S.*|\([0-9*]\)\s+\S.*"
)
_ORDERS: Final[tuple[tuple[Meaning, ...], ...]] = (
    ("address", "name", "type", "gain", "unit", "access", "description"),
    ("address", "name", "type", "unit", "gain", "access", "description"),
    ("address", "name", "access", "type", "unit", "gain", "description"),
    ("address", "name", "access", "type", "gain", "unit", "description"),
    ("address", "length", "name", "type", "gain", "unit", "access", "description"),
    ("address", "length", "type", "name", "unit", "gain", "access", "description"),
    ("address", "name", "length", "type", "gain", "unit", "access", "description"),
    ("address", "name", "type", "length", "gain", "unit", "access", "description"),
    ("address", "type", "access", "name", "unit", "gain", "description"),
    ("address", "access", "type", "name", "unit", "gain", "description"),
    ("address", "type", "name", "unit", "gain", "access", "description"),
    ("name", "address", "type", "gain", "unit", "access", "description"),
    ("name", "address", "length", "type", "unit", "gain", "access", "description"),
)  # fmt: skip
"""Orders of columns that are tried where the text has no heading."""


class Start(NamedTuple):
    """A line on which a row may begin: the words of its address are ``first`` to ``last`` (not included)."""

    line: int
    place: Place
    first: int
    last: int


def read(data: bytes) -> tuple[Table, ...]:
    """One table.

    Raises:
        UserError: It is no text, or no line of it looks like a row of a register map.
    """
    if len(data) > MAX_BYTES:
        why = f"{len(data):,} bytes; the limit is {MAX_BYTES:,}"
        raise UserError("Cannot read the list", where="the list", why=why, fix="Copy only the pages with the list")
    return (_Text(text_of(data)).table(),)


class _Worth:
    """How much sense a row makes that begins at one line and ends before another, and one row after another."""

    def __init__(
        self, lines: Sequence[Line], unused: set[int], titles: set[int], columns: Sequence[tuple[Meaning, str]], first: Place
    ) -> None:
        self._lines = lines
        self._types = [0]
        for at, line in enumerate(lines):
            self._types.append(self._types[-1] + (0 if at in unused else sum(1 for word in line.words if is_plain_type(word))))
        self._wants_type = not columns or any(meaning == "type" for meaning, _ in columns)
        self._distinct = _shape(first) != "number"
        self._cuts = sorted(titles)

    def of(self, start: Start, end: int) -> float:
        if not self._wants_type:
            return 1.0
        words = self._lines[start.line].words
        if states.is_reserved(" ".join(word for word in words[start.last :] if word.lower() not in NOTHING)):
            return 2.5
        many = self._types[end] - self._types[start.line]
        if many:
            return 3.0 - 1.5 * (many - 1)
        return 0.5 if self._distinct or len(words) >= 5 else -0.5

    def of_step(self, earlier: Start, later: Start) -> float:
        """Addresses grow, but for the bits of one register, and where a title begins another table."""
        if later.place.number > earlier.place.number or (later.place.number == earlier.place.number and later.place.bit is not None):
            return 0.0
        cut = bisect_right(self._cuts, earlier.line)
        return 0.0 if cut < len(self._cuts) and self._cuts[cut] < later.line else -2.0


class _Text:
    def __init__(self, text: str) -> None:
        lines = split(text)
        self._headings = {at: found for at, line in enumerate(lines) if (found := heading_of(line)) is not None}
        self._furniture = furniture(lines, self._headings if len(self._headings) > 1 else ())
        self._lines = lines
        self._known = Counter(word.strip(".,;:()").casefold() for line in lines for word in line.words)
        self._skipped: list[Skipped] = [
            Skipped(f"line {lines[at].number}", lines[at].text, "header or footer of a page")
            for at in sorted(self._furniture)
            if lines[at].words != ("\f",)
        ]
        self._columns = self._first_heading()
        self._used = [at for at in range(len(lines)) if at not in self._furniture and at not in self._headings]

    def table(self) -> Table:
        titles = {at for at in self._used if self._is_title(self._lines[at])}
        starts = self._chosen(self._candidates(titles), titles)
        if not starts:
            why = "no line begins like a row of a register map (an address, then a name and a type)"
            raise UserError("Nothing to import", where="the list", why=why, fix="Copy whole rows of the table, with its heading")
        if not self._columns:
            self._columns = [(meaning, meaning) for meaning in self._best_order(starts, titles)]
        rows, around = self._rows(starts, titles)
        first = min([starts[0].line, *self._headings]) if self._headings else starts[0].line
        heading = Row(self._lines[first].number, tuple(text for _, text in self._columns))
        repeated = [
            Skipped(f"line {self._lines[at].number}", self._lines[at].text, "the heading again") for at in sorted(self._headings)[1:]
        ]
        skipped = sorted((*self._skipped, *repeated), key=lambda one: int(one.place.split()[1]))
        return Table(bounded([heading, *rows], "the list"), skipped=tuple(skipped), around=tuple(around))

    # What the lines are

    def _first_heading(self) -> list[tuple[Meaning, str]]:
        """The columns of the heading that comes most often."""
        if not self._headings:
            return []
        shapes = Counter(tuple(found) for found in self._headings.values())
        return list(max(shapes.items(), key=lambda pair: pair[1])[0])

    def _is_title(self, line: Line) -> bool:
        text = line.text
        if len(text) > 100 or any(is_plain_type(word) for word in line.words):
            return False
        if _TITLE.fullmatch(text) and not (find_place(line.words[0]) and len(line.words) > 7):
            return True
        if len(line.words) <= 8 and states.table_word(text) and not find_place(line.words[0]) and line.words[0][:1].isupper():
            return True
        letters = [letter for letter in text if letter.isalpha()]
        return len(line.words) >= 2 and len(letters) >= 8 and text.isupper() and not any(letter.isdecimal() for letter in text)

    # Where rows begin

    def _candidates(self, titles: set[int]) -> list[Start]:
        found: list[Start] = []
        depth = [meaning for meaning, _ in self._columns].index("address") if self._columns else 0
        for at in self._used:
            if at in titles:
                continue
            words = self._lines[at].words
            for first in range(0, 1 if depth == 0 else min(len(words), 12)):
                if (last := _address_end(words, first)) is not None:
                    place = find_place(" ".join(words[first:last]))
                    assert place is not None
                    found.append(Start(at, place, first, last))
                    if depth == 0:
                        break
        shapes = Counter(_shape(start.place) for start in found)
        if not shapes:
            return []
        usual = max(shapes, key=lambda shape: (shapes[shape], shape))
        return [start for start in found if _shape(start.place) == usual or (usual == "number" and _shape(start.place) == "five")]

    def _chosen(self, candidates: list[Start], titles: set[int]) -> list[Start]:
        """The candidates that make the most sense together: addresses that grow, one type in each row; by dynamic programming."""
        if not candidates:
            return []
        worth = _Worth(self._lines, {*self._furniture, *self._headings}, titles, self._columns, candidates[0].place)
        best: list[tuple[float, int]] = []
        for at, start in enumerate(candidates):
            choice = (0.0, -1)
            for before in range(max(0, at - _LOOK_BACK), at):
                earlier = candidates[before]
                if earlier.line == start.line:
                    continue
                value = best[before][0] + worth.of(earlier, start.line) + worth.of_step(earlier, start)
                if value > choice[0]:
                    choice = (value, before)
            best.append(choice)
        end = len(self._lines)
        at = max(range(len(candidates)), key=lambda one: best[one][0] + worth.of(candidates[one], end))
        chain: list[Start] = []
        while at >= 0:
            chain.append(candidates[at])
            at = best[at][1]
        return chain[::-1]

    # Cells

    def _records(self, starts: Sequence[Start], titles: set[int]) -> tuple[list[tuple[Start, list[Line]]], list[tuple[int, str, str]]]:
        """(start, its lines) of each row; and (line, text, why) of the other lines."""
        begins = {start.line: start for start in starts}
        records: list[tuple[Start, list[Line]]] = []
        others: list[tuple[int, str, str]] = []
        into_note = False
        for at in self._used:
            line = self._lines[at]
            if at in begins:
                records.append((begins[at], [line]))
                into_note = False
            elif at in titles:
                others.append((at, line.text, "title"))
                into_note = True
            elif _NOTE.fullmatch(line.text):
                others.append((at, line.text, "a note"))
                into_note = True
            elif not records or into_note:
                others.append((at, line.text, "before the first row" if not records else "text between rows"))
            else:
                records[-1][1].append(line)
        return records, others

    def _rows(self, starts: Sequence[Start], titles: set[int]) -> tuple[list[Row], list[str]]:
        records, others = self._records(starts, titles)
        meanings = [meaning for meaning, _ in self._columns]
        cells = [self._cells(start, lines, meanings)[1] for start, lines in records]
        if filled := _filled(meanings, cells):
            for at, (start, lines) in enumerate(records):
                if any(not cell and meaning in filled for meaning, cell in zip(meanings, cells[at], strict=True)):
                    cells[at] = self._cells(start, lines, meanings, filled)[1]
        rows = {start.line: Row(lines[0].number, tuple(row)) for (start, lines), row in zip(records, cells, strict=True)}
        around: list[str] = []
        for at, text, why in others:
            if why == "title":
                rows[at] = Row(self._lines[at].number, (text,))
            else:
                around.append(text)
                self._skipped.append(Skipped(f"line {self._lines[at].number}", text, why))
        return [rows[at] for at in sorted(rows)], around

    def _cells(
        self, start: Start, lines: Sequence[Line], meanings: Sequence[Meaning], filled: frozenset[Meaning] = frozenset()
    ) -> tuple[float, list[str]]:
        words, gaps = joined(lines, self._known)
        place = meanings.index("address")
        address = " ".join(words[start.first : start.last])
        before, after = words[: start.first], words[start.last :]
        said = " ".join(word for word in (*before, *after) if word.lower() not in NOTHING)
        if states.is_reserved(said):
            return 0.0, ["" if meaning not in ("address", "name") else address if meaning == "address" else said for meaning in meanings]
        cost, left = deal(before, frozenset(gap for gap in gaps if gap < start.first), meanings[:place], filled) if place else (0.0, [])
        moved = frozenset(gap - start.last for gap in gaps if gap > start.last)
        more, right = deal(after, moved, meanings[place + 1 :], filled)
        return cost + more, [*left, address, *right]

    def _best_order(self, starts: Sequence[Start], titles: set[int]) -> tuple[Meaning, ...]:
        records, _ = self._records(starts, titles)
        step = max(1, len(records) // 60)

        def price(order: tuple[Meaning, ...]) -> float:
            return sum(min(20.0, self._cells(start, lines, order)[0]) for start, lines in records[::step])

        return min(_ORDERS, key=price)


def _filled(meanings: Sequence[Meaning], cells: Sequence[Sequence[str]]) -> frozenset[Meaning]:
    """Closed columns in which nine of ten rows have something; reserved rows have only a name."""
    cells = [row for row in cells if sum(map(bool, row)) > 2]
    return frozenset(
        meaning
        for at, meaning in enumerate(meanings)
        if meaning not in OPEN and len(cells) >= 10 and sum(1 for row in cells if row[at]) * 10 >= 9 * len(cells)
    )


def _address_end(words: Sequence[str], first: int) -> int | None:
    """Where the address that begins at a word ends, the longest reading; None where none begins."""
    for size in (5, 3, 2, 1):
        piece = words[first : first + size]
        if len(piece) < size or (not piece[0][:1].isalnum() and piece[0][:1] not in "%$&"):
            continue
        text = " ".join(piece)
        if size > 1 and (piece[-1][-1:] in "-–…" or not re.search(r"[-–…~]|\.\.|\bto\b|\bbis\b|^[A-Za-z%]+\s", text)):
            continue  # several words are one address only as a range, or behind a word such as HR
        if any(letter.isdecimal() for letter in text) and find_place(text) is not None and not _is_word(piece[0]):
            return first + size
    return None


def _is_word(text: str) -> bool:
    """``D`` or ``R`` of ``R/W`` and the like are no beginning of an address, ``HR`` is."""
    return text.isalpha() and len(text) == 1


def _shape(place: Place) -> str:
    if place.form != "decimal":
        return place.form
    return "five" if len(place.digits) >= 5 and place.digits[0] in "0134" else "number"


def _begins_row(line: Line, *, leading: bool) -> bool:
    """Whether an address stands at the beginning of a line, or anywhere in one that names a type too."""
    if leading:
        return _address_end(line.words, 0) is not None
    found = any(_address_end(line.words, first) for first in range(1, min(12, len(line.words))))
    return found and any(is_plain_type(word) for word in line.words)


def fits(data: bytes, name: str) -> int:
    """Many lines that begin with an address and go on in words."""
    del name
    head = data[:65_536]
    if head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF")):
        return 0
    try:
        lines = [line for line in split(text_of(head)) if line.words != ("\f",)]
    except UserError:
        return 0
    heading = next((found for line in lines if (found := heading_of(line)) is not None), None)
    if heading is not None and any(_begins_row(line, leading=heading[0][0] == "address") for line in lines):
        delimited = any("\t" in text or text.count(";") > 2 for text in text_of(head).splitlines()[:50])
        return 30 if delimited else 50
    rows = sum(
        1 for line in lines if len(line.words) >= 4 and _address_end(line.words, 0) and any(is_plain_type(word) for word in line.words)
    )
    return 40 if rows >= 3 or (rows >= 1 and rows * 4 >= len(lines)) else 5


FORMAT = TableFormat("pdf", "Text copied from a PDF", (".txt",), fits, read)
