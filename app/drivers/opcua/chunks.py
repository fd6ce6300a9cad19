"""The stream of a connection cut into message chunks, OPC 10000-6 §6.7.2 and §7.1.2, before a library sees them. Pure.

asyncua buffers as many bytes as a peer announces, 2 GiB where it says so, copies all of them again with every packet that comes, and
gathers chunks of one message without an end. Here a lie is refused with the first eight bytes of its chunk.
"""

from __future__ import annotations

import struct
from typing import Final, cast

from app.drivers.opcua.binary import DecodingError

CHUNK_BYTES: Final = 16 * 2**20
"""Largest chunk that is taken. Servers send 8 to 64 KiB, some as much as we say that we take."""
MESSAGE_BYTES: Final = 64 * 2**20
"""Largest message; told to the server in the hello. An answer for 500 nodes with 1,000 references each has about so much."""
MESSAGE_CHUNKS: Final = 16_384
"""Chunks of one message: ``MESSAGE_BYTES`` in chunks of half the 8 KiB that every peer has to take."""

_HEADER: Final = struct.Struct("<3scI")
_LEAST_BYTES: Final = {b"MSG": 24, b"OPN": 32, b"CLO": 24, b"ACK": 28, b"ERR": 16}
"""Bytes of a chunk of each kind with nothing in it; the kinds a server may send, and no others."""
_PEEK_BYTES: Final = 16


class Chunks:
    """Cuts one direction of one connection. Not usable any more after it raised."""

    def __init__(self) -> None:
        self._pending = bytearray()
        self._wanted = _HEADER.size
        self._message_bytes = 0
        self._message_chunks = 0

    def take(self, data: bytes) -> list[bytes]:
        """Every chunk that these bytes complete, in order.

        Raises:
            DecodingError: What came is no OPC UA, or more than is taken.
        """
        if self._pending:
            self._pending += data
            if len(self._pending) < self._wanted:
                return []
            data = bytes(self._pending)
            self._pending.clear()
        whole: list[bytes] = []
        at = 0
        while (left := len(data) - at) >= _HEADER.size:
            self._wanted = self._checked(data, at)
            if left < self._wanted:
                break
            self._count(data[at + 3 : at + 4])
            whole.append(data[at : at + self._wanted])
            at += self._wanted
            self._wanted = _HEADER.size
        self._pending += data[at:]
        return whole

    def _checked(self, data: bytes, at: int) -> int:
        """Bytes of the chunk that begins at ``at``."""
        kind, final, size = cast("tuple[bytes, bytes, int]", _HEADER.unpack_from(data, at))
        if kind not in _LEAST_BYTES or final not in b"FCA":
            raise DecodingError(f"it is no OPC UA message, it begins with {data[at : at + _PEEK_BYTES]!r}")
        if size < _LEAST_BYTES[kind]:
            raise DecodingError(f"a chunk of {size} bytes is too small for {kind.decode()}")
        if size > CHUNK_BYTES:
            raise DecodingError(f"a chunk of {size} bytes was announced, at most {CHUNK_BYTES} are taken")
        return size

    def _count(self, final: bytes) -> None:
        """Chunks of one message follow each other: asyncua refuses those of two mixed."""
        self._message_bytes += self._wanted
        self._message_chunks += 1
        if self._message_bytes > MESSAGE_BYTES:
            raise DecodingError(f"a message of more than {MESSAGE_BYTES} bytes")
        if self._message_chunks > MESSAGE_CHUNKS:
            raise DecodingError(f"a message of more than {MESSAGE_CHUNKS} chunks")
        if final != b"C":
            self._message_bytes = self._message_chunks = 0
