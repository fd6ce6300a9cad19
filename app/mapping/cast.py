"""Values made to fit a type, or refused with the reason. Nothing is wrapped, cut or guessed."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from typing import Literal

from app.model.values import INTEGER_LIMITS, Value

Rounding = Literal["half_even", "floor", "ceil", "truncate"]
_ROUND: dict[str, Callable[[float], float]] = {"half_even": round, "floor": math.floor, "ceil": math.ceil, "truncate": math.trunc}


class TransformError(Exception):
    """Why a value cannot be transformed: becomes the reason of a bad quality, never a dialog."""


def number(value: Value) -> float | int:
    """A number as it is; a bool is 0 or 1."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | float):
        return value
    raise TransformError("no value" if value is None else f"{_shown(value)} is no number")


def cast_value(value: Value, type_: str, rounding: Rounding = "half_even") -> Value:
    """``value`` as the type asks.

    Raises:
        TransformError: It does not fit, with the limits it breaks.
    """
    if type_.endswith("[]"):
        if not isinstance(value, list):
            raise TransformError(f"{_shown(value)} is no array")
        return [cast_value(part, type_ if isinstance(part, list) else type_[:-2], rounding) for part in value]
    if type_ in INTEGER_LIMITS:
        return _integer(value, type_, rounding)
    if type_ in ("float32", "float64"):
        return _float(value, type_)
    if type_ == "bool":
        return _bool(value)
    if type_ in ("string", "enum", "datetime", "guid"):
        return _text(value)
    if type_ == "bytes" and not isinstance(value, bytes):
        raise TransformError(f"{_shown(value)} is no byte string")
    if type_ == "struct" and not isinstance(value, dict):
        raise TransformError(f"{_shown(value)} is no structure")
    return value


def _integer(value: Value, type_: str, rounding: Rounding) -> int:
    source = _parsed(value) if isinstance(value, str) else number(value)
    if isinstance(source, float):
        if not math.isfinite(source):
            raise TransformError(f"{source} is no {type_}")
        source = int(_ROUND[rounding](source))
    low, high = INTEGER_LIMITS[type_]
    if not low <= source <= high:
        raise TransformError(f"{source} does not fit {type_} ({low} to {high})")
    return source


def _float(value: Value, type_: str) -> float:
    source = float(_parsed(value) if isinstance(value, str) else number(value))
    if type_ == "float32" and math.isfinite(source):
        try:
            (source,) = struct.unpack("<f", struct.pack("<f", source))
        except OverflowError:
            raise TransformError(f"{source:g} does not fit float32") from None
    return source


def _bool(value: Value) -> bool:
    if isinstance(value, bool):
        return value
    if value in (0, 1):
        return bool(value)
    raise TransformError(f"{_shown(value)} is neither 0 nor 1")


def _text(value: Value) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    raise TransformError("no value" if value is None else f"{_shown(value)} is no text")


def _parsed(text: str) -> float | int:
    try:
        return int(text) if text.strip().lstrip("+-").isdigit() else float(text)
    except ValueError:
        raise TransformError(f"{_shown(text)} is no number") from None


def _shown(value: Value) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:39]}…"
