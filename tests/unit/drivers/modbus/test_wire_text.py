from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.drivers.modbus.wire_text import bytes_text, reply_text, request_text


@pytest.mark.parametrize(
    ("pdu", "text"),
    [
        (struct.pack(">BHH", 3, 100, 10), "Read holding 100…109 of unit 3"),
        (struct.pack(">BHH", 4, 7, 1), "Read input 7 of unit 3"),
        (struct.pack(">BHH", 1, 0, 16), "Read coils 0…15 of unit 3"),
        (struct.pack(">BHH", 2, 0, 2), "Read discrete inputs 0…1 of unit 3"),
        (b"\x2b\x0e\x01\x00", "Read device identification of unit 3, from object 0"),
        (b"\x07", "Read exception status of unit 3"),
        (b"\x08\x00\x00\x12\x34", "Diagnostics: echo of unit 3 12 34"),
        (b"\x11", "Report server id of unit 3"),
        (b"\x06\x00\x01\x00\x02", "Write one register (function 6), unit 3: 00 01 00 02"),
        (b"\x63", "function 99, unit 3"),
        (b"", "an empty frame, unit 3"),
    ],
)
def test_that_a_request_says_what_it_asks_for(pdu: bytes, text: str) -> None:
    assert request_text(3, pdu) == text


@pytest.mark.parametrize(
    ("pdu", "asked", "text"),
    [
        (b"\x03\x04\x00\x01\xab\xcd", b"", "2 registers: 0001 ABCD"),
        (b"\x04\x02\x00\x07", b"", "1 register: 0007"),
        (b"\x01\x02\x05\x01", struct.pack(">BHH", 1, 0, 9), "9 bits: 101000001"),
        (b"\x01\x01\x05", b"", "8 bits: 10100000"),
        (b"\x83\x02", b"", "exception 2 IllegalDataAddress from unit 3"),
        (b"\x83\x63", b"", "exception 99 from unit 3"),
        (b"\x2b\x0e\x01\x01\x00\x00\x02\x00\x04Loom\x01\x03T-1", b"", 'device identification: vendor "Loom", product "T-1"'),
        (b"\x2b\x0e\x01\x01\x00\x00\x01\x00\x03a\x1b<", b"", 'device identification: vendor "a·<"'),
        (b"\x07\x6d", b"", "Read exception status: 6D"),
        (b"\x06\x00\x01\x00\x02", b"", "Write one register (function 6) from unit 3: 00 01 00 02"),
        (b"\x03\x04\x00\x01", b"", "function 3 from unit 3: 04 00 01"),
        (b"", b"", "nothing"),
    ],
)
def test_that_a_reply_says_what_it_holds(pdu: bytes, asked: bytes, text: str) -> None:
    assert reply_text(3, pdu, asked) == text


def test_that_much_is_cut() -> None:
    assert reply_text(1, bytes((3, 40)) + bytes(40)).endswith("0000 …")
    assert len(reply_text(1, bytes((1, 250)) + bytes(250))) < 100
    assert bytes_text(b"HTTP") == "4 bytes that are no Modbus frame: 48 54 54 50"
    assert bytes_text(bytes(200)).endswith("00 …")


@given(st.integers(0, 255), st.binary(max_size=300), st.binary(max_size=12))
def test_that_any_bytes_are_one_short_line(unit: int, pdu: bytes, asked: bytes) -> None:
    for text in (request_text(unit, pdu), reply_text(unit, pdu, asked), bytes_text(pdu)):
        assert text
        assert text.isprintable()
        assert len(text) < 5000


@given(st.sampled_from([1, 2, 3, 4, 0x2B]), st.binary(max_size=253))
def test_that_replies_of_known_functions_never_raise(function: int, body: bytes) -> None:
    assert reply_text(1, bytes((function, len(body) & 0xFF)) + body).isprintable()
    assert reply_text(1, b"\x2b\x0e\x01\x01\x00\x00" + body).isprintable()
