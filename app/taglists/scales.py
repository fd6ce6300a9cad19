"""Factors, units and ranges, as register lists write them."""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import Final, NamedTuple

from app.taglists.spreadsheet import number
from app.units import recognise

_SUPERSCRIPT: Final = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_NUM: Final = r"[+-]?(?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)(?:[eE][+-]?[0-9]{1,3})?"
_TIMES: Final = r"[x×X*·⋅]"
_POWER: Final = re.compile(r"10\s*(?:\^|\*\*|[eE])\s*\(?\s*([+-]?[0-9]{1,2})\s*\)?")
_POWER_UP: Final = re.compile(r"10([⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,2})")
_FRACTION: Final = re.compile(rf"({_NUM})\s*[/:÷]\s*({_NUM})")
NOTHING: Final = frozenset(
    {"", "-", "--", "---", "–", "—", "n/a", "na", "n.a.", "none", "keine", "nil", "/", "\\", "*", ".", "null", "nan", "?"}
)


class Factor(NamedTuple):
    """What one count of the register is worth. ``unit`` where the text names one behind the number."""

    gain: float
    unit: str = ""


@lru_cache(maxsize=4096)
def factor(text: str) -> Factor | None:
    """``0.1``, ``0,1``, ``×0.1``, ``x10``, ``/10``, ``1/100``, ``10^-1``, ``10⁻¹``, ``1E-1``, ``0.1 V``; None for anything else or 0."""
    plain = text.replace("\u2212", "-").replace("\u00a0", " ").strip().strip("()[]").strip()
    gain = _gain(plain)
    if gain is not None:
        return Factor(gain) if gain and math.isfinite(gain) else None
    head, space, tail = _split_unit(plain)
    gain = _gain(head) if space else None
    if gain and math.isfinite(gain) and recognise(tail) is not None:
        return Factor(gain, tail)
    return None


def _split_unit(plain: str) -> tuple[str, str, str]:
    found = re.match(rf"({_TIMES}?\s*(?:{_NUM}\s*[/:]\s*{_NUM}|10\s*(?:\^|\*\*)\s*[+-]?[0-9]{{1,2}}|{_NUM}))\s*([^\s0-9.,+/-].*)", plain)
    return (found[1], " ", found[2].strip()) if found else (plain, "", "")


def _gain(plain: str) -> float | None:
    plain = plain.strip()
    divided = False
    if found := re.match(r"(?:/|÷|:|divide[ds]?(?:\s+by)?|div\.?)\s*", plain, re.IGNORECASE):
        plain, divided = plain[found.end() :], True
    elif found := re.match(rf"(?:{_TIMES}|multipl(?:y|ied)(?:\s+by)?|mal)\s*", plain, re.IGNORECASE):
        plain = plain[found.end() :]
    value = _value(plain)
    if value is None:
        return None
    if divided:
        return 1.0 / value if value else None
    return value


def _value(plain: str) -> float | None:
    if found := _POWER.fullmatch(plain):
        return _ten_to(int(found[1])) if not re.fullmatch(r"10[eE][+-]?[0-9]+", plain) else number(plain)
    if found := _POWER_UP.fullmatch(plain):
        return _ten_to(int(found[1].translate(_SUPERSCRIPT)))
    if found := _FRACTION.fullmatch(plain):
        above, below = number(found[1]), number(found[2])
        return above / below if above is not None and below else None
    return number(plain)


def _ten_to(exponent: int) -> float:
    """As a person writes it: 0.1 and not 0.1000…1."""
    return float(f"1e{exponent}")


class Measured(NamedTuple):
    """A unit's text: the unit, and what one count is worth where the text says that too."""

    unit: str
    gain: float | None = None
    inverted: bool = False
    """Whether a factor behind the unit was taken as "the register holds so many times the value" (``V x 10``: 0.1 V per count)."""


_BEHIND: Final = re.compile(rf"(.+?)\s*(?P<sign>[x×X*·⋅]|/)\s*(?P<number>10\s*(?:\^|\*\*)\s*[+-]?[0-9]{{1,2}}|10[⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+|{_NUM})")


@lru_cache(maxsize=4096)
def measured(text: str) -> Measured:
    """``kWh``, ``[°C]``, ``0.1 V``, ``1/10 V``, ``V x 10``, ``V/10``; a dash is no unit. The unit is a UNECE code where it is known."""
    plain = text.replace("\u00a0", " ").strip()
    if plain.lower() in NOTHING:
        return Measured("")
    if len(plain) > 2 and (plain[0], plain[-1]) in (("[", "]"), ("(", ")")):
        plain = plain[1:-1].strip()
    if (found := recognise(plain)) is not None:
        return Measured(found.code)
    head, space, tail = _split_unit(plain)
    if space and (gain := _gain(head)) and (found := recognise(tail)) is not None:
        return Measured(found.code, gain)
    if (behind := _BEHIND.fullmatch(plain)) and (found := recognise(behind[1].strip())) is not None:
        value = _value(behind["number"].replace(" ", ""))
        if value and math.isfinite(value):
            if behind["sign"] == "/":
                return Measured(found.code, 1.0 / value, inverted=True)
            return Measured(found.code, 1.0 / value if abs(value) > 1.0 else value, inverted=abs(value) > 1.0)
    if (bare := re.sub(r"\s*\(.*\)$", "", plain)) != plain and (found := recognise(bare)) is not None:
        return Measured(found.code)
    return Measured(plain)


_RANGE: Final = re.compile(
    rf"\s*[\[(]?\s*({_NUM})\s*(?:\.\.\.?|…|–|—|~|\bto\b|\bbis\b|:|-|÷|/)\s*(\+?{_NUM})\s*[\])]?\s*[^0-9]*", re.IGNORECASE
)


def limits(text: str) -> tuple[float, float] | None:
    """``0-100``, ``-40…150``, ``0..65535``, ``-10 to +10 °C``; None for anything else, or where the first is not the lower."""
    plain = text.replace("\u2212", "-").replace("\u00a0", " ").replace("±", "")
    found = _RANGE.fullmatch(plain)
    if found is None:
        return None
    low, high = number(found[1]), number(found[2].lstrip("+"))
    return (low, high) if low is not None and high is not None and low < high else None
