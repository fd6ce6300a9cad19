"""Conversions between units, frozen to gain and offset when a mapping is designed."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from functools import cache
from typing import Literal, NamedTuple

import msgspec

from app.errors import UserError
from app.units.table import Unit, require

Verdict = Literal["same", "convertible", "questionable", "incompatible"]

_SUPERSCRIPTS = str.maketrans("0123456789-.", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻·")
_TAU = Fraction(math.tau)

# Where equal dimension says nothing: other kinds there are other things, not other names of one thing.
_STRICT_DIMENSIONS = frozenset({"1", "s-1"})

# Pairs of kinds that no factor relates although the dimension is equal.
_APART: dict[frozenset[str], str] = {
    frozenset({"Luminance", "Illuminance"}): "light leaving a surface is not light reaching it",
    frozenset({"LuminousIntensity", "LuminousFlux"}): "the solid angle is missing",
    frozenset({"AbsorbedDose", "DoseEquivalent"}): "the radiation weighting factor is missing",
    frozenset({"AbsorbedDoseRate", "DoseEquivalentRate"}): "the radiation weighting factor is missing",
    frozenset({"Frequency", "Activity"}): "becquerel counts random decays, not cycles or events per second",
}
# Pairs where the factor is right only if the person knows something that the units do not say.
_DOUBTFUL: dict[frozenset[str], str] = {
    frozenset({"Torque", "Energy"}): "a torque in N·m is not an energy in J",
    frozenset({"GaugePressure", "AbsolutePressure"}): "gauge and absolute pressure differ by the ambient pressure",
    frozenset({"MassFraction", "VolumeFraction"}): "a share of mass is a share of volume only at equal densities",
    frozenset({"Power", "ApparentPower"}): "active power is apparent power times the power factor",
    frozenset({"Power", "ReactivePower"}): "active and reactive power are independent",
    frozenset({"ApparentPower", "ReactivePower"}): "apparent power also has an active part",
    frozenset({"Energy", "ReactiveEnergy"}): "active and reactive energy are independent",
    frozenset({"Energy", "ApparentEnergy"}): "active energy is apparent energy times the power factor",
    frozenset({"VolumeFlow", "NormalVolumeFlow"}): "a normal volume is at 0 °C and 101.325 kPa, not at the line's state",
    frozenset({"VolumeFlow", "StandardVolumeFlow"}): "a standard volume is at reference, not at line conditions",
    frozenset({"NormalVolumeFlow", "StandardVolumeFlow"}): "normal and standard reference conditions differ",
    frozenset({"Volume", "NormalVolume"}): "a normal volume is at 0 °C and 101.325 kPa, not at the line's state",
    frozenset({"Volume", "StandardVolume"}): "a standard volume is at reference, not at line conditions",
    frozenset({"NormalVolume", "StandardVolume"}): "normal and standard reference conditions differ",
    frozenset({"Frequency", "AngularVelocity"}): "1 Hz is taken as one turn a second, 2π rad/s",
}
# Pairs of kinds in a strict dimension that do convert, with the reason.
_RELATED: dict[frozenset[str], str] = {
    frozenset({"Frequency", "RotationalFrequency"}): "one revolution is one cycle",
    frozenset({"RotationalFrequency", "AngularVelocity"}): "one revolution is 2π rad",
}


class Compatibility(NamedTuple):
    """May a value in one unit stand for a value in the other? `reason` is a sentence part for a finding or tooltip."""

    verdict: Verdict
    reason: str


class Affine(msgspec.Struct, frozen=True):
    """y = gain · x + offset."""

    gain: float
    offset: float

    def __call__(self, x: float) -> float:
        """The value in the target unit."""
        return self.gain * x + self.offset

    def then(self, other: Affine) -> Affine:
        """This first, `other` on its result."""
        return Affine(other.gain * self.gain, other.gain * self.offset + other.offset)

    def inverse(self) -> Affine:
        """The way back; UserError for a gain of zero, which forgets the value."""
        if self.gain == 0:
            raise UserError(
                "Cannot undo this scaling",
                where=f"gain {self.gain}, offset {self.offset}",
                why="a gain of zero gives the same value for every input",
                fix="Set a gain other than zero",
            )
        return Affine(1 / self.gain, 0.0 - self.offset / self.gain)


def dimension_text(unit: Unit) -> str:
    """The dimension for people: "kg·m²·s⁻²"; "1 (none)"; "no linear relation"."""
    if unit.multiplier is None:
        return "no linear relation"
    if unit.dimension == "1":
        return "1 (none)"
    factors = (re.fullmatch(r"([A-Za-z]+)(-?\d*)", factor) for factor in unit.dimension.split("."))
    return "·".join(found[1] + found[2].translate(_SUPERSCRIPTS) for found in factors if found)


def _words(kinds: frozenset[str]) -> str:
    return " or ".join(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind).lower() for kind in sorted(kinds))


def _reason(a: Unit, b: Unit, table: dict[frozenset[str], str]) -> str | None:
    only_a, only_b = a.kinds - b.kinds, b.kinds - a.kinds
    pairs = (table.get(frozenset({x, y})) for x in sorted(only_a) for y in sorted(only_b))
    return next((reason for reason in pairs if reason), None)


@cache
def _compatibility(a: Unit, b: Unit) -> Compatibility:
    if a.code == b.code:
        return Compatibility("same", "the same unit")
    for one in (a, b):
        if one.multiplier is None:
            return Compatibility("incompatible", f"{one.symbol} ({one.name}) has no linear relation to another unit")
    if a.dimension != b.dimension:
        return Compatibility("incompatible", f"{a.symbol} has the dimension {dimension_text(a)}, {b.symbol} {dimension_text(b)}")
    if reason := _reason(a, b, _APART):
        return Compatibility("incompatible", reason)
    if reason := _reason(a, b, _DOUBTFUL):
        return Compatibility("questionable", reason)
    if reason := _reason(a, b, _RELATED):
        return Compatibility("convertible", reason)
    if a.kinds & b.kinds or not (a.kinds and b.kinds):
        equal = (a.multiplier, a.offset, a.kinds) == (b.multiplier, b.offset, b.kinds)
        words = _words(a.kinds & b.kinds) or dimension_text(a)
        return Compatibility("same" if equal else "convertible", f"both measure {words}")
    differ = f"{a.symbol} measures {_words(a.kinds)}, {b.symbol} measures {_words(b.kinds)}"
    apart = a.dimension in _STRICT_DIMENSIONS or "Logarithmic" in "".join(a.kinds ^ b.kinds)
    return Compatibility("incompatible" if apart else "questionable", differ)


def _given(unit: Unit | str) -> Unit:
    return require(unit) if isinstance(unit, str) else unit


def compatibility(a: Unit | str, b: Unit | str) -> Compatibility:
    """How far values in `a` may be converted to `b`; units or UNECE codes, UserError for an unknown code.

    "questionable" converts, and a person should look: equal dimension, other quantity (N·m and J, VA and W).
    """
    return _compatibility(_given(a), _given(b))


def convertible(a: Unit | str, b: Unit | str) -> bool:
    """True unless `compatibility` says incompatible: questionable pairs do convert."""
    return compatibility(a, b).verdict != "incompatible"


@cache
def _conversion(a: Unit, b: Unit, difference: bool) -> Affine:
    if a.multiplier is None or b.multiplier is None:  # only of one and the same unit
        return Affine(1.0, 0.0)
    gain = a.multiplier / b.multiplier
    offset = a.offset * gain - b.offset
    if ("AngularVelocity" in a.kinds) != ("AngularVelocity" in b.kinds):  # radians on one side, turns on the other
        gain *= 1 / _TAU if "AngularVelocity" in a.kinds else _TAU
    return Affine(float(gain), 0.0 if difference else float(offset))


def conversion(a: Unit | str, b: Unit | str, *, difference: bool = False) -> Affine:
    """The affine that turns a value in `a` into one in `b`; each coefficient is the exact fraction, rounded once.

    Args:
        a: Unit of the source value, or its UNECE code.
        b: Unit wanted, or its UNECE code.
        difference: The value is a difference, spread or deviation: 10 °C warmer is 18 °F warmer, not 50 °F.

    Raises:
        UserError: the code is unknown, or the two are incompatible.
    """
    source, target = _given(a), _given(b)
    verdict, reason = compatibility(source, target)
    if verdict == "incompatible":
        raise UserError(
            f"Cannot convert {source.symbol} to {target.symbol}",
            where=f"{source.code} ({source.name}, {dimension_text(source)}) to {target.code} ({target.name}, {dimension_text(target)})",
            why=reason,
            fix="Correct the unit of the tag or of the attribute, or scale by gain and offset",
        )
    return _conversion(source, target, difference)
