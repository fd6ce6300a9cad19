"""One value on its way through the pipe: packed by itself, and unpacked without believing what it announces.

A few bytes of msgpack can announce much: a list of empty lists of 1 MiB was measured to become 60 MB and to hold the interpreter for
0.3 s, in which no window is painted. So a value beyond ``WHOLE_BYTES`` is unpacked piece by piece, or at once only where it holds nothing
but plain data, and the containers of one frame are counted.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

import msgspec

from app.connector.frame_error import FrameError, TooMuchError
from app.model.values import Value

DEPTH_LIMIT: Final = 32
"""Nesting of one value (structures in arrays in structures)."""
VALUE_BYTES: Final = 4 * 2**20
"""Of one packed value: an array of 450,000 floats."""
CONTAINERS: Final = 250_000
"""Lists and structures in the values of one frame."""
WHOLE_BYTES: Final = 64 * 2**10
"""Unpacked in one go, whatever it is: at worst 20 ms."""
PARTS: Final = 100_000
"""Elements of a list or structure that is larger than that and holds others."""

_PLAIN: Final = frozenset({bool, int, float, str, bytes, type(None)})
_TEXT: Final = frozenset({str})

_encoder = msgspec.msgpack.Encoder()
_whole: msgspec.msgpack.Decoder[object] = msgspec.msgpack.Decoder()
_texts: msgspec.msgpack.Decoder[list[Value]] = msgspec.msgpack.Decoder(list[bool | int | float | str | None])
_octets: msgspec.msgpack.Decoder[list[Value]] = msgspec.msgpack.Decoder(list[bool | int | float | bytes | None])
_pieces: msgspec.msgpack.Decoder[list[msgspec.Raw]] = msgspec.msgpack.Decoder(list[msgspec.Raw])
_fields: msgspec.msgpack.Decoder[dict[str, msgspec.Raw]] = msgspec.msgpack.Decoder(dict[str, msgspec.Raw])

FAILURES: Final = (msgspec.MsgspecError, ValueError, TypeError, OverflowError, RecursionError, NotImplementedError)
"""What msgspec raises over bytes, and over objects, that are none of its own."""


class Values:
    """Packs and unpacks the values of one frame. ``FrameError`` from both where one is no plain data, or too much of it."""

    def __init__(self) -> None:
        self._left = CONTAINERS

    def packed(self, value: object) -> bytes:
        if type(value) not in _PLAIN:
            self._check(value, DEPTH_LIMIT)
        try:
            data = _encoder.encode(value)
        except FAILURES as error:
            raise FrameError(f"cannot be sent: {error}") from error
        if len(data) > VALUE_BYTES:
            raise FrameError(f"a value of {len(data)} bytes, at most {VALUE_BYTES} are sent")
        if len(data) > WHOLE_BYTES:
            Values().unpacked(data)  # so that nothing is sent that ends the connector
        return data

    def unpacked(self, data: bytes | memoryview) -> Value:
        if len(data) > VALUE_BYTES:
            raise FrameError(f"a value of {len(data)} bytes")
        try:
            value = self._unpacked(data, DEPTH_LIMIT)
        except FAILURES as error:
            raise FrameError(f"not a value: {error}") from error
        return value

    def _unpacked(self, data: bytes | memoryview | msgspec.Raw, depth: int) -> Value:
        if depth == 0:
            raise FrameError(f"a value nested deeper than {DEPTH_LIMIT}")
        view = memoryview(data)
        if len(view) <= WHOLE_BYTES:
            value = _whole.decode(view)
            if type(value) not in _PLAIN:
                self._check(value, depth)
            return value
        form = view[0]
        self._spend()
        if form >> 4 == 0x8 or form in (0xDE, 0xDF):
            self._bound(view, 0xDE)
            return {name: self._unpacked(part, depth - 1) for name, part in _fields.decode(view).items()}
        if form >> 4 != 0x9 and form not in (0xDC, 0xDD):  # one text, or bytes; anything else would not be so long
            value = _whole.decode(view)
            if type(value) not in _PLAIN:
                raise FrameError(f"a value of type {type(value).__name__}")
            return value
        for flat in (_texts, _octets):
            with suppress(msgspec.ValidationError):
                return flat.decode(view)
        self._bound(view, 0xDC)
        return [self._unpacked(part, depth - 1) for part in _pieces.decode(view)]

    @staticmethod
    def _bound(view: memoryview, short: int) -> None:
        """Before a container is cut into pieces: not more than ``PARTS``. ``short`` is msgpack's mark of its 16-bit form."""
        count = int.from_bytes(view[1:5], "big") if view[0] == short + 1 else 0  # up to 65,535 in the others
        if count > PARTS:
            raise FrameError(f"a value of {count} parts that hold others")

    def _check(self, value: object, depth: int) -> None:
        """Only what a ``Value`` may be: msgpack can also carry dates and foreign types. ``value`` is no plain one."""
        if depth == 0:
            raise FrameError(f"a value nested deeper than {DEPTH_LIMIT}")
        self._spend()
        if isinstance(value, list):
            parts = value
        elif isinstance(value, dict):
            if not _TEXT.issuperset(map(type, value)):
                raise FrameError("a structure with a field name that is no text")
            parts = list(value.values())
        elif isinstance(value, bool | int | float | str | bytes):  # one of their subclasses, such as an enumeration
            return
        else:
            raise FrameError(f"a value of type {type(value).__name__}")
        if _PLAIN.issuperset(map(type, parts)):
            return
        for part in parts:
            if type(part) not in _PLAIN:
                self._check(part, depth - 1)

    def _spend(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise TooMuchError(f"values of more than {CONTAINERS} lists and structures in one frame")
