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

_REMEMBERED: Final = 64
_SHORT_BYTES: Final = 64
_FIRST_WINDOW: Final = 8
_SHAPE_AT: Final = struct.Struct("<H")
_LARGEST_WINDOW: Final = 4096


class _Shape:
    """Records of one encoding mask and one numeric type."""

    __slots__ = ("begin", "builtin", "fields", "mask", "record", "size")

    def __init__(self, mask: int, builtin: int, code: str) -> None:
        self.mask, self.builtin = bytes((mask,)), bytes((builtin,))
        self.begin = self.mask + self.builtin
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
    known: dict[bytes, DataValue] = {}  # by their bytes; ``sizes`` are those of its keys, the one met last first
    sizes: list[int] = []
    last, value = b"", NO_VALUE
    new, shapes, shape_at = tuple.__new__, _SHAPES.get, _SHAPE_AT.unpack_from
    while left > 0:
        at = reader.at
        if last and data.startswith(last, at):
            many = repeats(data, last, at, left)
            values += [value] * many
            reader.at += many * len(last)
            left -= many
            continue
        shape = shapes(shape_at(data, at)[0])
        if shape is None:
            for size in sizes:
                if (met := known.get(data[at : at + size])) is not None:
                    last, value = data[at : at + size], met
                    break
            else:
                value = reader.data_value()
                last = data[at : reader.at]
                if len(last) <= _SHORT_BYTES and len(known) < _REMEMBERED:
                    known[last] = value
                    if len(last) not in sizes:
                        sizes.append(len(last))
            reader.at = at + len(last)
            values.append(value)
            left -= 1
            continue
        size = shape.size
        if left > 1 and data.startswith(shape.begin, at + size) and not data.startswith(data[at : at + size], at + size):
            many = _alike(data, at, shape, left)
            values += _records(data, at, shape, many)
            last = b""
        else:
            many, last = 1, data[at : at + size]
            record = shape.record.unpack_from(data, at)
            status, source, server = shape.fields
            value = new(
                DataValue,
                (
                    shape.builtin[0], False, record[0],
                    record[status] if status else 0, record[source] if source else 0, record[server] if server else 0,
                ),
            )  # fmt: skip
            values.append(value)
        reader.at += many * size
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
