"""asyncua's decoder, held to the bytes that are there. Imported for its effect, before anything of asyncua decodes.

asyncua 2.1.0 believes every length: a Variant that announces an array of 58 million Nulls in a message of 120 bytes becomes a list of
466 MB in 2.5 s, since a Null takes no byte; and a negative length moves the buffer backwards, so that a list never runs out of data.
Whatever the library decodes, its own answers (OpenSecureChannel, CreateSession, GetEndpoints, a fault) as well as those that we ask it
for, goes through ``Buffer.read``: here that refuses negative lengths, and more reads than the bytes can mean.
"""

from __future__ import annotations

from typing import Final

from asyncua.common.utils import Buffer, NotEnoughData
from asyncua.ua.ua_binary import Primitives

READS_PER_BYTE: Final = 2
"""A value of one byte is one read; a null or empty string, and a Null, may be two."""
_SMALLEST: Final = 64

_read = Buffer.read
_skip = Buffer.skip


class BoundedNull:
    """The primitive ``Null`` of asyncua: takes no byte, but counts as a read."""

    @staticmethod
    def pack(data: object) -> bytes:
        return b""

    @staticmethod
    def unpack(data: Buffer) -> None:
        data.read(0)


def _bounded_read(self: Buffer, size: int) -> bytes:
    left = self.__dict__.get("_reads_left")
    if left is None:
        left = _SMALLEST + READS_PER_BYTE * len(self)
    if size < 0 or left <= 0:
        raise NotEnoughData(f"a length of {size}" if size < 0 else "more elements announced than there are bytes")
    self.__dict__["_reads_left"] = left - 1
    return bytes(_read(self, size))


def _bounded_skip(self: Buffer, size: int) -> None:
    if size < 0:
        raise NotEnoughData(f"a length of {size}")
    _skip(self, size)


Buffer.read = _bounded_read  # type: ignore[method-assign]  # the point of it
Buffer.skip = _bounded_skip  # type: ignore[method-assign]
Primitives.Null = BoundedNull()  # type: ignore[assignment]
