"""Cutting a stream into chunks: the same whatever the packets, and no more taken than there should be."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.drivers.opcua import chunks
from app.drivers.opcua.binary import DecodingError
from app.drivers.opcua.chunks import Chunks


def chunk(kind: bytes = b"MSG", final: bytes = b"F", body: bytes = b"x" * 32, size: int | None = None) -> bytes:
    return kind + final + struct.pack("<I", 8 + len(body) if size is None else size) + body


whole = st.builds(chunk, st.sampled_from([b"MSG", b"OPN"]), st.sampled_from([b"F", b"C", b"A"]), st.binary(min_size=24, max_size=80))


@given(st.lists(whole, max_size=8), st.lists(st.integers(1, 90), max_size=20), st.integers(0, 30))
def test_that_chunks_are_the_same_however_the_stream_is_cut_into_packets(sent: list[bytes], packets: list[int], short: int) -> None:
    stream = b"".join(sent)
    stream = stream[: len(stream) - short]
    cutter, got, at = Chunks(), [], 0
    for size in [*packets, len(stream)]:
        got += cutter.take(stream[at : at + size])
        at += size
    complete, end = [], 0
    for one in sent:
        end += len(one)
        if end <= len(stream):
            complete.append(one)
    assert got == complete


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "it is no OPC UA message, it begins with b'HTTP/1.1 400 Bad'"),
        (chunk(size=2**31 - 1)[:8], "2147483647 bytes was announced"),
        (chunk(size=2**32 - 1)[:8], "4294967295 bytes was announced"),
        (chunk(size=0), "0 bytes is too small for MSG"),
        (chunk(size=12), "12 bytes is too small for MSG"),
        (chunk(final=b"X"), "no OPC UA message"),
        (chunk(kind=b"HEL"), "no OPC UA message"),
    ],
)
def test_that_a_lie_is_refused_with_the_first_bytes_of_its_chunk(data: bytes, why: str) -> None:
    cutter = Chunks()
    assert cutter.take(chunk() + data[:5]) == [chunk()]
    with pytest.raises(DecodingError, match=why.replace(".", r"\.")):
        cutter.take(data[5:])


def test_that_a_message_of_endless_chunks_is_refused_at_the_limit() -> None:
    cutter = Chunks()
    cutter.take(chunk(final=b"C") * chunks.MESSAGE_CHUNKS)
    with pytest.raises(DecodingError, match=f"more than {chunks.MESSAGE_CHUNKS} chunks"):
        cutter.take(chunk(final=b"C"))


def test_that_a_message_of_endless_bytes_is_refused_at_the_limit_and_a_finished_one_begins_anew() -> None:
    big, cutter = chunk(final=b"C", body=b"x" * (2**22 - 8)), Chunks()
    for _ in range(3):
        for _ in range(15):
            assert cutter.take(big) == [big]
        assert cutter.take(chunk()) == [chunk()]
    cutter.take(big * 16)
    with pytest.raises(DecodingError, match=f"more than {chunks.MESSAGE_BYTES} bytes"):
        cutter.take(chunk(final=b"C"))
