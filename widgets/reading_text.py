"""A reading as text: the same words in tables, details, plots and tool tips."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

from app.drivers import spec_for
from app.drivers.base import TypedAddresses
from app.drivers.modbus.marks import value_marks
from app.errors import UserError
from app.model.plant import Endpoint, Tag
from app.model.values import Quality, Value
from app.runtime.state import Reading
from widgets.clock import short_moment

LONG_TEXT = 200
_BADGES: Final = {"another device": "other device", "identity changed": "identity changed", "refused": "bad"}
"""Causes that have a badge of their own, whatever the newest sample was."""
_SAID: Final = frozenset({"not connected", "no answer"})
"""Causes that are told by their own words where there is no sample."""


def value_text(reading: Reading, tag: Tag | None = None) -> str:
    """The newest source value; "" before the first, of another variable and of a refused one, an en dash where the source sent none."""
    if reading.sample is None or reading.cause in ("identity changed", "refused"):
        return ""
    value = reading.sample.value
    if value is None:
        return "–"
    if tag is not None and tag.enum and isinstance(value, int | float) and not isinstance(value, bool):
        name = tag.enum.get(str(int(value))) if float(value).is_integer() else None
        if name is not None:
            return f"{name} ({int(value)})"
    return plain(value)


def plain(value: Value) -> str:
    """One value on one line: 6 significant digits, thousands separated, arrays and what is long cut; the cost is bounded too."""
    text = _plain(value, LONG_TEXT)
    return text if isinstance(value, list) else text[:LONG_TEXT]  # that of an array ends with how many there are


def _plain(value: Value, room: int) -> str:
    """At least ``room`` characters of it, where there are so many."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, bytes):
        return value[: max(room, 0) // 3 + 1].hex(" ")
    if isinstance(value, list):
        shown = ", ".join(_parts((("", part) for part in value[:8]), room))
        return f"[{shown}, …] {len(value)}" if len(value) > 8 else f"[{shown}]"
    if isinstance(value, dict):
        return "{" + ", ".join(_parts(((f"{name}: ", part) for name, part in value.items()), room)) + "}"
    return str(value)[: max(room, 0) + 1].replace("\n", "⏎")


def _parts(named: Iterable[tuple[str, Value]], room: int) -> Iterator[str]:
    for name, part in named:
        if room <= 0:
            return
        text = name + _plain(part, room - len(name))
        room -= len(text) + 2
        yield text


def _float(value: float) -> str:
    if math.isnan(value) or math.isinf(value):
        return "NaN" if math.isnan(value) else ("∞" if value > 0 else "−∞")
    if value == 0 or 1e-4 <= abs(value) < 1e9:
        digits = max(0, 5 - max(0, math.floor(math.log10(abs(value))))) if value else 1
        text = f"{value:,.{digits}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return f"{value:.6g}"


def quality_key(reading: Reading) -> str:
    """Key of the badge, of ``widgets.look.STATES``; "" before the first sample."""
    if reading.cause in _BADGES:
        return _BADGES[reading.cause]
    if reading.sample is None:
        return ("stale" if reading.cause in ("not connected", "idle") else "bad") if reading.problem else ""
    if reading.as_of_ns is not None and reading.sample.quality is Quality.BAD:
        return "bad"
    if reading.stale:
        return "stale"
    return "moved" if reading.cause == "moved" and reading.sample.quality is Quality.GOOD else reading.sample.quality.name.lower()


def value_key(reading: Reading) -> str:
    """How the value itself looks: good, uncertain, bad, stale; ``then`` of a snapshot's value, which is right as of then."""
    key = quality_key(reading)
    if key == "stale" and reading.as_of_ns is not None:
        return "then"
    return {"moved": "good", "other device": "stale", "identity changed": "bad"}.get(key, key)


def quality_text(reading: Reading) -> str:
    """What the badge says; stale values say their age, those of a snapshot when it was taken."""
    if reading.cause in _BADGES:
        return reading.cause
    if reading.sample is None:
        return {"": "waiting", "idle": "not watched"}.get(reading.cause, reading.cause if reading.cause in _SAID else "refused")
    if reading.as_of_ns is not None:
        return "bad then" if reading.sample.quality is Quality.BAD else f"as of {short_moment(reading.as_of_ns)}"
    if reading.stale:
        return f"stale {age_text(reading.age_s)}"
    word = reading.sample.quality.name.lower()
    return f"{word}, moved" if reading.cause == "moved" else word


def suspicions(endpoint: Endpoint | None, tag: Tag, reading: Reading) -> tuple[str, ...]:
    """Why a good value of a register can hardly be one: denormal, NaN, 0xFFFF. Of a scaled tag the words are not known here."""
    sample = reading.sample
    if sample is None or reading.stale or endpoint is None or (tag.gain, tag.offset) != (1.0, 0.0):
        return ()
    return value_marks(sample.value, sample.type) if _has_registers(endpoint.addresses["default"]) else ()


@lru_cache(maxsize=256)
def _has_registers(url: str) -> bool:
    try:
        return isinstance(spec_for(url), TypedAddresses)
    except UserError:
        return False


def is_trusted(reading: Reading) -> bool:
    return reading.sample is not None and not reading.stale and reading.sample.quality is not Quality.BAD


def age_text(seconds: float) -> str:
    if not math.isfinite(seconds):
        return ""
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def status_text(endpoint: Endpoint | None, status: int) -> str:
    """The protocol's own code in its own words; the bare number for an endpoint without a driver."""
    return _status(endpoint.addresses["default"] if endpoint else "", status)


@lru_cache(maxsize=4096)
def _status(url: str, status: int) -> str:
    try:
        return spec_for(url).status_text(status)
    except UserError:
        return f"0x{status:08X}"
