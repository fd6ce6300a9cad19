"""Joins the catalogue to the simulated line: reads and sets an attribute by its path, and fits values to wire types."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from app.plant.physics import Line
from app.plant.points import Point, PointType

INTEGER_BITS = {
    PointType.SBYTE: (8, True),
    PointType.BYTE: (8, False),
    PointType.INT16: (16, True),
    PointType.UINT16: (16, False),
    PointType.INT32: (32, True),
    PointType.UINT32: (32, False),
    PointType.INT64: (64, True),
    PointType.UINT64: (64, False),
    PointType.ENUMERATION: (32, True),
}


@dataclass(frozen=True, slots=True)
class Signal:
    """One attribute of one machine of the line; an index picks one of a sequence."""

    owner: object
    attribute: str
    index: int | None = None

    def get(self) -> Any:  # Any: the attribute's own type, fitted by `fit` or by the register encoder
        """The value of the last step."""
        value = getattr(self.owner, self.attribute)
        return value if self.index is None else value[self.index]

    def set(self, value: object) -> None:
        """Sets a setpoint."""
        setattr(self.owner, self.attribute, value)


def bind(line: Line, path: str) -> Signal:
    """The signal at a dotted path such as `filler1.valves.3.state` or `meter.voltage_v.0`.

    Raises:
        AttributeError: No such attribute; a mistake in the catalogue.
    """
    parts = path.split(".")
    index = int(parts.pop()) if parts[-1].isdigit() else None
    owner: Any = line  # Any: walks through machines of different types
    for part in parts[:-1]:
        owner = owner[int(part)] if part.isdigit() else getattr(owner, part)
    signal = Signal(owner, parts[-1], index)
    signal.get()
    return signal


def wrap(value: float, bits: int, *, signed: bool) -> int:
    """Rounds to an integer that wraps at its width, as a PLC's counters do."""
    low = -(1 << (bits - 1)) if signed else 0
    return (round(value) - low) % (1 << bits) + low


def _fit_scalar(point: Point) -> Callable[[Any], Any]:  # Any: one of the types of points.Scalar
    if point.data_type in INTEGER_BITS:
        bits, signed = INTEGER_BITS[point.data_type]
        return lambda value: wrap(value, bits, signed=signed)
    if point.data_type in {PointType.FLOAT, PointType.DOUBLE}:
        digits = point.digits
        return lambda value: round(float(value), digits)
    if point.data_type is PointType.BOOLEAN:
        return bool
    return lambda value: value


def fit(point: Point) -> Callable[[Any], Any]:  # Any: one of the types of points.Value
    """How a value of the line becomes one of the point's type: rounded to what a real sensor resolves."""
    scalar = _fit_scalar(point)
    return (lambda values: [scalar(value) for value in values]) if point.array else scalar


def clamp(value: object, point: Point) -> bool | float | None:
    """What the plant makes of a value that a client wrote; None where it is no number at all."""
    if point.data_type is PointType.BOOLEAN:
        return value if isinstance(value, bool) else None
    if isinstance(value, Sequence) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    low = -math.inf if point.low is None else point.low
    high = math.inf if point.high is None else point.high
    return max(low, min(high, float(value)))
