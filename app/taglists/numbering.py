"""How a list counts its registers: Modicon numbers, plain numbers or hex, from 0 or from 1; from what the list itself gives away.

The file alone often cannot say whether 100 is the register that a request calls 100 or 99. Where it cannot, ``base`` is None and a person
is asked once, with live values at both (``app.taglists.probing``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from app.errors import UserError
from app.taglists.places import MOST_NUMBER, TABLE_OF_DIGIT, Place, as_coil, as_hex, find_place, place

Style = Literal["plain", "modicon", "hex"]
STYLES: Final[tuple[Style, ...]] = ("plain", "modicon", "hex")


@dataclass(frozen=True, slots=True)
class Numbering:
    """How addresses are to be read.

    Attributes:
        style: ``modicon``: the first digit is the table; ``hex``: hexadecimal also without a mark.
        base: Number of the first register, 0 or 1; None where nothing tells.
        proposed: What to take until a person has said.
        why: What tells it, a sentence.
    """

    style: Style = "plain"
    base: int | None = None
    proposed: int = 0
    why: str = ""

    @property
    def used(self) -> int:
        return self.proposed if self.base is None else self.base

    @property
    def is_open(self) -> bool:
        return self.base is None

    def at(self, base: int) -> Numbering:
        return replace(self, base=base, why="as chosen")


@dataclass(frozen=True, slots=True)
class Spot:
    """A zero-based address that a row names. ``table`` is "" where the address itself names none."""

    table: str
    address: int


def written_place(text: str, numbering: Numbering) -> Place:
    """A place as this list writes it. Raises ``UserError``."""
    if numbering.style == "hex" and (found := as_hex(text)) is not None:
        return found
    if numbering.style == "modicon" and (found := as_coil(text)) is not None:
        return found
    return place(text)


def spot(found: Place, numbering: Numbering) -> Spot:
    """The zero-based address.

    Raises:
        UserError: The number is before the first register, or beyond the last.
    """
    table, number = found.table, found.number
    if found.form == "modicon":
        base = 0 if numbering.base == 0 and numbering.style == "modicon" else 1
    elif found.form == "decimal" and numbering.style == "modicon" and not found.table:
        if not _is_modicon(found):
            why = "the list has Modicon numbers (40001, 30001), and this is none"
            raise UserError(
                "Not a Modicon number", where=found.text, why=why, fix="Write five or six digits, or read the list as plain numbers"
            )
        table, number, base = TABLE_OF_DIGIT[found.digits[0]], int(found.digits[1:]), numbering.used
    else:
        base = numbering.used
    address = number - base
    if not 0 <= address <= 65_535:
        first, last = base, 65_535 + base
        why = f"{number} is not from {first} to {last}, counted from {base}"
        raise UserError("No such register", where=found.text, why=why, fix="Check the address, and whether counting begins at 0 or 1")
    return Spot(table, address)


def _is_modicon(found: Place) -> bool:
    digits = found.digits
    return len(digits) in (5, 6) and digits[0] in TABLE_OF_DIGIT and int(digits[1:]) <= 65_536


# Finding out


def numbering_of(
    cells: Sequence[tuple[str, str]],
    headings: Iterable[str],
    around: Iterable[str],
    twins: Iterable[Sequence[str]] = (),
    *,
    style: str = "",
) -> Numbering:
    """How a list counts.

    Args:
        cells: Text of the address, and the table that column or section state for the row ("" for none).
        headings: Texts above the columns of addresses.
        around: Other words of the list: preamble, section titles.
        twins: Other columns that hold addresses too, cell by cell beside ``cells``.
        style: As a person said; "" is to be found out.
    """
    chosen: Style = style if style in STYLES else _style(cells, list(headings))
    guess = Numbering(style=chosen)
    numbers = [(found, table) for text, table in cells if (found := _found(text, guess)) is not None]
    if chosen == "modicon":
        return _modicon(numbers)
    for text in (*headings, *around):
        if (said := _said(text)) is not None:
            return replace(guess, base=said[0], why=f"the list says {said[1]!r}")
    values = [found.number for found, _ in numbers if found.form != "modicon"]
    if not values:
        return replace(guess, base=0, why="addresses say themselves where counting begins")
    if min(values) == 0:
        return replace(guess, base=0, why="the smallest address is 0")
    if max(values) == 65_536:
        return replace(guess, base=1, why="the largest address is 65536")
    for twin in twins:
        if (said_by := _from_twin(cells, twin, guess)) is not None:
            return replace(guess, base=said_by, why="a second column of the list holds the same addresses as requests carry them")
    if all(found.form == "hex" for found, _ in numbers):
        return replace(guess, proposed=0, why="nothing in the list says it; hexadecimal addresses mostly count from 0")
    if min(values) == 1:
        return replace(guess, proposed=1, why="nothing in the list says it; the smallest address is 1")
    return replace(guess, proposed=0, why="nothing in the list says whether counting begins at 0 or at 1")


def _found(text: str, guess: Numbering) -> Place | None:
    return as_hex(text) if guess.style == "hex" else find_place(text)


def _style(cells: Sequence[tuple[str, str]], headings: Sequence[str]) -> Style:
    texts = [text for text, _ in cells if text]
    bare = [text for text in texts if find_place(text) is None and as_hex(text) is not None]
    if bare or any(re.search(r"(?i)\bhex", text) for text in headings):
        return "hex" if texts and sum(1 for text in texts if as_hex(text) is not None) * 10 >= 9 * len(texts) else "plain"
    found = [(one, table) for text, table in cells if (one := find_place(text)) is not None]
    if any(one.form == "modicon" for one, _ in found):
        return "modicon" if all(one.form == "modicon" or _is_modicon(one) or as_coil(one.text) for one, _ in found) else "plain"
    decimal = [(one, table) for one, table in found if one.form == "decimal" and not one.table]
    if not decimal:
        return "plain"
    if any(re.search(r"(?i)4x{3,5}|modicon", text) for text in headings):
        return "modicon"
    like = [(one, table) for one, table in decimal if _is_modicon(one) and int(one.digits[1:]) >= 1]
    against = any(table and TABLE_OF_DIGIT[one.digits[0]] != table for one, table in like)
    zero = any(_is_modicon(one) and int(one.digits[1:]) == 0 for one, _ in decimal)  # 40000, 30000: no Modicon number
    registers = any(one.digits[0] in "34" for one, _ in like)
    agree = any(table for _, table in like)
    # In Modicon form, digits run from 4 0001 on; a table that begins with 37113 or so is rather one of plain numbers.
    low = min((int(one.digits[1:]) for one, _ in like if len(one.digits) == 5), default=0) < 5_000
    return "modicon" if len(like) * 10 >= 9 * len(decimal) and not against and not zero and registers and (agree or low) else "plain"


def _modicon(numbers: Sequence[tuple[Place, str]]) -> Numbering:
    behind = [
        found.number if found.form == "modicon" else int(found.digits[1:])
        for found, _ in numbers
        if found.form == "modicon" or _is_modicon(found)
    ]
    if behind and min(behind) == 0:
        return Numbering("modicon", 0, 0, "a number behind the table digit is 0, so they count from 0")
    return Numbering("modicon", 1, 1, "Modicon numbers (40001 …) count from 1 by definition")


_ZERO: Final = re.compile(
    r"(?i)(?:\b(?:zero|0|null)[\s-]*(?:based|basiert\w*)|nullbasiert\w*|\bbase\s*[:=]?\s*0\b|\b(?:pdu|protocol|wire|request)[\s-]*address\w*|"
    r"(?:start\w*|begin\w*|count\w*|z[äa]hl\w*)\s+(?:at|from|with|bei|ab|mit)\s+(?:0|zero|null)\b|\boffset\s+address|\baddress\s+offset)"
)  # fmt: skip
_ONE: Final = re.compile(
    r"(?i)(?:\b(?:one|1|eins)[\s-]*(?:based|basiert\w*)|einsbasiert\w*|\bbase\s*[:=]?\s*1\b|"
    r"(?:start\w*|begin\w*|count\w*|z[äa]hl\w*)\s+(?:at|from|with|bei|ab|mit)\s+(?:1|one|eins)\b|\bplc\s+address\w*|"
    r"(?:subtract|minus)\s+(?:1|one)\b|\baddress\s*\+\s*1\b|register\s*(?:number)?\s*[-–]\s*1\b)"
)  # fmt: skip


def _said(text: str) -> tuple[int, str] | None:
    """What a text says of where counting begins, and the words that say it; None for none, or for both."""
    zero, one = _ZERO.search(text), _ONE.search(text)
    if (zero is None) == (one is None):
        return None
    return (0, zero[0]) if zero else (1, one[0] if one else "")


def _from_twin(cells: Sequence[tuple[str, str]], twin: Sequence[str], guess: Numbering) -> int | None:
    """1 where a second column is everywhere one less than the first: then it holds what requests carry."""
    differences: set[int] = set()
    for (text, _), other in zip(cells, twin, strict=False):
        first, second = _found(text, guess), find_place(other) or as_hex(other)
        if first is not None and second is not None and second.form != "modicon" and second.number < MOST_NUMBER:
            differences.add(first.number - second.number)
    return 1 if differences == {1} else None
