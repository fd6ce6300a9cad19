"""The frozen unit table `resources/units.csv`, read on first use.

One row per UNECE Rec 20 code of OPC UA. The CSV is the truth and is edited by hand; its factors were computed once
from the definitions of the parts of each unit's name (SI Brochure 9, international yard and pound, NIST SP 811
appendix B.8) and compared with QUDT 2.x, and the `source` column says where each came from and where QUDT differs.
"""

from __future__ import annotations

import csv
import io
from fractions import Fraction
from functools import cache
from typing import NamedTuple

import msgspec

from app.errors import UserError
from resources import FOLDER


class Unit(msgspec.Struct, frozen=True):
    """One unit of measure.

    SI value = (value + offset) * multiplier, where "SI" is the coherent unit of `dimension`. Three counts have no SI
    unit and their own base: rotational frequency is in revolutions per second, information in bits, logarithmic ratios
    in nepers. The two figures are exact fractions wherever the definition is.
    """

    code: str  # UNECE Rec 20 common code
    name: str  # as Rec 20 writes it
    symbol: str  # what a screen shows beside a value
    aliases: tuple[str, ...]  # other spellings met in plants; Rec 20's own symbol where ours differs
    ucum: str  # "" where UCUM has none
    dimension: str  # SI base units, UCUM spelling: "kg.m2.s-2"; "1" dimensionless; "" without a linear relation
    multiplier: Fraction | None  # None: no linear relation to any other unit (pH, °Brix, turbidity, "box")
    offset: Fraction
    kinds: frozenset[str]  # what it measures; separates N·m from J and VA from W; empty: nothing but the dimension
    common: int | None  # place among the units plants use most, from 1; None for the rest
    source: str  # of the multiplier

    @property
    def unit_id(self) -> int:
        """OPC UA EUInformation.unitId: the bytes of the code, big-endian (OPC 10000-8 §5.6.3)."""
        return int.from_bytes(self.code.encode("ascii"), "big")


@cache
def _text() -> str:
    return (FOLDER / "units.csv").read_text(encoding="utf-8")


def _row(code: str) -> list[str] | None:
    """One row alone: the first table that is painted asks for a few units, and all of them take a hundred times as long to take apart."""
    at = _text().find(f"\n{code},") + 1 if code.isalnum() else 0
    return next(csv.reader([_text()[at : _text().index("\n", at)]])) if at else None


@cache
def _rows() -> dict[str, list[str]]:
    reader = csv.reader(io.StringIO(_text()))
    next(reader)
    return {row[0]: row for row in reader}


class Spelling(NamedTuple):
    """What a lookup by text needs of a row; building a thousand Units for it would cost more than the lookup."""

    code: str
    name: str
    texts: tuple[str, ...]  # symbol, then aliases
    ucum: str


@cache
def spellings() -> tuple[Spelling, ...]:
    """Every row, the units that plants use most first, then by code."""
    rows = sorted(_rows().values(), key=lambda row: int(row[10] or 1 << 16))
    return tuple(Spelling(row[0], row[2], (row[3], *row[4].split("|")) if row[4] else (row[3],), row[5]) for row in rows)


@cache
def unit(code: str) -> Unit | None:
    """The unit of a UNECE Rec 20 code, in its exact spelling; None when Rec 20 has no such code."""
    row = _row(code)
    if row is None:
        return None
    _, _, name, symbol, aliases, ucum, dimension, multiplier, offset, kinds, common, source = row
    return Unit(
        code=code,
        name=name,
        symbol=symbol,
        aliases=tuple(aliases.split("|")) if aliases else (),
        ucum=ucum,
        dimension=dimension,
        multiplier=Fraction(multiplier) if multiplier else None,
        offset=Fraction(offset or 0),
        kinds=frozenset(kinds.split()),
        common=int(common) if common else None,
        source=source,
    )


def require(code: str) -> Unit:
    """As `unit`, but an unknown code raises UserError."""
    found = unit(code)
    if found is None:
        raise UserError(
            "Unknown unit",
            where=repr(code),
            why="it is no UNECE Rec 20 code",
            fix='Use a code such as "CEL" (°C), "BAR", "MQH" (m³/h), "RPM" or "P1" (%)',
        )
    return found


def codes() -> tuple[str, ...]:
    """Every code of the table, sorted."""
    return tuple(_rows())


@cache
def common() -> tuple[Unit, ...]:
    """The units that plants use most, in the order a picker should offer them."""
    places = sorted((int(row[10]), code) for code, row in _rows().items() if row[10])
    return tuple(require(code) for _, code in places)
