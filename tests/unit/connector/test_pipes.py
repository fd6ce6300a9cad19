"""The outbox: order kept, samples dropped and counted when nobody reads, nothing else ever."""

from __future__ import annotations

import os
from collections.abc import Iterator
from threading import Thread

import pytest

from app.connector import pipes
from app.connector.pipes import Outbox, read_exactly


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        try:
            os.close(end)
        except OSError:
            continue  # the test closed it


def note(dropped: int) -> bytes:
    return f"<{dropped} dropped>".encode()


def drained(descriptor: int) -> bytes:
    parts = []
    while part := os.read(descriptor, 1 << 20):
        parts.append(part)
    return b"".join(parts)


def test_that_frames_come_out_in_order(pipe: tuple[int, int]) -> None:
    outbox = Outbox(pipe[1], note)
    for number in range(100):
        outbox.put(b"%02d" % number) if number % 3 else outbox.put_samples(b"%02d" % number, 1)
    outbox.end(5)
    os.close(pipe[1])
    assert drained(pipe[0]) == b"".join(b"%02d" % number for number in range(100))


def test_that_a_reader_that_stops_costs_the_oldest_samples_and_nothing_else(pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipes, "SAMPLE_BYTES", 100_000)
    outbox = Outbox(pipe[1], note)
    outbox.put(b"[" + b"x" * 200_000 + b"]")  # more than a pipe holds: the writer blocks in it
    for number in range(500):
        outbox.put_samples(b"(%03d" % number + b" " * 996 + b")", 1)
        assert outbox._sample_bytes <= 100_000
        if number % 100 == 0:
            outbox.put(b"reply %d;" % number)
    got: list[bytes] = []
    reader = Thread(target=lambda: got.append(drained(pipe[0])))
    reader.start()
    outbox.end(5)
    os.close(pipe[1])
    reader.join()
    kept = [number for number in range(500) if b"(%03d" % number in got[0]]
    assert kept == list(range(500 - len(kept), 500))
    assert 50 < len(kept) < 150
    assert got[0].count(b"dropped>") == 1
    assert b"<%d dropped>" % (500 - len(kept)) in got[0]
    assert [got[0].find(b"reply %d;" % number) > 0 for number in range(0, 500, 100)] == [True] * 5


def test_that_a_closed_pipe_ends_the_writer_and_leaves_room_for_all(pipe: tuple[int, int]) -> None:
    outbox = Outbox(pipe[1], note)
    os.close(pipe[0])
    outbox.put(b"x")
    outbox.end(5)
    assert not outbox._thread.is_alive()
    outbox.put(b"x" * (pipes.OTHER_BYTES + 1))
    assert outbox.has_room


def test_that_reading_gives_all_or_nothing(pipe: tuple[int, int]) -> None:
    os.write(pipe[1], b"abcdef")
    assert read_exactly(pipe[0], 4) == b"abcd"
    os.close(pipe[1])
    assert read_exactly(pipe[0], 4) == b""
