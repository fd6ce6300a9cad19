"""Which column means what: by its heading, by what stands in it, and by what a person said of this layout before."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from app.taglists.contents import fractions
from app.taglists.datatypes import folded
from app.taglists.table import Row, Table
from app.taglists.words import TITLES, Meaning, heading

LOOKED_AT: Final = 80
"""Rows among which the heading is looked for."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of one table.

    Attributes:
        meanings: Per column; "" is not used. Each other meaning stands at most once.
        headings: Per column as it was written (of several rows joined), "" without a heading.
        first: Index of the first row behind the heading; everything before it is preamble.
        key: Digest of the headings, under which corrections are remembered; "" without a heading.
        corrected: Whether a person's correction, of now or of an earlier list, is in it.
    """

    meanings: tuple[Meaning, ...]
    headings: tuple[str, ...]
    first: int
    key: str = ""
    corrected: bool = False

    def column(self, meaning: Meaning) -> int:
        """Where a meaning stands, -1 for nowhere."""
        return self.meanings.index(meaning) if meaning in self.meanings else -1

    def title(self, column: int) -> str:
        return self.headings[column] if 0 <= column < len(self.headings) else ""

    @property
    def ignored(self) -> tuple[str, ...]:
        return tuple(text for text, meaning in zip(self.headings, self.meanings, strict=True) if text and not meaning)

    def with_meaning(self, column: int, meaning: Meaning) -> Layout:
        """A correction; the column that had this meaning before has none then."""
        changed: list[Meaning] = [meaning if at == column else "" if one == meaning else one for at, one in enumerate(self.meanings)]
        return replace(self, meanings=tuple(changed), corrected=True)


def recognise(table: Table) -> Layout:
    """The most likely layout; never fails: columns that mean nothing to us have the meaning ""."""
    found = _heading_rows(table.rows[:LOOKED_AT])
    if found is None:
        return _by_content(table)
    first, texts = found
    width = _width(table.rows[first:], texts)
    texts = (*texts, *[""] * (width - len(texts)))[:width]
    shares = fractions(table.rows[first:], width)
    meanings = _claimed(texts, shares)
    _fill_by_content(meanings, shares)
    return Layout(tuple(meanings), texts, first, _digest(texts))


def _width(rows: Sequence[Row], texts: Sequence[str]) -> int:
    """Columns that have a heading, or something in a third of the rows; cells beyond them are strays, which a row is told of."""
    width = max((at + 1 for at, text in enumerate(texts) if text), default=0)
    for at in range(width, max((len(row.cells) for row in rows), default=0)):
        if sum(1 for row in rows if row.cell(at)) * 3 >= len(rows):
            width = at + 1
    return width


def header_score(cells: Sequence[str]) -> float:
    """How much of a row is headings of different meanings."""
    found: dict[Meaning, float] = {}
    for cell in cells:
        meaning, sure = heading(cell)
        if meaning:
            found[meaning] = max(found.get(meaning, 0.0), sure)
    return sum(found.values())


def _digest(texts: Sequence[str]) -> str:
    words = [folded(text) for text in texts]
    while words and not words[-1]:
        words.pop()
    return hashlib.sha256("\0".join(words).encode()).hexdigest()[:24]


# Finding the heading


def _heading_rows(rows: Sequence[Row]) -> tuple[int, tuple[str, ...]] | None:
    """(index of the first row behind it, texts). Up to three rows may make one heading, as merged cells do."""
    best: tuple[float, int, int, tuple[str, ...]] | None = None
    for at, row in enumerate(rows):
        for depth in (1, 2, 3):
            group = rows[at : at + depth]
            if len(group) < depth or (depth > 1 and any(_has_content(one) for one in group)):
                break
            texts = _joined([one.cells for one in group])
            score = header_score(texts) - 0.4 * (depth - 1)
            if score >= _needed(row, texts) and (best is None or score > best[0] + 0.25):
                best = (score, at, at + depth, texts)
    return None if best is None or _has_content(rows[best[1]]) else (best[2], best[3])


def _needed(row: Row, texts: Sequence[str]) -> float:
    """A heading names an address and something else; a list of one column only the address."""
    meanings = [heading(text)[0] for text in texts]
    if "address" in meanings:
        return 0.9 if len(row.filled) == 1 else 1.2
    return 1.8


def _has_content(row: Row) -> bool:
    """Whether a row has what only rows of the list have: an address beside other things."""
    from app.taglists.contents import is_address, is_number

    filled = row.filled
    return any(is_address(cell) for cell in filled) and sum(1 for cell in filled if heading(cell)[1] >= 0.9 and not is_number(cell)) < 2


def _joined(rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Headings of several rows as one: the upper reaches over the empty cells at its right, where the lower has something."""
    width = max(len(cells) for cells in rows)
    parts: list[list[str]] = [[] for _ in range(width)]
    for level, cells in enumerate(rows):
        upper = ""
        for column in range(width):
            text = cells[column].strip() if column < len(cells) else ""
            below = any(column < len(lower) and lower[column].strip() for lower in rows[level + 1 :])
            if text:
                upper = text
            elif below and upper and level < len(rows) - 1:
                text = upper
            if text and text not in parts[column]:
                parts[column].append(text)
    return tuple(" ".join(part) for part in parts)


# Deciding


def _claimed(texts: Sequence[str], shares: Sequence[Mapping[str, float]]) -> list[Meaning]:
    """Each meaning goes to the column that has the better right to it, by heading and content together."""
    rights: list[tuple[float, int, Meaning]] = []
    for column, text in enumerate(texts):
        meaning, sure = heading(text)
        for one, factor in _readings(meaning, text):
            ours = folded(text) == one
            right = sure * factor + (0.3 + max(0.0, _support(one, shares[column])) if ours else _support(one, shares[column]))
            if right > 0.25:
                rights.append((right, -column, one))
    meanings: list[Meaning] = [""] * len(texts)
    taken: set[Meaning] = set()
    for _, place, meaning in sorted(rights, reverse=True):
        if meaning not in taken and not meanings[-place]:
            meanings[-place] = meaning
            taken.add(meaning)
    if "address" not in meanings and "offset" in meanings and shares[meanings.index("offset")].get("address", 0.0) >= 0.9:
        meanings[meanings.index("offset")] = "address"  # of the register, and not of the value
    _name_from_description(meanings, texts, shares)
    return meanings


def _readings(meaning: Meaning, text: str) -> list[tuple[Meaning, float]]:
    """What a heading may mean besides its first meaning, each with how much less likely that is."""
    word = folded(text)
    other: list[tuple[Meaning, float]] = []
    if meaning == "offset":
        other = [("address", 0.8)]
    elif meaning == "function":
        other = [("description", 0.6), ("name", 0.5)]
    elif meaning == "length":
        other = [("name", 0.4), ("address", 0.3)]
    elif meaning == "description":
        other = [("name", 0.5), ("enum", 0.3)]
    elif meaning == "name":
        other = [("description", 0.6)]
    elif meaning == "type":
        other = [("table", 0.5), ("access", 0.3)]
    elif meaning == "table":
        other = [("type", 0.5), ("name", 0.3)]
    elif meaning == "gain" and "lution" not in word:
        other = [("divisor", 0.6)]
    elif meaning == "range":
        other = [("enum", 0.5)]
    elif meaning == "enum":
        other = [("range", 0.5), ("description", 0.4)]
    elif meaning == "unit":
        other = [("unit_id", 0.4)]
    elif meaning == "address":
        other = [("name", 0.2), ("length", 0.9)] if word.startswith("reg") else [("name", 0.2)]
    return [(meaning, 1.0), *other] if meaning else []


_EVIDENCE: Final[dict[Meaning, float]] = {
    "address": 1.0, "type": 1.0, "access": 1.0, "function": 1.0, "unit": 0.5, "gain": 0.7, "divisor": 0.7, "length": 0.7, "order": 0.8,
    "range": 0.6, "enum": 0.4, "unit_id": 0.5, "bit": 0.5, "table": 0.8, "offset": 0.5, "low": 0.5, "high": 0.5, "name": 0.4,
    "description": 0.2,
}  # fmt: skip


_STRICT: Final = frozenset({"address", "type", "access", "function", "gain", "divisor", "length", "order", "unit_id", "bit", "offset"})
"""Meanings that a column cannot have in which nothing looks like it, whatever its heading says."""


def _support(meaning: Meaning, shares: Mapping[str, float]) -> float:
    """How much the content speaks for a meaning (up to its evidence) or as much against it; an empty column says nothing."""
    if not shares:
        return 0.0
    share = shares.get(meaning, 0.0)
    if share < 0.05 and meaning in _STRICT:
        return -2.0
    return _EVIDENCE.get(meaning, 0.0) * (2.0 * share - 1.0)


def _fill_by_content(meanings: list[Meaning], shares: Sequence[Mapping[str, float]]) -> None:
    """Columns whose headings said nothing, where the content is beyond doubt."""
    beyond_doubt: tuple[tuple[Meaning, float], ...] = (("address", 0.9), ("type", 0.8), ("access", 0.9))
    for meaning, least in beyond_doubt:
        if meaning in meanings:
            continue
        free = [(share.get(meaning, 0.0), -at) for at, share in enumerate(shares) if not meanings[at]]
        best = max(free, default=(0.0, 0))
        if best[0] >= least:
            meanings[-best[1]] = meaning
    if "name" not in meanings:
        words = [(share.get("name", 0.0), -at) for at, share in enumerate(shares) if not meanings[at]]
        if words and max(words)[0] >= 0.8 and "description" not in meanings:
            meanings[-max(words)[1]] = "name"


def _name_from_description(meanings: list[Meaning], texts: Sequence[str], shares: Sequence[Mapping[str, float]]) -> None:
    """Without a name, the first of two descriptions is it; with one description only, that is the name."""
    if "name" in meanings:
        name, description = meanings.index("name"), meanings.index("description") if "description" in meanings else -1
        if 0 <= description < name and heading(texts[name])[0] == heading(texts[description])[0] == "description":
            meanings[name], meanings[description] = "description", "name"
        return
    spare = [at for at, text in enumerate(texts) if not meanings[at] and heading(text)[0] in ("description", "name", "enum")]
    if "description" in meanings and spare and spare[0] < meanings.index("description"):
        meanings[spare[0]] = "name"
    elif "description" in meanings and shares[meanings.index("description")].get("name", 0.0) >= 0.3:
        at = meanings.index("description")
        meanings[at] = "name"
        if spare:
            meanings[spare[0]] = "description"


OWN: Final[tuple[Meaning, ...]] = ("name", "address", "type", "order", "gain", "offset", "unit", "description", "access")
"""The columns of our own lists, in the order they have where there is no heading."""


def _by_content(table: Table) -> Layout:
    """Without a heading: our own order of columns where that fits, else what stands in the columns."""
    width = table.width
    shares = fractions(table.rows, width)
    if width == 1:
        return Layout(("address",), ("",), 0)
    address = [share.get("address", 0.0) for share in shares]
    ours = width <= len(OWN) and address[1] >= max(address) and shares[2].get("type", 1.0) >= 0.5 if width > 2 else address[1] >= address[0]
    if ours and address[1] > 0.3:
        return Layout(OWN[:width] if width <= len(OWN) else OWN, ("",) * width, 0)
    meanings: list[Meaning] = [""] * width
    surest_first: tuple[Meaning, ...] = ("type", "address", "access", "unit", "gain", "enum", "range")
    for meaning in surest_first:
        free = [(share.get(meaning, 0.0), -at) for at, share in enumerate(shares) if not meanings[at]]
        best = max(free, default=(0.0, 0))
        if best[0] >= 0.6:
            meanings[-best[1]] = meaning
    texts = [(share.get("name", 0.0), -at) for at, share in enumerate(shares) if not meanings[at] and share.get("name", 0.0) >= 0.5]
    words: tuple[Meaning, ...] = ("name", "description")
    for meaning, (_, place) in zip(words, sorted(texts, key=lambda pair: -pair[1]), strict=False):
        meanings[-place] = meaning
    return Layout(tuple(meanings), ("",) * width, 0)


def described(layout: Layout) -> list[tuple[str, str]]:
    """(heading, what it was recognised as) of each column, for showing."""
    return [
        (text or f"column {at}", TITLES[meaning])
        for at, (text, meaning) in enumerate(zip(layout.headings, layout.meanings, strict=True), 1)
    ]
