from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.taglists.scales import factor, limits, measured


@pytest.mark.parametrize(
    ("text", "gain"),
    [
        ("0.1", 0.1), ("0,1", 0.1), ("×0.1", 0.1), ("x0.1", 0.1), ("*0.1", 0.1), ("x10", 10.0), ("x 10", 10.0), ("/10", 0.1), ("÷ 100",
        0.01),
        ("1/100", 0.01), ("1:10", 0.1), ("10^-1", 0.1), ("10^(-2)", 0.01), ("10**-3", 0.001), ("10⁻¹", 0.1), ("1E-1", 0.1), ("1e3", 1000.0),
        ("10", 10.0), ("-1", -1.0), ("−0.5", -0.5), ("(0.1)", 0.1),
    ],
)  # fmt: skip
def test_that_factors_are_read_as_lists_write_them(text: str, gain: float) -> None:
    found = factor(text)
    assert found is not None
    assert found.gain == gain


@pytest.mark.parametrize("text", ["", "0", "0.l", "1.234,5", "1/0", "/0", "abc", "1e400", "-", "10^"])
def test_that_what_is_no_factor_is_none(text: str) -> None:
    assert factor(text) is None


@pytest.mark.parametrize(
    ("text", "unit", "gain"),
    [
        ("V", "VLT", None), ("[°C]", "CEL", None), ("kWh", "KWH", None), ("0.1 V", "VLT", 0.1), ("0,1V", "VLT", 0.1), ("1/10 V", "VLT",
        0.1),
        ("V x 10", "VLT", 0.1), ("V/10", "VLT", 0.1), ("V x 0.1", "VLT", 0.1), ("10 W", "WTT", 10.0), ("-", "", None), ("n/a", "", None),
        ("m³/h", "MQH", None), ("widgets", "widgets", None),
    ],
)  # fmt: skip
def test_that_units_are_recognised_with_what_one_count_is_worth(text: str, unit: str, gain: float | None) -> None:
    found = measured(text)
    assert (found.unit, found.gain) == (unit, gain)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0-100", (0, 100)), ("-40…150", (-40, 150)), ("0..65535", (0, 65535)), ("-10 to +10 °C", (-10, 10)), ("0 bis 1,5", (0, 1.5)),
        ("100-0", None),
        ("abc", None), ("5", None),
    ],
)  # fmt: skip
def test_that_ranges_are_read(text: str, expected: tuple[float, float] | None) -> None:
    assert limits(text) == expected


@given(st.text(max_size=30))
def test_that_any_text_gives_finite_numbers_or_none(text: str) -> None:
    found = factor(text)
    assert found is None or (found.gain != 0 and math.isfinite(found.gain))
    pair = limits(text)
    assert pair is None or pair[0] < pair[1]
    gain = measured(text).gain
    assert gain is None or math.isfinite(gain)
