"""Decoding of Read answers (OPC 10000-4 §5.10.2), lean.

Two things are used. Attributes other than values are few different ones sent again and again: a DataValue says itself where it ends, so
bytes that begin like one already decoded *are* that one. And values of one numeric type with the same fields are records of one size, that
``struct`` takes many of at once. Anything else goes through ``binary.Reader``.
"""

from __future__ import annotations

import re
import struct
from typing import Final

from app.drivers.opcua.binary import NO_VALUE, NUMBER_CODES, DataValue, DecodingError, Reader, repeats

_HAS_VALUE: Final = 0x01
_HAS_STATUS: Final = 0x02
_HAS_SOURCE: Final = 0x04
_HAS_SERVER: Final = 0x08
_PLAIN_MASKS: Final = 0x10
"""Masks below it have no picoseconds."""

_REMEMBERED: Final = 32
_MET: Final = 256
_SHORT_BYTES: Final = 64
_FIRST_WINDOW: Final = 8
_SHAPE_AT: Final = struct.Struct("<H")
_LARGEST_WINDOW: Final = 4096


class _Shape:
    """Records of one encoding mask and one numeric type."""

    __slots__ = ("begin", "builtin", "fields", "mask", "number", "record", "size")

    def __init__(self, mask: int, builtin: int, code: str) -> None:
        self.mask, self.builtin = bytes((mask,)), bytes((builtin,))
        self.begin, self.number = self.mask + self.builtin, builtin
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


class Repertoire:
    """The few encodings that attributes other than values come in, of one connection: what came twice is known from then on.

    A DataValue says itself where it ends, so no encoding begins another one: an expression that names them all takes a whole answer apart.
    """

    def __init__(self) -> None:
        self._known: dict[bytes, DataValue] = {}
        self._met: dict[bytes, DataValue] = {}
        self._one: re.Pattern[bytes] | None = None
        self._run: re.Pattern[bytes] | None = None

    def take(self, reader: Reader, most: int) -> list[DataValue]:
        """As many as are known from where the reader stands, at most so many."""
        if self._one is None or self._run is None:
            return []
        run = self._run.match(reader.data, reader.at)
        if run is None:
            return []
        pieces = self._one.findall(reader.data, reader.at, run.end())[:most]
        reader.at += sum(map(len, pieces))
        known = self._known
        return [known[piece] for piece in pieces]

    def meet(self, piece: bytes, value: DataValue) -> None:
        if len(piece) > _SHORT_BYTES or len(self._known) >= _REMEMBERED:
            return
        if piece not in self._met:
            if len(self._met) >= _MET:
                self._met.clear()
            self._met[piece] = value
        elif piece not in self._known:
            self._known[piece] = value
            pattern = b"|".join(map(re.escape, self._known))
            self._one, self._run = re.compile(pattern, re.DOTALL), re.compile(b"(?:" + pattern + b")+", re.DOTALL)


def data_values(reader: Reader, repertoire: Repertoire | None = None) -> list[DataValue]:
    """The results of a ReadResponse, behind its header.

    Args:
        reader: Stands there.
        repertoire: For attributes other than values.

    Raises:
        DecodingError: As all of ``binary``, by ``decoded``.
    """
    data, left = reader.data, reader.count()
    values: list[DataValue] = []
    last, value = b"", NO_VALUE  # the bytes of the one before, and what they mean
    shapes, shape_at = _SHAPES.get, _SHAPE_AT.unpack_from
    while left > 0:
        at, many = reader.at, 1
        if repertoire is not None and (taken := repertoire.take(reader, left)):
            values += taken
            left -= len(taken)
            continue
        if last and data.startswith(last, at):
            many = repeats(data, last, at, left)
            values += [value] * many
            reader.at += many * len(last)
            left -= many
            continue
        shape = shapes(shape_at(data, at)[0])
        if shape is None:
            value = reader.data_value()
            values.append(value)
        elif data.startswith(shape.begin, at + shape.size) and not data.startswith(data[at : at + shape.size], at + shape.size):
            many = _alike(data, at, shape, left)
            values += _records(data, at, shape, many)
            reader.at += many * shape.size
        else:
            value = _record(shape, shape.record.unpack_from(data, at))
            values.append(value)
            reader.at += shape.size
        left -= many
        last = data[at : reader.at] if many == 1 and reader.at - at <= _SHORT_BYTES else b""
        if last and repertoire is not None:
            repertoire.meet(last, value)
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
    return [_record(shape, record) for record in shape.record.iter_unpack(data[at : at + many * shape.size])]


def _record(shape: _Shape, record: tuple[int, ...]) -> DataValue:
    status, source, server = shape.fields
    return _new(
        DataValue,
        (
            shape.number, False, record[0], record[status] if status else 0, record[source] if source else 0,
            record[server] if server else 0,
        ),
    )  # fmt: skip


_new: Final = tuple.__new__
"""Twice as quick as ``DataValue(…)``."""
