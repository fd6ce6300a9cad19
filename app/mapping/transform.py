"""Transform operators: what each does to a value, what type comes out, and how it is shown. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import singledispatch

from app.errors import UserError
from app.mapping.cast import TransformError, cast_value, number
from app.mapping.members import parse_path, pick
from app.model.mapping import (
    Bit,
    Cast,
    Clamp,
    EnumNames,
    GainOffset,
    Linear,
    Mask,
    Not,
    Op,
    Part,
    Round,
    Sqrt,
    Transform,
    Trim,
    UnitConversion,
)
from app.model.values import SCALAR_TYPES, Value
from app.units import conversion, unit

Step = Callable[[Value], Value]
"""One operator made ready: value in, value out; raises TransformError with the reason."""


def compile_transform(transform: Sequence[Transform]) -> Step:
    """All operators as one function. Parts are taken of the whole value; then arrays are transformed element by element.

    Raises:
        UserError: An operator can never work (unknown unit, units of two kinds, an empty span, an unknown type, a part behind another).
    """
    parts = leading_parts(transform)
    path = tuple(step for part in parts for step in parse_path(part.path))
    steps = [_step(op) for op in transform[len(parts) :]]
    run = _each(steps)
    return (lambda value: run(pick(value, path))) if path else run


def leading_parts(transform: Sequence[Transform]) -> list[Part]:
    """The operators that take a part of the whole value: those in front."""
    found: list[Part] = []
    for op in transform:
        if not isinstance(op, Part):
            break
        found.append(op)
    return found


def _each(steps: Sequence[Step]) -> Step:
    def run(value: Value) -> Value:
        if isinstance(value, list):
            return [run(part) for part in value]
        for step in steps:
            value = step(value)
        return value

    return run


@singledispatch
def _step(op: Op) -> Step:
    raise TypeError(f"no such operator: {op!r}")


@_step.register
def _(op: Part) -> Step:
    raise _never(op, "a part is taken of the value as the source sends it, not of what other operators made of it", "Move it to the front")


@_step.register
def _(op: Linear) -> Step:
    span = op.raw_high - op.raw_low
    if span == 0:
        raise _never(op, f"the raw span {op.raw_low:g}…{op.raw_high:g} is empty", "Give two different raw values")
    gain = (op.high - op.low) / span
    bottom, top = sorted((float(op.low), float(op.high)))

    def linear(value: Value) -> Value:
        result = op.low + (number(value) - op.raw_low) * gain
        return min(max(result, bottom), top) if op.clamp and not math.isnan(result) else result

    return linear


@_step.register
def _(op: GainOffset) -> Step:
    return lambda value: number(value) * op.gain + op.offset


@_step.register
def _(op: Sqrt) -> Step:
    if op.high <= 0:
        raise _never(op, "the span of a square root must be above 0", "Give the value that the full span stands for")
    return lambda value: op.high * math.sqrt(max(number(value), 0.0) / op.high)


@_step.register
def _(op: Bit) -> Step:
    return lambda value: bool(_whole(value) >> op.index & 1)


@_step.register
def _(op: Mask) -> Step:
    return lambda value: (_whole(value) & op.mask) >> op.shift


@_step.register
def _(op: EnumNames) -> Step:
    def name(value: Value) -> Value:
        key = str(_whole(value))
        found = op.names.get(key, op.other)
        if found is None:
            raise TransformError(f"{key} has no name")
        return found

    return name


@_step.register
def _(op: UnitConversion) -> Step:
    affine = conversion(op.source, op.target)
    return lambda value: number(value) * affine.gain + affine.offset


@_step.register
def _(op: Clamp) -> Step:
    def clamp(value: Value) -> Value:
        result: Value = value
        if op.low is not None and number(result) < op.low:
            result = op.low
        if op.high is not None and number(result) > op.high:
            result = op.high
        return result

    return clamp


@_step.register
def _(op: Cast) -> Step:
    if op.type.removesuffix("[]") not in SCALAR_TYPES:
        raise _never(op, f"{op.type!r} is no type", "Use one of: " + ", ".join(SCALAR_TYPES))
    return lambda value: cast_value(value, op.type, op.rounding)


@_step.register
def _(op: Round) -> Step:
    return lambda value: round(number(value), op.digits)


@_step.register
def _(op: Not) -> Step:
    def negate(value: Value) -> Value:
        if isinstance(value, bool | int | float):
            return not value
        raise TransformError(f"{value!r} is neither true nor false")

    return negate


@_step.register
def _(op: Trim) -> Step:
    def trim(value: Value) -> Value:
        if not isinstance(value, str):
            raise TransformError(f"{value!r} is no text")
        return value.strip("\0 \t\r\n\v\f")

    return trim


def _never(op: Transform, why: str, fix: str) -> UserError:
    return UserError("The transform can never work", where=_op_text(op), why=why, fix=fix)


def _whole(value: Value) -> int:
    """An integer, also from a bool or a float without fraction: enumerations and words arrive as all three."""
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise TransformError(f"{value!r} is no whole number")


# What it makes of a type, and how it is shown


def result_type(transform: Sequence[Transform], source_type: str) -> str:
    """Type word after all operators; "" where the source's is unknown and nothing settles it."""
    for part in leading_parts(transform):
        # An element of an array is known by the word; what a field of a structure is, only its value tells.
        source_type = source_type.removesuffix("[]") if part.path.startswith("[") and '"' not in part.path and "." not in part.path else ""
    base, array = (source_type[:-2], "[]") if source_type.endswith("[]") else (source_type, "")
    for op in transform:
        match op:
            case Linear() | GainOffset() | Sqrt() | UnitConversion() | Round():
                base = "float64"
            case Bit() | Not():
                base = "bool"
            case EnumNames() | Trim():
                base = "string"
            case Cast():
                base = op.type
            case Mask():
                base = base if base.startswith(("int", "uint")) else "int64"
            case Clamp():
                base = base if base in ("float32", "float64") else "float64"
    return base + array if base else ""


def transform_text(transform: Sequence[Transform]) -> str:
    """What the Transform column shows: ``°F → °C, round 1``."""
    return ", ".join(_op_text(op) for op in transform)


def _op_text(op: Transform) -> str:
    match op:
        case Part():
            return op.path
        case Linear():
            ends = f"{op.raw_low:g}…{op.raw_high:g} → {op.low:g}…{op.high:g}"
            return f"{ends} clamped" if op.clamp else ends
        case GainOffset():
            gain = f"gain {op.gain:g}" if op.gain != 1 or op.offset == 0 else ""
            offset = f"offset {op.offset:+g}" if op.offset else ""
            return " ".join(filter(None, (gain, offset)))
        case Sqrt():
            return f"square root of 0…{op.high:g}"
        case Bit():
            return f"bit {op.index}"
        case Mask():
            return f"mask 0x{op.mask:X}" + (f" >> {op.shift}" if op.shift else "")
        case EnumNames():
            return f"enum, {len(op.names)} states"
        case UnitConversion():
            return f"{symbol(op.source)} → {symbol(op.target)}"
        case Clamp():
            return f"clamp {_end(op.low)}…{_end(op.high)}"
        case Cast():
            return f"as {op.type}"
        case Round():
            return f"round {op.digits}"
        case Not() | Trim():
            return str(type(op).__struct_config__.tag)


def _end(limit: float | None) -> str:
    return "" if limit is None else f"{limit:g}"


def symbol(code: str) -> str:
    """What a screen shows for a unit code; a text that is no code is its own symbol."""
    found = unit(code) if code else None
    return found.symbol if found else code


def affine_of(transform: Sequence[Transform]) -> tuple[float, float] | None:
    """(gain, offset) when every operator is affine and unclamped, else None. Most gateways can do no more than this."""
    gain, offset = 1.0, 0.0
    for op in transform:
        match op:
            case Linear(clamp=False) if op.raw_high != op.raw_low:
                step = (op.high - op.low) / (op.raw_high - op.raw_low)
                gain, offset = gain * step, (offset - op.raw_low) * step + op.low
            case GainOffset():
                gain, offset = gain * op.gain, offset * op.gain + op.offset
            case UnitConversion():
                affine = conversion(op.source, op.target)
                gain, offset = gain * affine.gain, offset * affine.gain + affine.offset
            case Cast() if op.type in ("float32", "float64"):
                continue
            case _:
                return None
    return gain, offset
