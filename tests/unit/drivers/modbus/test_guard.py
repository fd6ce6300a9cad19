from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.drivers.modbus.guard import ALLOWED_FUNCTIONS, SKIPPED_ID, ForbiddenFunctionError, FrameGuard, name_what_answered


class Heard:
    def __init__(self) -> None:
        self.malformed: list[str] = []
        self.garbage: list[str] = []
        self.guard = FrameGuard(self.malformed.append, self.garbage.append)

    def ask(self, transaction: int = 7, unit: int = 3, function: int = 3, count: int = 2) -> None:
        self.guard(True, request(transaction, unit, function, count))


def request(transaction: int, unit: int, function: int, count: int) -> bytes:
    if function == 0x2B:
        return struct.pack(">HHHBBBBB", transaction, 0, 5, unit, function, 0x0E, 1, 0)
    return struct.pack(">HHHBBHH", transaction, 0, 6, unit, function, 100, count)


def reply(transaction: int, unit: int, pdu: bytes) -> bytes:
    return struct.pack(">HHHB", transaction, 0, len(pdu) + 1, unit) + pdu


RIGHT = reply(7, 3, b"\x03\x04\x00\x01\x00\x02")


def test_that_the_right_reply_passes_unchanged_once() -> None:
    heard = Heard()
    heard.ask()
    assert heard.guard(False, RIGHT) == RIGHT
    assert heard.guard(False, RIGHT)[:2] == SKIPPED_ID.to_bytes(2, "big")
    assert heard.malformed == []
    assert heard.guard.late == 1


@pytest.mark.parametrize("function", range(256))
def test_that_only_reading_functions_may_leave(function: int) -> None:
    heard = Heard()
    if function in (1, 2, 3, 4, 0x2B):
        heard.ask(function=function)
    else:
        with pytest.raises(ForbiddenFunctionError):
            heard.ask(function=function)


def test_that_no_writing_function_is_allowed() -> None:
    assert not ALLOWED_FUNCTIONS & {5, 6, 15, 16, 22, 23}


@given(st.data())
def test_that_a_changed_reply_is_never_passed_as_a_reply(data: st.DataObject) -> None:
    """Any change of one byte outside the register values is found out."""
    heard = Heard()
    heard.ask()
    position = data.draw(st.integers(0, 8))
    value = data.draw(st.integers(0, 255).filter(lambda byte: byte != RIGHT[position]))
    changed = RIGHT[:position] + bytes((value,)) + RIGHT[position + 1 :]
    passed = heard.guard(False, changed)
    if passed not in (b"", changed):
        assert passed[:2] == SKIPPED_ID.to_bytes(2, "big")
    elif passed == changed:
        # the announced length is longer than what came: pymodbus waits for the rest, as it must
        assert struct.unpack(">H", changed[4:6])[0] + 6 > len(changed)


@given(st.lists(st.binary(max_size=300), max_size=8))
def test_that_random_bytes_are_never_a_reply_and_never_raise(chunks: list[bytes]) -> None:
    heard = Heard()
    heard.ask()
    buffer = b""
    for chunk in chunks:
        buffer += chunk
        passed = heard.guard(False, buffer)
        assert len(passed) in (0, len(buffer))
        if heard.garbage:
            assert passed == b""


@given(st.integers(0, 12), st.integers(0, 3))
def test_that_a_late_reply_before_the_right_one_is_skipped(size: int, extra: int) -> None:
    heard = Heard()
    heard.ask(transaction=6, count=size or 1)
    heard.guard.forget()
    heard.ask()
    late = reply(6, 3, bytes((3, 2 * size)) + bytes(2 * size)) * (extra + 1)
    passed = heard.guard(False, late + RIGHT)
    assert passed.endswith(RIGHT)
    assert passed[:2] == SKIPPED_ID.to_bytes(2, "big")
    assert heard.guard.late == extra + 1
    assert heard.malformed == []


def test_that_a_reply_in_pieces_is_judged_when_it_is_whole() -> None:
    heard = Heard()
    heard.ask()
    for end in range(1, len(RIGHT)):
        assert heard.guard(False, RIGHT[:end]) == RIGHT[:end]
    assert heard.guard(False, RIGHT) == RIGHT
    assert not heard.malformed + heard.garbage


def test_that_a_reply_cut_off_and_filled_up_by_the_next_frame_is_not_taken() -> None:
    """The first frame lacks four bytes, and the head of a late reply stands in their place: right in every field."""
    heard = Heard()
    heard.ask(transaction=6)
    heard.ask()
    assert heard.guard(False, RIGHT[:-4] + reply(6, 3, b"\x03\x04\0\0\0\0")[:-3]) == b""
    assert heard.garbage


def test_that_an_unfinished_frame_is_known() -> None:
    heard = Heard()
    heard.ask()
    heard.guard(False, RIGHT[:-1])
    assert heard.guard.cut_off
    heard.guard(False, RIGHT)
    assert not heard.guard.cut_off


@pytest.mark.parametrize(
    ("pdu", "right"),
    [
        (b"\x2b\x0e\x01\x01\x00\x00\x01\x00\x03abc", True),
        (b"\x2b\x0e\x01\x01\x00\x00\x00", True),
        (b"\x2b\x0e\x01\x01\x00\x00\x02\x00\x03abc", False),
        (b"\x2b\x0e\x01\x01\x00\x00\x01\x00\x09abc", False),
        (b"\x2b\x0e\x01\x01\x00\x00\x01\x00\x02abc", False),
        (b"\x2b\x0d\x01\x01\x00\x00\x00", False),
        (b"\x2b\x0e\x01", False),
        (b"\xab\x01", True),
    ],
)
def test_that_a_device_identification_must_add_up(pdu: bytes, right: bool) -> None:
    heard = Heard()
    heard.ask(function=0x2B)
    frame = reply(7, 3, pdu)
    assert (heard.guard(False, frame) == frame) is right
    assert bool(heard.malformed) is not right


def test_that_bits_are_counted_in_bytes() -> None:
    for count, size in ((1, 1), (8, 1), (9, 2), (2000, 250)):
        heard = Heard()
        heard.ask(function=1, count=count)
        frame = reply(7, 3, bytes((1, size)) + bytes(size))
        assert heard.guard(False, frame) == frame


def test_that_what_answered_is_named() -> None:
    assert name_what_answered(b"HTTP/1.0 400") == "a web server (HTTP) answered"
    assert name_what_answered(b"SSH-2.0-x") == "an SSH server answered"
    assert name_what_answered(b"\x01\x02") == "what answered is not Modbus TCP: 01 02"
