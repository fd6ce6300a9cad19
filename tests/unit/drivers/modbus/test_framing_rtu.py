from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.drivers.modbus.framing import Arrival
from app.drivers.modbus.framing_rtu import FORGET_S, RtuFraming, crc, frame_of, has_right_crc, reply_length
from app.drivers.modbus.guard import Asked, ForbiddenFunctionError


def read(address: int = 100, count: int = 2, function: int = 3) -> bytes:
    return struct.pack(">BHH", function, address, count)


def registers(*content: int, function: int = 3) -> bytes:
    return bytes((function, 2 * len(content))) + struct.pack(f">{len(content)}H", *content)


def come(framing: RtuFraming, data: bytes) -> list[Arrival]:
    return framing.received(data) + framing.silence()


def kinds(arrivals: list[Arrival]) -> list[str]:
    return [arrival.kind for arrival in arrivals]


RIGHT = frame_of(3, registers(1, 2))


def test_that_the_checksum_is_that_of_the_published_example() -> None:
    """Modbus over Serial Line V1.02, appendix B: unit 2, function 7 → 0x1241, sent as 41 12."""
    assert crc(b"\x02\x07") == 0x1241
    assert frame_of(2, b"\x07") == b"\x02\x07\x41\x12"


@given(st.binary(min_size=2, max_size=60), st.data())
def test_that_any_change_of_one_byte_breaks_the_checksum(body: bytes, data: st.DataObject) -> None:
    frame = frame_of(body[0], body[1:])
    assert has_right_crc(frame)
    at = data.draw(st.integers(0, len(frame) - 1))
    changed = data.draw(st.integers(0, 255).filter(lambda byte: byte != frame[at]))
    assert not has_right_crc(frame[:at] + bytes((changed,)) + frame[at + 1 :])


@pytest.mark.parametrize("hold", [True, False])
def test_that_the_right_reply_counts_when_nothing_follows(hold: bool) -> None:
    framing = RtuFraming(hold=hold)
    assert framing.request(3, read(), 0.0) == frame_of(3, read())
    assert kinds(framing.received(RIGHT)) == ([] if hold else ["reply"])
    assert framing.silence() == ([Arrival("reply", RIGHT, 3, RIGHT[1:-2])] if hold else [])
    assert kinds(come(framing, RIGHT)) == ["late"]


def test_that_a_write_cannot_be_framed() -> None:
    with pytest.raises(ForbiddenFunctionError):
        RtuFraming().request(3, b"\x06\x00\x64\x00\x02", 0.0)


@pytest.mark.parametrize("hold", [True, False])
@given(data=st.data())
def test_that_a_changed_reply_is_never_taken_for_one(hold: bool, data: st.DataObject) -> None:
    framing = RtuFraming(hold=hold)
    framing.request(3, read(), 0.0)
    at = data.draw(st.integers(0, len(RIGHT) - 1))
    changed = data.draw(st.integers(0, 255).filter(lambda byte: byte != RIGHT[at]))
    assert "reply" not in kinds(come(framing, RIGHT[:at] + bytes((changed,)) + RIGHT[at + 1 :]))


@pytest.mark.parametrize("hold", [True, False])
@given(chunks=st.lists(st.binary(max_size=80), max_size=6), echo=st.sampled_from([None, True, False]))
def test_that_random_bytes_are_never_a_reply_and_never_raise(hold: bool, chunks: list[bytes], echo: bool | None) -> None:
    framing = RtuFraming(hold=hold, echo=echo)
    framing.request(3, read(), 0.0)
    assert "reply" not in [kind for chunk in chunks for kind in kinds(come(framing, chunk))]
    assert framing.give_up() == ""
    assert framing.received(b"") == []


@given(st.integers(1, 9), st.binary(min_size=1, max_size=9))
def test_that_whatever_follows_the_reply_at_once_spoils_it(cut: int, more: bytes) -> None:
    framing = RtuFraming()
    framing.request(3, read(), 0.0)
    data = RIGHT + more
    found = framing.received(data[:-cut]) + framing.received(data[-cut:]) + framing.silence()
    assert kinds(found) == ["malformed"]


def test_that_a_late_frame_of_another_address_is_put_aside_when_its_form_differs() -> None:
    framing = RtuFraming()
    framing.request(3, read(count=1), 0.0)
    framing.give_up()
    framing.request(3, read(), 0.0)
    assert kinds(come(framing, frame_of(3, registers(9)) + RIGHT)) == ["late", "reply"]


def test_that_a_request_that_a_late_reply_would_fit_needs_a_fence_of_another_form() -> None:
    framing = RtuFraming()
    framing.request(3, read(100, 2), 0.0)
    framing.give_up()
    assert framing.fences(3, read(100, 2), 0.1) is None  # the same again: a late reply holds what is asked for
    assert framing.fences(4, read(200, 2), 0.1) is None
    assert framing.fences(3, read(200, 2, function=4), 0.1) is None
    assert framing.fences(3, read(200, 3), 0.1) is None
    assert framing.fences(3, read(200, 2), 0.1) == (read(200, 1), read(200, 3), read(200, 4))
    framing.request(3, read(200, 1), 0.1)
    assert kinds(framing.received(RIGHT)) == ["late"]
    assert kinds(come(framing, frame_of(3, registers(7)))) == ["reply"]
    framing.passed(3)
    assert framing.fences(3, read(300, 2), 0.2) is None


def test_that_a_fence_reads_within_the_address_space_and_has_a_form_that_nothing_open_has() -> None:
    framing = RtuFraming()
    for count in (1, 2):
        framing.request(3, read(10 + count, count), 0.0)
        framing.give_up()
    assert framing.fences(3, read(65535, 1), 0.0) == (read(65533, 3),)
    framing.request(3, read(20, 3), 0.0)
    framing.give_up()
    assert framing.fences(3, read(65535, 1), 0.0) == ()
    assert framing.fences(3, read(65535, 1), FORGET_S + 1) is None


@given(st.sampled_from([1, 2, 3, 4]), st.integers(0, 65535), st.integers(1, 2000), st.integers(0, 65535))
def test_that_a_fence_is_a_read_that_cannot_be_mistaken(function: int, address: int, count: int, other: int) -> None:
    count = min(count, 65536 - max(address, other), 125 if function > 2 else 2000)
    framing = RtuFraming()
    framing.request(3, read(other, max(count, 1), function), 0.0)
    framing.give_up()
    asked = read(address, max(count, 1), function)
    fences = framing.fences(3, asked, 0.0)
    if address == other:
        assert fences is None
    for fence in fences or ():
        kind, first, length = struct.unpack(">BHH", fence)
        assert kind == function
        assert first + length <= 65536
        assert Asked(3, fence).size != Asked(3, asked).size


def test_that_an_exception_reply_leaves_both_requests_open_that_it_may_belong_to() -> None:
    framing = RtuFraming()
    framing.request(3, read(100, 1), 0.0)
    framing.give_up()
    framing.request(3, read(200, 2), 0.0)
    assert kinds(come(framing, frame_of(3, b"\x83\x02"))) == ["reply"]
    assert framing.fences(3, read(300, 2), 0.0) == (read(300, 3), read(300, 4))  # 1 and 2 registers are both open


def test_that_an_echo_is_taken_off_once_it_is_known_and_missed_where_it_lacks() -> None:
    framing = RtuFraming()
    sent = framing.request(3, read(), 0.0)
    assert kinds(come(framing, sent[:3]) + come(framing, sent[3:]) + come(framing, RIGHT)) == ["reply"]
    framing.request(3, read(), 0.0)
    assert kinds(come(framing, RIGHT)) == ["malformed"]


def test_that_bytes_equal_to_the_request_are_a_reply_only_where_there_is_no_echo() -> None:
    """17 bits from 0x0306 on, of which the right reply can be the very bytes of the request."""
    twin = read(0x0300 | 6, 17, function=1)
    silent = RtuFraming()
    silent.request(3, twin, 0.0)
    assert come(silent, frame_of(3, twin)) == []
    known = RtuFraming()
    known.request(3, read(), 0.0)
    come(known, RIGHT)
    known.request(3, twin, 0.0)
    assert kinds(come(known, frame_of(3, twin))) == ["reply"]


@pytest.mark.parametrize(
    ("data", "length"),
    [
        (b"\x03", 0),
        (b"\x03\x83", 5),
        (b"\x03\x03", 0),
        (b"\x03\x03\x04", 9),
        (b"\x03\x07", 5),
        (b"\x03\x08\x00", 8),
        (b"\x03\x0b", 8),
        (b"\x03\x11\x05", 10),
        (b"\x03\x2b\x0e\x01\x01\x00\x00", 0),
        (b"\x03\x2b\x0e\x01\x01\x00\x00\x01\x00", 0),
        (b"\x03\x2b\x0e\x01\x01\x00\x00\x01\x00\x03", 15),
        (b"\x03\x2b\x0e\x01\x01\x00\x00\x02\x00\xff" + bytes(260), -1),
        (b"\x03\x06", -1),
    ],
)
def test_that_a_reply_says_how_long_it_is(data: bytes, length: int) -> None:
    assert reply_length(data) == length


def test_that_a_request_made_twice_may_be_answered_twice_too_late() -> None:
    """The first late reply is put aside; the second may still come, so what looks like it is not asked for without a fence."""
    framing = RtuFraming(echo=False, hold=False)
    asked, other = b"\x03\x00\x64\x00\x02", b"\x03\x00\xc8\x00\x02"
    reply = frame_of(1, b"\x03\x04\x00\x01\x00\x02")
    for _ in range(2):
        framing.request(1, asked, 0.0)
        framing.give_up()
    assert [arrival.kind for arrival in framing.received(reply)] == ["late"]
    assert framing.fences(1, other, 1.0) is not None
    assert [arrival.kind for arrival in framing.received(reply)] == ["late"]
    assert framing.fences(1, other, 1.0) is None
