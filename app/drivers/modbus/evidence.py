"""What speaks for or against one reading of registers: each rule gives points and a reason in words. Pure, numpy.

Points are log odds, by estimate: +2 is "seven times as likely as not". They are added, so rules must not say the same thing twice. A rule
that has nothing to say gives nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from app.drivers.modbus.registers import SMALLEST, Words

Values = npt.NDArray[np.float64]

ORDINARY: Final = (1e-4, 1e8)
"""Magnitudes of physical values in the units that devices use. Of random bits, one float32 in six lies within."""
SIGN: Final = "the usual sign for no value"
FLOATS: Final = frozenset({"float16", "float32", "float64"})
INTEGERS: Final = frozenset({"int16", "uint16", "int32", "uint32", "int64", "uint64"})
RARE: Final[dict[str, float]] = {
    "float16": -3.5,
    "float64": -1.0,
    "int64": -1.0,
    "uint64": -1.0,
    "bcd16": -2.6,
    "bcd32": -4.6,
    "mod10k32": -2.5,
}
"""Types that few devices have must bring more evidence."""
ORDER_POINTS: Final = {"ABCD": 0.6, "CDAB": 0.4, "BADC": -1.0, "DCBA": -0.8}
TYPICAL: Final[dict[str, tuple[float, float]]] = {
    "HTZ": (45.0, 66.0), "VLT": (1.0, 1000.0), "AMP": (0.0, 5000.0), "CEL": (-50.0, 400.0), "P1": (-100.0, 120.0), "BAR": (-1.0, 400.0),
    "WTT": (-1e6, 1e7), "KWT": (-1e4, 1e5), "KWH": (0.0, 1e8), "WHR": (0.0, 1e11), "RPM": (0.0, 20000.0), "D46": (0.0, 1e7),
    "C62": (-1.0, 1.0),
}  # fmt: skip
"""Where values of a unit mostly are: a hint, weaker than a stated range. C62 of a Modbus meter is nearly always a power factor."""


class Evidence(NamedTuple):
    points: float
    reason: str


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a person knows of the value, in its unit; anything may be missing.

    Attributes:
        value: What it should be now, as a display or a handheld meter shows it.
        low, high: Its range.
        unit: UNECE code.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    unit: str = ""

    def __bool__(self) -> bool:
        return self.value is not None or (self.low is not None and self.high is not None) or self.unit in TYPICAL


def of_type(type_: str, order: str, registers: int) -> Iterator[Evidence]:
    if type_ in RARE:
        yield Evidence(RARE[type_], f"{type_} is rare")
    if registers > 1 or order in ("BADC", "DCBA"):
        points = ORDER_POINTS["BADC" if registers == 1 else order]
        if points < 0:
            yield Evidence(points, "few devices swap the bytes of a register")
        else:
            yield Evidence(points, "")


def of_float(values: Values, type_: str) -> Iterator[Evidence]:
    """Exponent and fraction: random bits are rarely of an ordinary size and hardly ever short."""
    if np.all(np.isnan(values)):
        yield Evidence(-1.0, f"NaN: {SIGN}")
        return
    if not np.all(np.isfinite(values)):
        yield Evidence(-5.0, "not a number in some samples")
        return
    sizes = np.abs(values[values != 0.0])
    if not len(sizes):
        return
    if np.any(sizes < SMALLEST[type_]):
        yield Evidence(-7.0, "denormal: not a physical value, so the type or the order is wrong")
    elif np.all((sizes >= ORDINARY[0]) & (sizes <= ORDINARY[1])):
        digits = {"float16": 0.6, "float32": 2.2, "float64": 3.4}[type_]
        yield Evidence(digits, "of an ordinary size")
    else:
        yield Evidence(-4.0, f"{_number(float(values[-1]))} is of no ordinary size")
    if type_ != "float16" and np.all((sizes >= ORDINARY[0]) & (sizes <= ORDINARY[1])) and _is_short(values, type_):
        yield Evidence(1.5, "a short number")


def _is_short(values: Values, type_: str) -> bool:
    """Whether the last 12 bits of every fraction are 0 or the number has few decimals: 50.0, 230.5."""
    if type_ == "float32":
        raw = values.astype(np.float32).view(np.uint32)
        return bool(np.all((raw & 0xFFF) == 0))
    return bool(np.all((values.view(np.uint64) & np.uint64(0xFFFFFFFF)) == 0))


def of_integer(values: Values, type_: str, registers: int) -> Iterator[Evidence]:
    """Counts and scaled values are small beside what 32 or 64 bits hold; two values side by side are not."""
    largest = float(np.max(np.abs(values)))
    if registers == 1:
        if type_ == "uint16" and np.all(values >= 0xFC00):
            yield Evidence(-1.5, "near 65535: a small negative number?")
        elif type_ == "int16" and largest > 0x7000:
            yield Evidence(-0.7, "near the end of what 16 bits hold")
        return
    if largest == 0:
        return
    if largest < 65536:
        yield Evidence(0.8, "small for its width")
    elif largest < 2e7:
        yield Evidence(1.6, "of an ordinary size, and more than 16 bits hold")
    elif largest < 4e8:
        yield Evidence(-0.6, "large")
    else:
        yield Evidence(-3.0 if registers == 2 else -3.5, f"{_number(largest)} is very large")


def of_sentinel(words: Words, type_: str) -> Iterator[Evidence]:
    """``words`` of the reading, shape (samples, registers). Of signed types, all bits set is an ordinary -1."""
    first = int(words[0, 0])
    if first not in (0xFFFF, 0x8000, 0x7FFF) or (first == 0xFFFF and type_.startswith("int")) or type_ in FLOATS:
        return
    follow = 0 if first == 0x8000 else 0xFFFF
    if np.all(words[:, 0] == first) and np.all(words[:, 1:] == follow):
        yield Evidence(-1.0, f"0x{first:04X}{f'{follow:04X}' * (words.shape[1] - 1)}: {SIGN}")


def of_time(values: Values) -> Iterator[Evidence]:
    """Physical values go slowly; the parts of a value that are read in the wrong order jump."""
    if len(values) < 3 or not np.all(np.isfinite(values)):
        return
    steps = np.abs(np.diff(values))
    if not np.any(steps):
        return
    # Sizes are compared before they are added up: values of a wrong order reach the end of float64.
    step = float(np.mean(steps / (float(np.median(np.abs(values))) + 1e-30)))
    points = min(3.0, max(-3.0, -1.2 * math.log10(step + 1e-9) - 0.6))
    if points > 1.0:
        yield Evidence(points, "changes smoothly")
    elif points >= 0.0:
        yield Evidence(points, "changes little")
    else:
        yield Evidence(points, "jumps from sample to sample")


def of_expectation(values: Values, gain: float, expected: Expectation) -> Iterator[Evidence]:
    if not np.all(np.isfinite(values)):
        yield Evidence(-3.0, "no number to compare with what is expected")
        return
    now = values * gain
    if expected.value is not None:
        yield _distance(float(now[-1]), expected.value)
    if expected.low is not None and expected.high is not None:
        within = bool(np.all((now >= expected.low) & (now <= expected.high)))
        text = f"{_number(expected.low)}…{_number(expected.high)}"
        yield Evidence(2.0 if within and np.any(now) else 0.5, f"within {text}") if within else Evidence(-3.5, f"outside {text}")
    elif expected.unit in TYPICAL and np.any(now):
        low, high = TYPICAL[expected.unit]
        within = bool(np.all((now >= low) & (now <= high)))
        yield Evidence(1.2, "usual for its unit") if within else Evidence(-1.5, "unusual for its unit")


def _distance(now: float, expected: float) -> Evidence:
    error = abs(now - expected) / max(abs(expected), 1e-9)
    text = f"{_number(now)} beside the expected {_number(expected)}"
    for limit, points in ((0.0005, 8.0), (0.005, 7.0), (0.02, 5.5), (0.1, 3.0), (0.3, 0.5)):
        if error <= limit:
            return Evidence(points, text)
    return Evidence(-4.0, f"far from the expected {_number(expected)}")


def of_gain(gain: float, type_: str) -> Iterator[Evidence]:
    """Whole numbers are often in tenths or hundredths; floats hardly ever, but for W and kW."""
    if gain == 1.0:
        return
    usual = gain in (0.1, 0.01) and type_ not in FLOATS
    yield Evidence(-0.7 if usual else -1.3 if type_ not in FLOATS else -2.5, f"scaled by {gain:g}")


def of_neighbours(around: Sequence[Values], type_: str) -> Iterator[Evidence]:
    """``around`` are the values of the same type and order directly before and after, where they were read."""
    good = bad = 0
    for values in around:
        sizes = np.abs(values[values != 0.0])
        if not len(sizes):
            continue
        if type_ in FLOATS:
            ordinary = bool(np.all(np.isfinite(values))) and bool(np.all((sizes >= ORDINARY[0]) & (sizes <= ORDINARY[1])))
        else:
            ordinary = bool(np.all(sizes < 2e7))
        good, bad = good + ordinary, bad + (not ordinary)
    if good and not bad:
        yield Evidence((0.8 if type_ in FLOATS else 0.4) * good, "its neighbours look right the same way")
    elif bad and not good:
        yield Evidence(-0.5 * bad, "its neighbours make no sense that way")


def _number(value: float) -> str:
    if not math.isfinite(value):
        return str(value)
    return f"{value:.6g}"
