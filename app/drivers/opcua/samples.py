"""From decoded DataValues to sample columns: one pass over a whole notification, no object per value."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np

from app.drivers.opcua.binary import BUILTIN_TYPES, DataValue, Extension, ticks_to_ns
from app.drivers.opcua.status import quality_of
from app.model.columns import ARRAY_FLAG, TYPE_CODES, SampleColumns
from app.model.values import SAFE_INTEGER, Quality, Value

_BOOLEAN: Final = 1
_INT32: Final = 6
_LAST_NUMBER: Final = 11
"""Built-in types 2 … 11 are the numbers: SByte to Double."""

TYPE_OF_BUILTIN: Final = {builtin: TYPE_CODES[name] for builtin, name in BUILTIN_TYPES.items()}


class Scale(NamedTuple):
    """What a read or watched item adds to what the server sends: value * gain + offset, and that its Int32 is an enumeration."""

    gain: float = 1.0
    offset: float = 0.0
    enum: bool = False

    @property
    def scales(self) -> bool:
        return self.gain != 1.0 or self.offset != 0.0


PLAIN: Final = Scale()


def sample_columns(rows: Sequence[tuple[int, DataValue, Scale]], receive_ns: int) -> SampleColumns:
    """Columns of (handle, value, scale) rows. A value that was not sent makes its row BAD, whatever its status says."""
    count = len(rows)
    handle = np.fromiter((row[0] for row in rows), np.uint32, count)
    types, quality = np.zeros(count, np.uint8), np.zeros(count, np.uint8)
    number = np.full(count, np.nan, np.float64)
    objects: dict[int, Value] = {}
    for place, (_, data, scale) in enumerate(rows):
        code, plain, other = cell(data, scale)
        types[place] = code
        quality[place] = quality_of(data.status)
        if plain is not None:
            number[place] = plain
        else:
            objects[place] = other
            if other is None:
                quality[place] = Quality.BAD
    return SampleColumns(
        handle=handle,
        type=types,
        quality=quality,
        status=np.fromiter((row[1].status for row in rows), np.uint32, count),
        number=number,
        source_ns=np.fromiter((ticks_to_ns(row[1].source_ticks) for row in rows), np.int64, count),
        server_ns=np.fromiter((ticks_to_ns(row[1].server_ticks) for row in rows), np.int64, count),
        receive_ns=np.full(count, receive_ns, np.int64),
        objects=objects,
    )


def cell(data: DataValue, scale: Scale) -> tuple[int, float | None, Value]:
    """Type code, the value as float64 where that holds it exactly, else None and the value itself."""
    builtin, value = data.builtin, data.value
    if builtin == 0:
        return 0, None, None
    code = TYPE_OF_BUILTIN.get(builtin, 0)
    if builtin == _INT32 and scale.enum:
        code = TYPE_CODES["enum"]
    elif scale.scales and _BOOLEAN < builtin <= _LAST_NUMBER:
        code = TYPE_CODES["float64"]
        value = _scaled(value, scale)
    if data.is_array:
        return code | ARRAY_FLAG, None, value
    if isinstance(value, bool | int | float):
        if isinstance(value, int) and abs(value) > SAFE_INTEGER:
            return code, None, value
        return code, float(value), None
    return code, None, value


def _scaled(value: Value, scale: Scale) -> Value:
    if isinstance(value, list):
        return [_scaled(element, scale) for element in value]
    return value * scale.gain + scale.offset if isinstance(value, int | float) else value


def extensions_in(value: Value) -> Iterator[Extension]:
    """Every structure still undecoded inside a value."""
    if isinstance(value, Extension):
        yield value
    elif isinstance(value, list | dict):
        for element in value.values() if isinstance(value, dict) else value:
            yield from extensions_in(element)


def without_extensions(value: Value, decode: Callable[[Extension], Value]) -> Value:
    """The value with every undecoded structure replaced."""
    if isinstance(value, Extension):
        return without_extensions(decode(value), decode)
    if isinstance(value, list):
        return [without_extensions(element, decode) for element in value]
    if isinstance(value, dict):
        return {name: without_extensions(element, decode) for name, element in value.items()}
    return value
