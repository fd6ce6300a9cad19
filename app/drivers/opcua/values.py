"""Decoding of Read answers (OPC 10000-4 §5.10.2), lean.

Two things are used. Attributes other than values are few different ones sent again and again: a DataValue says itself where it ends, so
bytes that begin like one already decoded *are* that one. And values of one numeric type with the same fields are records of one size, that
``struct`` takes many of at once. Anything else goes through ``binary.Reader``.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Sequence
from itertools import repeat
from typing import Any, Final, NamedTuple

from app.drivers.opcua.binary import NO_VALUE, NUMBER_CODES, DataValue, DecodingError, Reader, repeats
from app.model.values import Value

_HAS_VALUE: Final = 0x01
_HAS_STATUS: Final = 0x02
_HAS_SOURCE: Final = 0x04
_HAS_SERVER: Final = 0x08
_PLAIN_MASKS: Final = 0x10
"""Masks below it have no picoseconds."""

_STRING: Final = 12
_LOCALIZED: Final = 21
_TEXT_ONLY: Final = 2
"""Encoding mask of a LocalizedText without a locale."""

_REMEMBERED: Final = 32
_MET: Final = 256
_SHORT_BYTES: Final = 64
_ANSWERS: Final = 16
_ANSWER_BYTES: Final = 16_384
"""Whole answers that are remembered, and the largest of them."""
_FIRST_WINDOW: Final = 8
_LARGEST_WINDOW: Final = 4096
_MIXED: Final = 64
"""Values taken one by one before it is looked whether a run begins."""

_INT32: Final = struct.Struct("<i")


class _Shape(NamedTuple):
    """DataValues of one encoding mask and one numeric type, or with one text.

    Attributes:
        begin: The first two bytes: mask and type.
        size: Of a number's DataValue; of one with a text, of what is behind the text.
        unpack_from: Of all its fields from there on.
        places: Of status, source time and server time; 0 where one is absent, and where the number is. Empty where all are absent.
    """

    begin: bytes
    builtin: int
    size: int
    unpack_from: Callable[[bytes, int], tuple[Any, ...]]  # Any: whatever numbers there are
    places: tuple[int, ...]
    record: struct.Struct


def _shape(mask: int, builtin: int, code: str) -> _Shape:
    fields = [bit for bit in (_HAS_STATUS, _HAS_SOURCE, _HAS_SERVER) if mask & bit]
    record = struct.Struct("<" + code + "".join("I" if bit == _HAS_STATUS else "q" for bit in fields))
    places = tuple(1 + fields.index(bit) if bit in fields else 0 for bit in (_HAS_STATUS, _HAS_SOURCE, _HAS_SERVER)) if fields else ()
    return _Shape(bytes((mask, builtin)), builtin, record.size, record.unpack_from, places, record)


_MASKS: Final = [mask for mask in range(_PLAIN_MASKS) if mask & _HAS_VALUE]
_NUMBERS: Final = {bytes((mask, builtin)): _shape(mask, builtin, f"2x{code}") for mask in _MASKS for builtin, code in NUMBER_CODES.items()}
_TEXTS: Final = {bytes((mask, builtin)): _shape(mask, builtin, "") for mask in _MASKS for builtin in (_STRING, _LOCALIZED)}
"""By the two bytes that such a DataValue begins with."""


class Repertoire:
    """The few encodings that an attribute other than Value comes in, of one connection: what came twice is known from then on.

    A DataValue says itself where it ends, so no encoding begins another one: an expression that names them all takes a whole answer apart.
    And of nodes that are alike whole answers are.
    """

    def __init__(self) -> None:
        self._known: dict[bytes, Any] = {}  # Any: as ``_values`` makes them
        self._met: dict[bytes, Any] = {}  # Any: likewise
        self._answers: dict[bytes, Sequence[Any]] = {}  # Any: likewise
        self._one: re.Pattern[bytes] | None = None
        self._run: re.Pattern[bytes] | None = None

    def answer(self, results: bytes) -> Sequence[Any] | None:  # Any: likewise
        """What these bytes meant when they came before."""
        return self._answers.get(results)

    def remember(self, results: bytes, values: Sequence[Any]) -> None:  # Any: likewise
        if len(results) > _ANSWER_BYTES:
            return
        if len(self._answers) >= _ANSWERS:
            self._answers.clear()
        self._answers[results] = values

    def take(self, reader: Reader, most: int) -> list[Any]:  # Any: likewise
        """As many as are known from where the reader stands, at most so many."""
        if self._one is None or self._run is None:
            return []
        run = self._run.match(reader.data, reader.at)
        if run is None:
            return []
        pieces = self._one.findall(reader.data, reader.at, run.end())[:most]
        reader.at += sum(map(len, pieces))
        return list(map(self._known.__getitem__, pieces))

    def meet(self, piece: bytes, value: Any) -> None:  # Any: likewise
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


def data_values(reader: Reader) -> list[DataValue]:
    """The results of a ReadResponse, behind its header.

    Raises:
        DecodingError: As all of ``binary``, by ``decoded``.
    """
    return _values(reader, None, plain=False)


def plain_values(reader: Reader, repertoire: Repertoire | None = None) -> list[Value | DataValue]:
    """The same; a number or text that is good and has no times is itself, without a ``DataValue`` around it.

    Args:
        reader: Stands behind the header.
        repertoire: For an attribute other than Value; used for nothing else.
    """
    if repertoire is None:
        return _values(reader, None, plain=True)
    results = reader.data[reader.at :]
    known = repertoire.answer(results)
    if known is not None:
        return list(known)
    values = _values(reader, repertoire, plain=True)
    repertoire.remember(results, values)
    return values


def _values(reader: Reader, repertoire: Repertoire | None, *, plain: bool) -> list[Any]:  # Any: DataValues, or not, see ``plain_values``
    data, left = reader.data, reader.count()
    values: list[Any] = []  # Any: likewise
    value: Any = NO_VALUE  # Any: likewise
    last = b""  # the bytes of the one before; ``value`` is what they mean
    while left > 0:
        at = reader.at
        if last and data.startswith(last, at):
            many = repeats(data, last, at, left)
            values += [value] * many
            reader.at += many * len(last)
            left -= many
            continue
        last = b""
        if repertoire is not None:
            taken = repertoire.take(reader, left)
            if not taken:
                taken, _ = _one_by_one(reader, 1, plain=plain)
                value, last = taken[0], data[at : reader.at]
                repertoire.meet(last, value)
        elif (shape := _NUMBERS.get(data[at : at + 2])) is not None and _begins_run(data, at, shape):
            taken = _run(data, at, shape, _alike(data, at, shape, left), plain=plain)
            reader.at += len(taken) * shape.size
        else:
            taken, start = _one_by_one(reader, min(left, _MIXED), plain=plain)
            value = taken[-1]
            if reader.at - start <= _SHORT_BYTES:
                last = data[start : reader.at]
        values += taken
        left -= len(taken)
    if reader.at > len(data):
        raise DecodingError("the answer ends within a value")
    return values


def _one_by_one(reader: Reader, most: int, *, plain: bool) -> tuple[list[Any], int]:  # Any: likewise
    """At least one value and at most so many, up to one that is twice the same; and where the last one begins."""
    data, at = reader.data, reader.at
    numbers, texts, size_at, end = _NUMBERS.get, _TEXTS.get, _INT32.unpack_from, len(data)
    start, before = at, None
    values: list[Any] = []  # Any: likewise
    append = values.append
    for _ in range(most):
        begin = data[at : at + 2]
        if (shape := numbers(begin)) is not None:
            _, builtin, size, unpack_from, places, _ = shape
            fields = unpack_from(data, at)
            start = at
            at += size
            value = fields[0]
        elif (shape := texts(begin)) is not None:
            _, builtin, size, unpack_from, places, _ = shape
            text_at = at + 2
            if builtin == _LOCALIZED:
                if data[text_at : text_at + 1] != b"\x02":
                    break
                text_at += 1
            text_end = text_at + 4 + max(size_at(data, text_at)[0], 0)
            if text_end > end:
                break
            value = data[text_at + 4 : text_end].decode("utf-8", "replace")
            fields = (value, *unpack_from(data, text_end)) if places else (value,)
            start = at
            at = text_end + size
        else:
            break
        if places:
            status, source, server = places
            times = fields[source] if source else 0, fields[server] if server else 0
            append(_new(DataValue, (builtin, False, value, fields[status] if status else 0, *times)))
        elif plain:
            append(value)
        else:
            append(_new(DataValue, (builtin, False, value, 0, 0, 0)))
        if fields == before:
            break
        before = fields
    if not values:
        values.append(reader.data_value())
        return values, start
    reader.at = at
    return values, start


def _begins_run(data: bytes, at: int, shape: _Shape) -> bool:
    """Whether several of this shape stand there, that are not the same."""
    begin, size = shape.begin, shape.size
    if not (data.startswith(begin, at + size) and data.startswith(begin, at + (_FIRST_WINDOW - 1) * size)):
        return False
    return not data.startswith(data[at : at + size], at + size)


def _alike(data: bytes, at: int, shape: _Shape, most: int) -> int:
    """How many records of this shape stand there in a row, at most so many; one does."""
    many, window = 1, _FIRST_WINDOW
    mask, builtin = shape.begin[:1], shape.begin[1:]
    while many < most:
        begin, size = at + many * shape.size, shape.size
        end = begin + min(window, most - many) * size
        masks, builtins = data[begin:end:size], data[begin + 1 : end : size]
        same = min(len(masks) - len(masks.lstrip(mask)), len(builtins) - len(builtins.lstrip(builtin)))
        many += same
        if same < window:
            break
        window = min(4 * window, _LARGEST_WINDOW)
    return many


def _run(data: bytes, at: int, shape: _Shape, many: int, *, plain: bool) -> list[Any]:  # Any: likewise
    columns = list(zip(*shape.record.iter_unpack(data[at : at + many * shape.size]), strict=True))
    if plain and not shape.places:
        return list(columns[0])
    fields = [columns[place] if place else repeat(0) for place in shape.places or (0, 0, 0)]
    rows = zip(repeat(shape.builtin), repeat(False), columns[0], *fields)
    return list(map(_new, repeat(DataValue), rows))


_new: Final = tuple.__new__
"""Twice as quick as ``DataValue(…)``."""
