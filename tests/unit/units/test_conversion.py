"""Conversions against published figures, against pint, and against themselves."""

import logging
import math
import re

import pint
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.errors import UserError
from app.units import Affine, Unit, codes, compatibility, conversion, convertible, require

FIGURED = [entry for entry in map(require, codes()) if entry.multiplier is not None]
BY_DIMENSION: dict[str, list[Unit]] = {}
for _entry in FIGURED:
    BY_DIMENSION.setdefault(_entry.dimension, []).append(_entry)


@st.composite
def related(draw: st.DrawFn, count: int = 2) -> list[Unit]:
    """Units of one dimension that all convert into each other."""
    first = draw(st.sampled_from(FIGURED))
    others = [other for other in BY_DIMENSION[first.dimension] if convertible(first, other)]
    chosen = [first, *(draw(st.sampled_from(others)) for _ in range(count - 1))]
    assume(all(convertible(a, b) for a in chosen for b in chosen))
    return chosen


VALUES = st.floats(-1e9, 1e9).filter(lambda x: x == 0 or abs(x) > 1e-30)  # no underflow on the way


@pytest.mark.parametrize(
    ("a", "b", "gain", "offset"),
    [
        ("CEL", "FAH", 1.8, 32.0), ("CEL", "KEL", 1.0, 273.15), ("KEL", "CEL", 1.0, -273.15), ("BAR", "KPA", 100.0, 0.0),
        ("KPA", "BAR", 0.01, 0.0), ("L2", "MQH", 0.06, 0.0), ("MQH", "L2", 1000 / 60, 0.0), ("KWH", "JOU", 3.6e6, 0.0),
        ("RPM", "HTZ", 1 / 60, 0.0), ("HTZ", "RPM", 60.0, 0.0), ("KMH", "MTS", 1 / 3.6, 0.0), ("P1", "NX", 10.0, 0.0),
        ("H87", "DZN", 1 / 12, 0.0), ("AD", "A99", 8.0, 0.0), ("TNE", "KGM", 1000.0, 0.0), ("C26", "SEC", 0.001, 0.0),
        ("C94", "H10", 60.0, 0.0), ("MBR", "A97", 1.0, 0.0), ("H12", "F10", 1.0, 0.0), ("P1", "C62", 0.01, 0.0),
    ],
)  # fmt: skip
def test_that_everyday_conversions_are_exact(a: str, b: str, gain: float, offset: float) -> None:
    assert conversion(a, b) == Affine(gain, offset)


def test_that_1500_rpm_are_25_hertz_and_157_radians_a_second() -> None:
    assert conversion("RPM", "HTZ")(1500) == 25.0
    assert conversion("RPM", "2A")(1500) == pytest.approx(50 * math.pi, rel=1e-15)
    assert conversion("2A", "RPM")(50 * math.pi) == pytest.approx(1500, rel=1e-15)
    assert conversion("E96", "RPM")(360) == pytest.approx(60, rel=1e-15)  # °/s


@pytest.mark.parametrize(
    ("a", "b", "x", "y"),
    [
        ("FAH", "CEL", 212, 100), ("FAH", "CEL", -40, -40), ("CEL", "A48", 0, 491.67),  # SP 811 B.8, Rankine
        ("PS", "BAR", 14.5037738, 1.0), ("ATM", "MBR", 1, 1013.25), ("UA", "PAL", 1, 133.322368421),  # SP 811: 1.333224 E+02
        ("HN", "PAL", 1, 133.322387415), ("GLL", "LTR", 1, 3.785411784), ("G2", "MQH", 1, 0.227124707), ("2L", "MQH", 1, 1.69901079552),
        ("HJ", "KWT", 1, 0.73549875), ("BHP", "WTT", 1, 745.69987), ("BTU", "KJO", 1, 1.05505585), ("2I", "WTT", 1, 0.293071070),
        ("85", "NU", 1, 1.35581795), ("C7", "C24", 1, 1), ("4C", "C17", 1, 1), ("H61", "G42", 1, 1000), ("2N", "C50", 20, 2.30258509),
    ],
)  # fmt: skip
def test_that_conversions_give_the_published_values(a: str, b: str, x: float, y: float) -> None:
    assert conversion(a, b)(x) == pytest.approx(y, rel=3e-9, abs=1e-9)


@pytest.mark.parametrize("code", ["CEL", "FAH", "Q30", "NTU", "RPM", "ZZ", "DD"])
def test_that_a_unit_to_itself_changes_nothing_at_all(code: str) -> None:
    assert conversion(code, code) == Affine(1.0, 0.0)
    assert compatibility(code, code).verdict == "same"


def test_that_a_difference_of_temperatures_converts_without_the_offset() -> None:
    assert conversion("CEL", "FAH", difference=True) == Affine(1.8, 0.0)
    assert conversion("CEL", "KEL", difference=True) == Affine(1.0, 0.0)


PINT_NAMES = {"kg": "kilogram", "m": "meter", "s": "second", "A": "ampere", "K": "kelvin", "mol": "mole", "cd": "candela"}
# What pint reads otherwise than Rec 20 means, although the dimension agrees.
PINT_READS_OTHERWISE = {
    "2N": "a power ratio, not the neper scale",
    "C50": "an amplitude ratio",
    "M72": "byte",
    "P43": "byte",
    "AK": "femtothou",
    "ASM": "milliarcsecond",
    "D43": "older CODATA value",
    "C63": "fewer digits of pi",
    "M50": "the furlong of the US survey",
    "N70": "of pint's own Btu",
}
SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")


def in_pint(symbol: str) -> str:
    symbol = re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+", lambda power: f"**({power[0].translate(SUPERSCRIPTS)})", symbol)
    swaps = {"·": "*", "°C": "delta_degC", "°F": "delta_degF", "°R": "degR", "₂": "2"}
    for ours, theirs in swaps.items():
        symbol = symbol.replace(ours, theirs)
    return symbol


def test_that_every_symbol_which_pint_can_read_has_the_factor_that_pint_gives_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.ERROR, logger="pint")  # it warns of symbols with two readings, such as mcd
    registry: pint.UnitRegistry[float] = pint.UnitRegistry()
    agree, differ = 0, []
    for entry in FIGURED:
        if entry.code in PINT_READS_OTHERWISE:
            continue
        assert entry.multiplier is not None
        base = [re.fullmatch(r"([A-Za-z]+)(-?\d*)", part) for part in entry.dimension.split(".")]
        named = "*".join(f"{PINT_NAMES[part[1]]}**{part[2] or 1}" for part in base if part) or "dimensionless"
        try:
            ratio = (registry.Quantity(1, registry.parse_units(in_pint(entry.symbol))) / registry.parse_units(named)).to("")
        except (pint.PintError, AttributeError, TypeError, ValueError, SyntaxError, AssertionError):
            continue  # pint has no such symbol, or reads another quantity in it
        rel = 5e-7 if "Btu" in entry.symbol else 1e-12  # pint's Btu is the rounded 1055.056 J of ISO 31-4
        if math.isclose(ratio.magnitude, entry.multiplier, rel_tol=rel):
            agree += 1
        else:
            differ.append((entry.code, entry.symbol, float(entry.multiplier), ratio.magnitude))
    assert differ == []
    assert agree > 1100


@pytest.mark.parametrize(
    ("a", "b"),
    [("degC", "degF"), ("degF", "degC"), ("kelvin", "degC"), ("degC", "kelvin"), ("degR", "degF")],
)
def test_that_temperatures_convert_as_in_pint(a: str, b: str) -> None:
    known = {"degC": "CEL", "degF": "FAH", "kelvin": "KEL", "degR": "A48"}
    registry: pint.UnitRegistry[float] = pint.UnitRegistry()
    for value in (-40.0, 0.0, 21.5, 1000.0):
        expected = registry.Quantity(value, a).to(b).magnitude
        assert conversion(known[a], known[b])(value) == pytest.approx(expected, rel=1e-12, abs=1e-9)


@given(related(), VALUES)
def test_that_there_and_back_gives_the_value(units: list[Unit], x: float) -> None:
    a, b = units
    there, back = conversion(a, b), conversion(b, a)
    scale = abs(x) + abs(back.offset) + 1e-300
    assert back(there(x)) == pytest.approx(x, rel=1e-12, abs=1e-12 * scale)
    assert there.inverse()(there(x)) == pytest.approx(x, rel=1e-12, abs=1e-12 * scale)


@given(related(count=3), VALUES)
def test_that_going_by_way_of_a_third_unit_changes_nothing(units: list[Unit], x: float) -> None:
    a, b, c = units
    by_way, direct = conversion(a, b).then(conversion(b, c)), conversion(a, c)
    assert by_way.gain == pytest.approx(direct.gain, rel=1e-12)
    assert by_way(x) == pytest.approx(direct(x), rel=1e-12, abs=1e-12 * (abs(direct.gain * x) + abs(direct.offset) + 1e3))


@given(related())
def test_that_compatibility_is_the_same_both_ways_and_agrees_with_conversion(units: list[Unit]) -> None:
    a, b = units
    assert compatibility(a, b).verdict == compatibility(b, a).verdict
    if compatibility(a, b).verdict == "same":
        assert conversion(a, b) == Affine(1.0, 0.0)


@given(st.sampled_from(FIGURED), st.sampled_from(FIGURED))
def test_that_units_of_other_dimension_never_convert(a: Unit, b: Unit) -> None:
    assume(a.dimension != b.dimension)
    assert not convertible(a, b)
    with pytest.raises(UserError):
        conversion(a, b)


FINITE = st.floats(-1e6, 1e6).filter(lambda x: abs(x) > 1e-6)


@given(FINITE, VALUES, FINITE, VALUES, st.floats(-1e6, 1e6))
def test_that_then_is_one_after_the_other_and_inverse_undoes(g: float, o: float, h: float, p: float, x: float) -> None:
    first, second = Affine(g, o), Affine(h, p)
    size = abs(h * g * x) + abs(h * o) + abs(p)
    assert first.then(second)(x) == pytest.approx(second(first(x)), rel=1e-12, abs=1e-12 * size)
    undone = first.then(first.inverse())
    assert undone.gain == pytest.approx(1, rel=1e-12)
    assert undone.offset == pytest.approx(0, abs=1e-12 * (abs(o / g) + 1))


def test_that_a_gain_of_zero_cannot_be_undone() -> None:
    with pytest.raises(UserError, match="gain of zero"):
        Affine(0.0, 5.0).inverse()


@pytest.mark.parametrize(
    ("a", "b", "reason"),
    [
        ("NU", "JOU", "torque"), ("KVA", "KWT", "power factor"), ("KVR", "KWT", "reactive"), ("K3", "KWH", "reactive"),
        ("C79", "KWH", "power factor"), ("64", "80", "gauge"), ("Q40", "MQH", "normal volume"), ("Q40", "Q38", "reference"),
        ("60", "VP", "share of mass"), ("HTZ", "2A", "one turn a second"), ("JM", "BAR", "energy density"),
    ],
)  # fmt: skip
def test_that_equal_dimension_with_another_meaning_is_questionable_with_the_reason(a: str, b: str, reason: str) -> None:
    for one, other in ((a, b), (b, a)):
        found = compatibility(one, other)
        assert found.verdict == "questionable"
        assert reason in found.reason
        assert convertible(one, other)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("C97", "BQL"), ("HTZ", "BQL"), ("HTZ", "B10"), ("RPM", "J38"), ("H87", "P1"), ("DD", "P1"), ("A99", "C62"), ("2N", "P1"),
        ("LUX", "A24"), ("LUM", "CDL"), ("A95", "D13"), ("CEL", "BAR"), ("KGM", "NEW"), ("KWH", "KWT"), ("Q30", "C62"), ("2A", "BQL"),
        ("J18", "PLA"), ("MQH", "E93"), ("H52", "C92"),
    ],
)  # fmt: skip
def test_that_what_no_factor_relates_is_refused_with_both_units_and_the_way_out(a: str, b: str) -> None:
    assert compatibility(a, b).verdict == compatibility(b, a).verdict == "incompatible"
    with pytest.raises(UserError) as refused:
        conversion(a, b)
    assert require(a).symbol in refused.value.what
    assert require(b).symbol in refused.value.what
    assert refused.value.why
    assert refused.value.fix


def test_that_a_refusal_names_both_dimensions() -> None:
    with pytest.raises(UserError) as refused:
        conversion("CEL", "BAR")
    assert refused.value.why == "°C has the dimension K, bar kg·m⁻¹·s⁻²"


@pytest.mark.parametrize(
    ("a", "b"), [("PS", "64"), ("85", "NU"), ("85", "JOU"), ("C62", "H87"), ("C62", "P1"), ("RPM", "C94"), ("64", "BAR")]
)
def test_that_units_which_share_one_of_their_meanings_convert(a: str, b: str) -> None:
    assert compatibility(a, b).verdict == compatibility(b, a).verdict == "convertible"


@pytest.mark.parametrize(("a", "b"), [("D78", "MAW"), ("2H", "VLT"), ("MBR", "A97"), ("RPM", "M46"), ("MLT", "CMQ")])
def test_that_two_codes_of_one_unit_are_the_same(a: str, b: str) -> None:
    assert compatibility(a, b).verdict == "same"
    assert conversion(a, b) == Affine(1.0, 0.0)


@pytest.mark.parametrize(("a", "b"), [("XXX", "CEL"), ("CEL", "°C"), ("", "")])
def test_that_an_unknown_code_is_an_error_and_not_an_incompatibility(a: str, b: str) -> None:
    for question in (compatibility, convertible, conversion):
        with pytest.raises(UserError, match="Unknown unit"):
            question(a, b)
