from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.drivers.modbus.framing import Arrival
from app.drivers.modbus.framing_tcp import LAST_TRANSACTION, TcpFraming, name_what_answered
from app.drivers.modbus.guard import ForbiddenFunctionError


def asking(transaction: int = 7, unit: int = 3, function: int = 3, count: int = 2) -> TcpFraming:
    framing = TcpFraming()
    framing.latest = transaction - 1
    framing.request(unit, struct.pack(">BHH", function, 100, count), 0.0)
    return framing


def reply(transaction: int, unit: int, pdu: bytes) -> bytes:
    return struct.pack(">HHHB", transaction, 0, len(pdu) + 1, unit) + pdu


def kinds(arrivals: list[Arrival]) -> list[str]:
    return [arrival.kind for arrival in arrivals]


RIGHT = reply(7, 3, b"\x03\x04\x00\x01\x00\x02")


def test_that_the_right_reply_counts_once() -> None:
    framing = asking()
    assert framing.received(RIGHT) == [Arrival("reply", RIGHT, 3, RIGHT[7:], key=7)]
    assert kinds(framing.received(RIGHT)) == ["late"]


def test_that_the_frame_is_built_behind_the_gate_and_transaction_0_is_never_used() -> None:
    framing = TcpFraming()
    assert framing.request(3, b"\x03\x00\x64\x00\x02", 0.0) == struct.pack(">HHHBBHH", 1, 0, 6, 3, 3, 100, 2)
    with pytest.raises(ForbiddenFunctionError):
        framing.request(3, b"\x06\x00\x64\x00\x02", 0.0)
    framing.latest = LAST_TRANSACTION
    assert framing.request(3, b"\x03\x00\x64\x00\x02", 0.0)[:2] == b"\x00\x01"
    assert kinds(framing.received(reply(0, 3, RIGHT[7:]))) == ["malformed"]


@given(st.data())
def test_that_a_changed_reply_is_never_taken_for_one(data: st.DataObject) -> None:
    """Any change of one byte outside the register values is found out."""
    framing = asking()
    position = data.draw(st.integers(0, 8))
    value = data.draw(st.integers(0, 255).filter(lambda byte: byte != RIGHT[position]))
    assert "reply" not in kinds(framing.received(RIGHT[:position] + bytes((value,)) + RIGHT[position + 1 :]))


@given(st.lists(st.binary(max_size=300), max_size=8))
def test_that_random_bytes_are_never_a_reply_and_never_raise(chunks: list[bytes]) -> None:
    framing = asking(transaction=0x1234)
    assert "reply" not in [kind for chunk in chunks for kind in kinds(framing.received(chunk))]
    framing.give_up(0x1234)


@given(st.integers(0, 12), st.integers(0, 3))
def test_that_a_late_reply_before_the_right_one_is_skipped(size: int, extra: int) -> None:
    framing = asking(transaction=6, count=size or 1)
    framing.give_up(6)
    framing.request(3, b"\x03\x00\x64\x00\x02", 0.0)
    late = reply(6, 3, bytes((3, 2 * size)) + bytes(2 * size)) * (extra + 1)
    assert kinds(framing.received(late + RIGHT)) == ["late"] * (extra + 1) + ["reply"]


def test_that_a_reply_in_pieces_is_judged_when_it_is_whole() -> None:
    framing = asking()
    assert [kinds(framing.received(RIGHT[at : at + 1])) for at in range(len(RIGHT))] == [[]] * (len(RIGHT) - 1) + [["reply"]]


def test_that_a_reply_cut_off_and_filled_up_by_the_next_frame_is_not_taken() -> None:
    """The first frame lacks four bytes, and the head of a late reply stands in their place: right in every field."""
    framing = asking()
    assert kinds(framing.received(RIGHT[:-4] + reply(6, 3, b"\x03\x04\0\0\0\0")[:-3])) == ["garbage"]
    assert framing.received(RIGHT) == []


def test_that_giving_up_within_a_frame_is_the_end_of_the_connection() -> None:
    framing = asking()
    framing.received(RIGHT[:-1])
    assert "in the middle of a reply" in framing.give_up(7)
    assert asking().give_up(7) == ""


def test_that_what_answered_is_named() -> None:
    assert name_what_answered(b"HTTP/1.0 400") == "a web server (HTTP) answered"
    assert name_what_answered(b"SSH-2.0-x") == "an SSH server answered"
    assert name_what_answered(b"\x01\x02") == "what answered is not Modbus TCP: 01 02"
