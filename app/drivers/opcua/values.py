"""Decoding of Read answers (OPC 10000-4 §5.10.2), lean.

Two things are used. Attributes other than values are few different ones sent again and again: a DataValue says itself where it ends, so
bytes that begin like one already decoded *are* that one. And values of one numeric type with the same fields are records of one size, that
``struct`` takes many of at once. Anything else goes through ``binary.Reader``.
"""

from __future__ import annotations

import struct
from typing import Final

from app.drivers.opcua.binary import NO_VALUE, NUMBER_CODES, DataValue, DecodingError, Reader, repeats

_HAS_VALUE: Final = 0x01
_HAS_STATUS: Final = 0x02
_HAS_SOURCE: Final = 0x04
_HAS_SERVER: Final = 0x08
_PLAIN_MASKS: Final = 0x10
"""Masks below it have no picoseconds."""

_REMEMBERED: Final = 8
_SHORT_BYTES: Final = 64
_FIRST_WINDOW: Final = 8
_LARGEST_WINDOW: Final = 4096


class _Shape:
    """Records of one encoding mask and one numeric type."""

    __slots__ = ("builtin", "fields", "mask", "record", "size")

    def __init__(self, mask: int, builtin: int, code: str) -> None:
        self.mask, self.builtin = bytes((mask,)), bytes((builtin,))
        fields = [bit for bit in (_HAS_STATUS, _HAS_SOURCE, _HAS_SERVER) if mask & bit]
        self.record = struct.Struct("<2x" + code + "".join("I" if bit == _HAS_STATUS else "q" for bit in fields))
        self.size = self.record.size
        self.fields = tuple(1 + fields.index(bit) if bit in fields else 0 for bit in (_HAS_STATUS, _HAS_SOURCE, _HAS_SERVER))


_SHAPES: Final = {
    mask | builtin << 8: _Shape(mask, builtin, code)
    for mask in range(_PLAIN_MASKS)
    if mask & _HAS_VALUE
    for builtin, code in NUMBER_CODES.items()
}


def data_values(reader: Reader) -> list[DataValue]:
    """The results of a ReadResponse, behind its header.

    Raises:
        DecodingError: As all of ``binary``, by ``decoded``.
    """
    data, left = reader.data, reader.count()
    values: list[DataValue] = []
    recent: list[tuple[bytes, DataValue]] = []
    last, value = b"", NO_VALUE  # the bytes of the one before, and what they mean
    while left > 0:
        at = reader.at
        many = 1
        if last and data.startswith(last, at):
            many = repeats(data, last, at, left)
            values += [value] * many
            reader.at += many * len(last)
        elif (shape := _SHAPES.get(int.from_bytes(data[at : at + 2], "little"))) is not None:
            many = 1 if data.startswith(data[at : at + shape.size], at + shape.size) else _alike(data, at, shape, left)
            records = _records(data, at, shape, many)
            values += records
            last, value = (data[at : at + shape.size], records[0]) if many == 1 else (b"", NO_VALUE)
            reader.at += many * shape.size
        elif (known := next((one for one in recent if data.startswith(one[0], at)), None)) is not None:
            last, value = known
            continue
        else:
            value = reader.data_value()
            values.append(value)
            last = data[at : reader.at] if reader.at - at <= _SHORT_BYTES else b""
            if last:
                recent = [(last, value), *recent[: _REMEMBERED - 1]]
        left -= many
    if reader.at > len(data):
        raise DecodingError("the answer ends within a value")
    return values


def _alike(data: bytes, at: int, shape: _Shape, most: int) -> int:
    """How many records of this shape stand there in a row, at most so many; one does."""
    many, window = 1, _FIRST_WINDOW
    while many < most:
        begin, size = at + many * shape.size, shape.size
        end = begin + min(window, most - many) * size
        masks, builtins = data[begin:end:size], data[begin + 1 : end : size]
        same = min(len(masks) - len(masks.lstrip(shape.mask)), len(builtins) - len(builtins.lstrip(shape.builtin)))
        many += same
        if same < window:
            break
        window = min(4 * window, _LARGEST_WINDOW)
    return many


def _records(data: bytes, at: int, shape: _Shape, many: int) -> list[DataValue]:
    status, source, server = shape.fields
    builtin = shape.builtin[0]
    new = tuple.__new__
    return [
        new(
            DataValue,
            (builtin, False, record[0], record[status] if status else 0, record[source] if source else 0, record[server] if server else 0),
        )
        for record in shape.record.iter_unpack(data[at : at + many * shape.size])
    ]
