"""Samples as bytes: raw columns, then the values that are no plain numbers, each packed by itself.

Layout: the columns of ``COLUMNS`` one after the other; then for each such value its row (``<u4``), for each its length (``<u4``), and the
values. Both ends are the same program, so the order is fixed. The parent checks every length, count, code and row before it uses it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import accumulate
from typing import Final

import numpy as np
import numpy.typing as npt

from app.connector.frame_error import FrameError
from app.connector.values import Values
from app.model.columns import ARRAY_FLAG, TYPE_CODES, TYPE_NAMES, SampleColumns
from app.model.values import NUMERIC_TYPES, Quality, Value

COLUMNS: Final = (
    ("number", "<f8"), ("source_ns", "<i8"), ("server_ns", "<i8"), ("receive_ns", "<i8"),
    ("handle", "<u4"), ("status", "<u4"), ("type", "u1"), ("quality", "u1"),
)  # fmt: skip
"""Widest first, so that each column begins aligned."""
ROW_BYTES: Final = sum(int(dtype[-1]) for _, dtype in COLUMNS)  # the digit is its size; numpy is not asked before there are rows
OBJECT_BYTES: Final = 8
"""Row and length of one value."""
SAMPLE_ROWS: Final = 5_000
"""Most in a frame. The window takes a frame whole, and with values that are no numbers each row is a Python object."""

_FLOAT, _WHOLE, _OBJECT, _UNKNOWN = range(4)
_WORST: Final = max(Quality)


@cache
def _kinds() -> npt.NDArray[np.uint8]:
    """Type code → whether float64 holds such a value: always, unless it is NaN or infinite, or never."""
    kinds = np.full(256, _UNKNOWN, np.uint8)
    kinds[: len(TYPE_NAMES)] = _OBJECT
    kinds[ARRAY_FLAG : ARRAY_FLAG + len(TYPE_NAMES)] = _OBJECT
    kinds[[TYPE_CODES[name] for name in (*NUMERIC_TYPES, "bool", "enum")]] = _WHOLE
    kinds[[TYPE_CODES[name] for name in ("float32", "float64")]] = _FLOAT
    return kinds


def complete(columns: SampleColumns) -> SampleColumns:
    """The same samples with an explicit None for each row that has no number and no object, as the parent requires it."""
    missing: dict[int, Value] = {row: None for row in _without_number(columns) if row not in columns.objects}
    if not missing:
        return columns
    return SampleColumns(**{name: getattr(columns, name) for name, _ in COLUMNS}, objects={**columns.objects, **missing})


def packed(columns: SampleColumns) -> list[bytes | memoryview]:
    """The payload in pieces, to be joined once.

    Raises:
        FrameError: A value is no plain data, or too much of it.
    """
    pieces: list[bytes | memoryview] = [np.ascontiguousarray(getattr(columns, name), dtype).data.cast("B") for name, dtype in COLUMNS]
    if columns.objects:
        values = Values()
        bodies = [values.packed(value) for value in columns.objects.values()]
        pieces += [
            np.fromiter(columns.objects, "<u4", len(bodies)).tobytes(),
            np.fromiter(map(len, bodies), "<u4", len(bodies)).tobytes(),
            *bodies,
        ]
    return pieces


def unpacked(rows: int, objects: int, payload: bytes) -> SampleColumns:
    """Samples from a payload that says it holds so many.

    Raises:
        FrameError: Any length, count, code or row in it is wrong.
    """
    if rows > SAMPLE_ROWS:
        raise FrameError(f"{rows} rows, at most {SAMPLE_ROWS} are sent at once")
    at = rows * ROW_BYTES
    if not 0 <= objects <= rows or at + objects * OBJECT_BYTES > len(payload) or (not objects and at != len(payload)):
        raise FrameError(
            f"{rows} rows and {objects} values in {len(payload)} bytes; a row has {ROW_BYTES}, a value at least {OBJECT_BYTES}"
        )
    offset, arrays = 0, {}
    for name, dtype in COLUMNS:
        arrays[name] = np.frombuffer(payload, dtype, count=rows, offset=offset)
        offset += arrays[name].nbytes
    columns = SampleColumns(**arrays, objects=_objects(rows, objects, payload) if objects else {})
    _check(columns)
    return columns


def _objects(rows: int, objects: int, payload: bytes) -> dict[int, Value]:
    at = rows * ROW_BYTES
    places = np.frombuffer(payload, "<u4", count=objects, offset=at)
    if int(places.max()) >= rows:
        raise FrameError(f"a value for row {int(places.max())} of {rows}")
    lengths: Sequence[int] = np.frombuffer(payload, "<u4", count=objects, offset=at + 4 * objects).tolist()
    ends = list(accumulate(lengths, initial=at + OBJECT_BYTES * objects))
    if ends[-1] != len(payload):
        raise FrameError(f"values of {ends[-1]} bytes in {len(payload)}")
    values, view = Values(), memoryview(payload)
    found = {row: values.unpacked(view[ends[place] : ends[place + 1]]) for place, row in enumerate(places.tolist())}
    if len(found) != objects:
        raise FrameError("two values for one row")
    return found


def _check(columns: SampleColumns) -> None:
    if not len(columns):
        return
    if int(columns.quality.max()) > _WORST:
        raise FrameError("an unknown quality")
    missing = next((row for row in _without_number(columns) if row not in columns.objects), None)
    if missing is not None:
        raise FrameError(f"row {missing} has no value")


def _without_number(columns: SampleColumns) -> Sequence[int]:
    """Rows whose value float64 does not hold: not a number at all, or a whole number that is NaN or infinite.

    Raises:
        FrameError: A row is of an unknown type.
    """
    kinds = _kinds()[columns.type]
    most = int(kinds.max(initial=_FLOAT))
    if most == _FLOAT:
        return ()
    if most == _UNKNOWN:
        raise FrameError("an unknown type code")
    mask: npt.NDArray[np.bool_] = (kinds == _WHOLE) & ~np.isfinite(columns.number)
    if most == _OBJECT:
        mask |= kinds == _OBJECT
    rows: list[int] = np.flatnonzero(mask).tolist()
    return rows
