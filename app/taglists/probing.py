"""Where counting begins, asked of the device: a few telling rows read at base 0 and at base 1, and what speaks for which."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from msgspec import structs

from app.drivers.base import Item
from app.drivers.modbus import evidence
from app.drivers.modbus.address import BIT_TABLES, parse
from app.drivers.modbus.evidence import Expectation
from app.drivers.modbus.marks import value_marks
from app.edits.tags import TagDraft
from app.errors import UserError
from app.mapping.transform import symbol
from app.model.values import Quality, Sample
from app.taglists.base import TagRow
from app.taglists.numbering import Numbering

ROWS: Final = 3
BASES: Final = (0, 1)
REFUSED: Final = -4.0
"""Log odds of a reading that the device refuses: a list names registers that are there."""
MARKED: Final = -2.5
NAMED_STATE: Final = 1.5
CLEAR: Final = 1.5
"""Log odds between the bases above which one of them is called plausible."""
NEAR: Final = 12
"""Registers within which two rows tell the same."""


@dataclass(frozen=True, slots=True)
class Telling:
    """A row whose value tells much; where it is at base 0 and at base 1, "" where it cannot be there."""

    row: TagRow
    addresses: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Shown:
    """One reading of a row: as a person reads it, and what speaks for or against it."""

    text: str
    points: float
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """``base`` is the plausible one, None where the values do not tell; ``why`` is a sentence; ``rows`` has (row, at base 0, at base 1)."""

    base: int | None
    why: str
    rows: tuple[tuple[TagRow, Shown, Shown], ...]


def telling_rows(rows: Sequence[TagRow], numbering: Numbering, count: int = ROWS) -> list[Telling]:
    """The rows by whose values a wrong base shows best: floats, then wide numbers and states with known limits, from different places."""
    ranked = sorted(((_worth(row.tag), -at) for at, row in enumerate(rows) if row.tag is not None and row.tag.access != "w"), reverse=True)
    chosen: list[Telling] = []
    places: list[tuple[str, int]] = []
    for near in (NEAR, 0):
        for worth, place in ranked:
            if worth <= 0 or len(chosen) >= count:
                break
            row = rows[-place]
            assert row.tag is not None
            item = parse(row.tag.address)
            area = f"{item.unit}/{item.table}"
            if any(row is one.row for one in chosen) or any(area == other and abs(item.address - at) < near for other, at in places):
                continue
            chosen.append(Telling(row, (at_base(row.tag.address, numbering.used, 0), at_base(row.tag.address, numbering.used, 1))))
            places.append((area, item.address))
    return chosen


def at_base(address: str, used: int, wanted: int) -> str:
    """An address that was read with one base, as another base has it; "" before the first register or behind the last."""
    item = parse(address)
    moved = item.address + used - wanted
    return str(structs.replace(item, address=moved)) if moved >= 0 and moved + item.count <= 65_536 else ""


def items_of(tellings: Sequence[Telling]) -> list[Item]:
    """What to read, raw: for each row base 0, then base 1; a place that cannot be is left out."""
    return [Item(address=address) for telling in tellings for address in telling.addresses if address]


def verdict(tellings: Sequence[Telling], samples: Sequence[Sample], status_text: Callable[[int], str]) -> Verdict:
    """What the values say. ``samples`` are those of ``items_of``, in order."""
    rest = iter(samples)
    rows: list[tuple[TagRow, Shown, Shown]] = []
    swapped: list[tuple[TagRow, Shown, Shown]] = []
    for telling in tellings:
        read = [next(rest) if address else None for address in telling.addresses]
        shown = [_NOWHERE if one is None else _shown(telling.row, one, status_text) for one in read]
        turned = [_NOWHERE if one is None else _shown(telling.row, _words_swapped(telling.row, one), status_text) for one in read]
        rows.append((telling.row, shown[0], shown[1]))
        swapped.append((telling.row, turned[0], turned[1]))
    if not rows:
        return Verdict(None, "No row of the list is fit to tell where counting begins", ())
    points = [sum(_at(row, base).points for row in rows) for base in BASES]
    if all(row[1].points <= REFUSED and row[2].points <= REFUSED for row in rows):
        return Verdict(None, "The device refuses these registers at either base: check unit id and table", tuple(rows))
    apart = points[0] - points[1]
    if abs(apart) < CLEAR:
        return Verdict(None, "The values do not tell which base is right: compare them with what the device shows", tuple(rows))
    base = 0 if apart > 0 else 1
    if sum(_at(row, 1 - base).points for row in swapped) > points[base] - CLEAR:
        return Verdict(None, _either(rows, swapped, base), tuple(rows))
    return Verdict(base, f"Base {base} is plausible: {_reason(rows, base)}", tuple(rows))


_NOWHERE: Final = Shown("no such register", REFUSED)


def _at(row: tuple[TagRow, Shown, Shown], base: int) -> Shown:
    return row[2] if base else row[1]


def _reason(rows: Sequence[tuple[TagRow, Shown, Shown]], base: int) -> str:
    """What tells the bases apart most."""
    row = max(rows, key=lambda one: _at(one, base).points - _at(one, 1 - base).points)
    name = row[0].tag.name if row[0].tag else ""
    mine, other = _at(row, base), _at(row, 1 - base)
    against = f" ({other.remark})" if other.remark else ""
    return f"{name} is {mine.text}, with the other {other.text}{against}"


def _either(rows: Sequence[tuple[TagRow, Shown, Shown]], swapped: Sequence[tuple[TagRow, Shown, Shown]], base: int) -> str:
    """One register too far, a number read low word first looks right: its high word stands where it should, beside the neighbour's low."""
    at = max(range(len(rows)), key=lambda one: _at(swapped[one], 1 - base).points - _at(rows[one], 1 - base).points)
    name = rows[at][0].tag.name if rows[at][0].tag else ""  # type: ignore[union-attr]  # mypy does not narrow an index by its test
    return (
        f"Base {base} fits, but base {1 - base} fits as well with the words swapped (CDAB): "
        f"{name} is {_at(rows[at], base).text} or {_at(swapped[at], 1 - base).text}. Compare with what the device shows"
    )


def _words_swapped(row: TagRow, sample: Sample) -> Sample:
    """As it would be read with its registers in the other order; the same where it has one register only, or is no number."""
    assert row.tag is not None
    form = _FORMS.get(parse(row.tag.address).type)
    if form is None or isinstance(sample.value, bool) or not isinstance(sample.value, int | float):
        return sample
    try:
        data = struct.pack(form, sample.value)
    except (struct.error, OverflowError):
        return sample  # no value of this type: nothing is known of its words
    words = [data[at : at + 2] for at in range(0, len(data), 2)]
    return structs.replace(sample, value=struct.unpack(form, b"".join(reversed(words)))[0])


_FORMS: Final = {"float32": ">f", "float64": ">d", "int32": ">i", "uint32": ">I", "int64": ">q", "uint64": ">Q"}


def _shown(row: TagRow, sample: Sample, status_text: Callable[[int], str]) -> Shown:
    tag = row.tag
    assert tag is not None
    if sample.quality == Quality.BAD or sample.value is None:
        return Shown(status_text(sample.status), REFUSED, "refused")
    value = sample.value
    if isinstance(value, str):
        letters = sum(letter.isascii() and letter.isprintable() for letter in value)
        good = len(value) >= 3 and letters == len(value)
        return Shown(repr(value[:24]), 2.0 if good else -1.0 if value else 0.0, "" if good or not value else "no readable text")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return Shown(str(value), 0.0)
    marks = value_marks(value, parse(tag.address).type)
    points, remark = _weighed(tag, float(value))
    if marks:
        points, remark = points + MARKED, marks[0]
    if tag.enum:
        named = tag.enum.get(str(int(value))) if math.isfinite(value) else None
        points += NAMED_STATE if named else -NAMED_STATE
        return Shown(f"{value:g} ({named})" if named else f"{value:g}", points, remark or ("" if named else "no state of this number"))
    scaled = value * tag.gain + tag.offset
    return Shown(f"{scaled:.6g} {symbol(tag.unit)}".strip(), points, remark)


def _weighed(tag: TagDraft, value: float) -> tuple[float, str]:
    """Log odds of a raw number, and the strongest word against it."""
    item = parse(tag.address)
    values = np.array([value])
    with np.errstate(all="ignore"):  # what is read wrongly overflows
        facts = list(
            evidence.of_float(values, item.type) if item.type in evidence.FLOATS else evidence.of_integer(values, item.type, item.count)
        )
        expected = Expectation(low=tag.low, high=tag.high, unit=tag.unit)
        if expected:
            facts += evidence.of_expectation(values * tag.gain + tag.offset, 1.0, expected)
    against = min(facts, key=lambda fact: fact.points, default=None)
    return sum(fact.points for fact in facts), against.reason if against is not None and against.points < 0 else ""


def _worth(tag: TagDraft | None) -> float:
    """How much a value tells; 0 for bits, which are 0 or 1 wherever they are read."""
    if tag is None:
        return 0.0
    try:
        item = parse(tag.address)
    except UserError:
        return 0.0
    if item.table in BIT_TABLES or item.bit is not None:
        return 0.0
    known = (1.0 if tag.low is not None and tag.high is not None else 0.0) + (0.5 if tag.unit in evidence.TYPICAL else 0.0)
    if item.type in ("float32", "float64"):
        return 4.0 + known
    if item.type == "string":
        return 3.0
    if tag.enum:
        return 2.5
    return (2.0 if item.count > 1 else 1.0) + known
