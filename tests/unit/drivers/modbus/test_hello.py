"""Modbus is recognised by one request; the next is sent only while nothing has come."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.drivers.modbus.hello import ModbusAnswer, ask

IDENTIFICATION = bytes.fromhex("0e 01 01 00 00 03") + b"\x00\x04Loom\x01\x03T-1\x02\x032.3"


class Device:
    """Answers each request with the next of these, a piece after the other; None is silence, b"" hangs up."""

    def __init__(self, *answers: Sequence[bytes] | None) -> None:
        self.sent: list[bytes] = []
        self._answers = list(answers)
        self._coming: list[bytes] = []

    async def send(self, data: bytes) -> None:
        self.sent.append(data)
        self._coming = list(self._answers.pop(0) or ()) if self._answers else []

    async def receive(self, timeout_s: float) -> bytes:
        if self._coming:
            return self._coming.pop(0)
        raise TimeoutError


def frame(number: int, unit: int, pdu: bytes) -> bytes:
    return number.to_bytes(2, "big") + b"\0\0" + (len(pdu) + 1).to_bytes(2, "big") + bytes([unit]) + pdu


def asked(device: Device) -> ModbusAnswer:
    return asyncio.run(ask(device, 0.1))


def test_that_identification_is_asked_first_and_names_the_product() -> None:
    device = Device([frame(1, 1, b"\x2b" + IDENTIFICATION)])
    found = asked(device)
    assert (found.spoken, found.unit, found.product) == (True, 1, "Loom, T-1, 2.3")
    assert device.sent == [bytes.fromhex("0001 0000 0005 01 2b0e0100")]


def test_that_a_refusal_is_modbus_too_and_nothing_more_is_asked() -> None:
    device = Device([frame(1, 1, b"\xab\x01")])
    found = asked(device)
    assert (found.spoken, found.unit, found.product) == (True, 1, "")
    assert len(device.sent) == 1


@pytest.mark.parametrize("code", [0x0A, 0x0B])
def test_that_a_gateway_without_the_unit_is_modbus_without_a_unit(code: int) -> None:
    found = asked(Device([frame(1, 1, bytes([0xAB, code]))]))
    assert (found.spoken, found.unit) == (True, None)


def test_that_a_device_silent_upon_identification_is_asked_for_one_register() -> None:
    device = Device(None, [frame(2, 1, b"\x03\x02\x00\x07")])
    found = asked(device)
    assert (found.spoken, found.unit) == (True, 1)
    assert device.sent[1] == bytes.fromhex("0002 0000 0006 01 0300000001")


def test_that_unit_255_is_the_last_thing_asked() -> None:
    device = Device(None, None, [frame(3, 255, b"\xab\x01")])
    found = asked(device)
    assert (found.spoken, found.unit, found.asked) == (True, 255, (1, 255))
    silent = Device()
    assert not asked(silent).spoken
    assert len(silent.sent) == 3


def test_that_a_late_answer_to_an_earlier_request_counts() -> None:
    found = asked(Device(None, [frame(1, 1, b"\xab\x01")]))
    assert (found.spoken, found.unit) == (True, 1)


def test_that_an_answer_in_pieces_is_put_together() -> None:
    whole = frame(1, 1, b"\x2b" + IDENTIFICATION)
    found = asked(Device([whole[:3], whole[3:9], whole[9:]]))
    assert found.product == "Loom, T-1, 2.3"


def test_that_other_protocols_are_handed_back_to_be_named() -> None:
    found = asked(Device([b"HTTP/1.1 400 Bad Request\r\n\r\n"]))
    assert not found.spoken
    assert found.other.startswith(b"HTTP")


def test_that_hanging_up_ends_it() -> None:
    device = Device([b""])
    assert asked(device).hung_up
    assert len(device.sent) == 1


@given(st.lists(st.binary(max_size=40), max_size=4))
def test_that_any_bytes_end_in_an_answer(pieces: list[bytes]) -> None:
    found = asked(Device(pieces))
    assert found.unit is None or found.spoken
    assert all(letter.isprintable() for letter in found.product)
