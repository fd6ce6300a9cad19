"""Lines of text copied from a PDF: what belongs to the pages and not to the list (headers, footers), and words cut by a hyphen."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from app.taglists.pdf_cells import is_plain_type
from app.taglists.words import Meaning, exact_heading

_PAGE: Final = re.compile(
    r"(?i)(?:.*\b)?(?:page|seite|p\.|pág\.?|s\.)\s*[0-9]{1,4}(?:\s*(?:of|von|/|de)\s*[0-9]{1,4})?(?:\b.*)?|[-–—]\s*[0-9]{1,4}\s*[-–—]|[0-9]{1,4}\s*(?:/|of|von)\s*[0-9]{1,4}"
)
_FEED: Final = "\f"
MOST_WORDS: Final = 40
"""Of a line of headings."""
NEAR: Final = 4
"""Lines between which page furniture stands together."""


class Line(NamedTuple):
    """``number`` counts from 1; ``gaps`` are the places of words before which there was more than one blank."""

    number: int
    words: tuple[str, ...]
    gaps: frozenset[int]

    @property
    def text(self) -> str:
        return " ".join(self.words)


def split(text: str) -> list[Line]:
    """Lines that hold anything; a form feed is a line of its own."""
    found: list[Line] = []
    for number, raw in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
        if _FEED in raw:
            found.append(Line(number, (_FEED,), frozenset()))
        plain = raw.replace(_FEED, " ").replace("\u00a0", " ").strip()
        pieces = re.split(r"([ ]{2,}|\t+|\s)", plain)
        words = [piece for piece in pieces[::2] if piece]
        gaps: set[int] = set()
        count = 0
        for piece, blank in zip(pieces[::2], [*pieces[1::2], ""], strict=True):
            count += bool(piece)
            if len(blank) > 1 or "\t" in blank:
                gaps.add(count)
        if words:
            found.append(Line(number, tuple(words), frozenset(gaps)))
    return found


def furniture(lines: Sequence[Line], headings: Collection[int] = ()) -> set[int]:
    """Indexes of lines that come with every page.

    Page numbers and form feeds are certain; a line that is repeated (but for its digits) at least three times, and stands near such a line
    or near a repeated heading of the table nearly always, is furniture too.
    """
    sure = {at for at, line in enumerate(lines) if line.words == (_FEED,) or (len(line.words) <= 14 and _PAGE.fullmatch(line.text))}
    if len(sure) == 1 and lines[next(iter(sure))].words != (_FEED,):
        sure = set()  # one alone may be a sentence that names a page
    anchors = sure | set(headings)
    if not anchors:
        return sure
    shapes: dict[str, list[int]] = {}
    for at, line in enumerate(lines):
        if at not in anchors:
            shapes.setdefault(re.sub(r"[0-9]+", "#", line.text.casefold()), []).append(at)
    pages = {at + step for at in sure for step in (-2, -1, 1, 2)}
    for places in shapes.values():  # in a text of few pages: twice, and each time beside a page number
        if len(places) >= 2 and all(at in pages for at in places) and not any(is_plain_type(word) for word in lines[places[0]].words):
            sure |= set(places)
    for at in headings:  # what stands between the number of a page and the heading on the next one is that page's header
        before = next((back for back in range(1, NEAR + 1) if at - back in sure), 0)
        sure |= {at - back for back in range(1, before)}
    anchors |= sure
    repeated = {shape: places for shape, places in shapes.items() if len(places) >= 3}
    for _ in range(NEAR):
        near = {at + step for at in anchors for step in range(-NEAR, NEAR + 1)} if anchors else set()
        fresh: set[int] = set()
        for places in repeated.values():
            if sum(1 for at in places if at in near) * 10 >= 9 * len(places) and len(places) * 3 >= min(len(sure) or len(anchors), 60):
                fresh |= {at for at in places if at not in anchors}
        if not fresh:
            break
        sure |= fresh
        anchors |= fresh
    return sure


def heading_of(line: Line) -> list[tuple[Meaning, str]] | None:
    """The columns that a line of headings names, in order; None for a line that is none.

    Words are put together so that as many different meanings as can be come out: "Register Name Type" is three columns, but two where
    another word is the address already.
    """
    if len(line.words) > MOST_WORDS or len(line.words) < 3 or sum(1 for word in line.words if exact_heading(word)) < 2:
        return None
    found = _cut(line.words, line.gaps)
    meanings = {meaning for meaning, _ in found if meaning}
    strange = sum(1 for meaning, _ in found if not meaning)
    if "address" not in meanings or len(meanings) < 3 or strange > len(meanings) // 2:
        return None
    return found


Cut = tuple[tuple["Meaning", str], ...]


def _cut(words: Sequence[str], gaps: frozenset[int]) -> list[tuple[Meaning, str]]:
    """By dynamic programming over (word, meanings so far); of equal cuts the one with fewer pieces."""
    states: dict[frozenset[Meaning], tuple[float, Cut]] = {frozenset(): (0.0, ())}
    reached: list[dict[frozenset[Meaning], tuple[float, Cut]]] = [states] + [{} for _ in words]
    for at in range(len(words)):
        for seen, (score, pieces) in reached[at].items():
            for size in range(1, min(4, len(words) - at) + 1):
                text = " ".join(words[at : at + size])
                meaning = exact_heading(text)
                known = bool(meaning)
                if not known and size > 1:
                    continue
                inside = sum(1 for place in range(at + 1, at + size) if place in gaps)
                fresh = known and meaning not in seen
                worth = score + (1.0 if fresh else -0.2 if known else -0.6) - 0.05 - 0.5 * inside
                now = seen | {meaning} if fresh else seen
                entry = (worth, (*pieces, (meaning if fresh else _second(meaning, text, seen), text)))
                if now not in reached[at + size] or worth > reached[at + size][now][0]:
                    reached[at + size][now] = entry
    return list(max(reached[-1].values(), key=lambda entry: entry[0])[1])


def _second(meaning: Meaning, text: str, seen: frozenset[Meaning]) -> Meaning:
    """What a heading is whose meaning another column has: "Registers" beside "Address" is how many there are."""
    return (
        "length" if meaning == "address" and "length" not in seen and text.lower().startswith("reg") and text.lower().endswith("s") else ""
    )


def joined(lines: Sequence[Line], known: Counter[str]) -> tuple[list[str], frozenset[int]]:
    """The words of several lines as one run, hyphens at line ends resolved; and before which of them there was a gap.

    ``known`` counts the words of the whole text: a hyphen stays where the word stands with it elsewhere.
    """
    words: list[str] = []
    gaps: set[int] = set()
    for line in lines:
        start = len(words)
        fresh = list(line.words)
        if words and (whole := _healed(words[-1], fresh[0], known)) is not None:
            words[-1] = whole
            fresh = fresh[1:]
            start -= 1
        words += fresh
        gaps |= {gap + start for gap in line.gaps if gap + start < len(words)}
    return words, frozenset(gaps)


def _healed(left: str, right: str, known: Counter[str]) -> str | None:
    """One word of what a line end cut in two, None where they are two words."""
    if left.endswith("\u00ad"):
        return left[:-1] + right
    if len(left) > 1 and left[-1] in "-‐‑" and left[-2].isalpha() and right[:1].islower():
        whole, kept = left[:-1] + right, left[:-1] + "-" + right
        core, kept_core = whole.strip(".,;:()").casefold(), kept.strip(".,;:()").casefold()
        return kept if known[kept_core] > known[core] else whole
    if len(left) > 1 and left[-1] in "-‐‑…–" and left[-2].isdecimal() and right[:1].isdecimal():
        return left + right  # a range that was cut
    if left.endswith("/") and len(left) > 1 and right[:1].isalpha() and left[-2].isalpha() and len(left) <= 3:
        return left + right  # R/ W
    return None
