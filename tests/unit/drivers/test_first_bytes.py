"""What answers is named by what it sends, and no byte of it can disturb a screen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.drivers.first_bytes import clean, shown, what_answered


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"HTTP/1.1 400 Bad Request\r\nDate: x\r\nServer: nginx/1.24.0\r\n\r\n<html>", "a web server (nginx/1.24.0)"),
        (b"HTTP/1.0 400 Bad\r\n\r\nServer: not a header", "a web server (HTTP)"),
        (b"<!DOCTYPE HTML>\n<html", "a web server (HTTP)"),
        (b"SSH-2.0-dropbear_2022.83\r\n", "an SSH server (SSH-2.0-dropbear_2022.83)"),
        (b"220 FTP server ready\r\n", "an FTP server (220 FTP server ready)"),
        (b"220 plc ESMTP\r\n", "a mail server (220 plc ESMTP)"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "a TLS server"),
        (b"ERRF\x10\x00\x00\x00", "an OPC UA server"),
        (b"\x03\x00\x00\x07\x02\xf0\x80", "an ISO on TCP device (Siemens S7 and others)"),
        (b"\xff\xfd\x18\xff\xfd\x20", "a Telnet server"),
        (b"\x20\x02\x00\x05", "an MQTT broker"),
        (b"AMQP\x00\x00\x09\x01", "an AMQP broker"),
        (b"RFB 003.008\n", "a VNC server (RFB 003.008)"),
        (b"\x65\x00\x04\x00" + b"\0" * 24, "an EtherNet/IP device"),
        (b"\x00\x01\x00\x00\x00\x03\x01\x83\x01", ""),
        (b"", ""),
        (b"whatever", ""),
    ],
)
def test_that_what_answers_is_named(data: bytes, named: str) -> None:
    assert what_answered(data) == named


@given(st.binary(max_size=300))
def test_that_any_bytes_give_one_short_printable_line(data: bytes) -> None:
    for text in (what_answered(data), shown(data), clean(data.decode("latin-1"))):
        assert len(text) < 200
        assert all(letter.isprintable() for letter in text)


def test_that_unknown_bytes_are_shown_as_text_or_hex() -> None:
    assert shown(b"hello there") == "'hello there'"
    assert shown(b"\x00\x01\xfe") == "00 01 fe"
