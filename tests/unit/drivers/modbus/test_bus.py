from __future__ import annotations

import subprocess
import sys

import pytest

from app.drivers.modbus.bus import bus_time_s, char_s, exchange_s, gap_s
from app.drivers.modbus.url import ModbusUrl
from app.errors import UserError


def test_that_a_character_has_eleven_bits_with_parity_or_a_second_stop_bit_and_else_ten() -> None:
    assert [
        char_s(ModbusUrl(f"modbus-rtu:COM1?baudrate=9600&{more}")) * 9600 for more in ("parity=E", "parity=N&stopbits=2", "parity=N")
    ] == [
        11,
        11,
        10,
    ]


def test_that_the_gap_is_three_and_a_half_characters_and_fixed_above_19200_baud() -> None:
    assert gap_s(ModbusUrl("modbus-rtu:COM1?baudrate=9600")) == pytest.approx(3.5 * 11 / 9600)
    assert gap_s(ModbusUrl("modbus-rtu:COM1")) == pytest.approx(3.5 * 11 / 19200)
    assert gap_s(ModbusUrl("modbus-rtu:COM1?baudrate=38400")) == 0.00175
    assert gap_s(ModbusUrl("modbus-rtu:COM1?baudrate=115200")) == 0.00175


def test_that_the_time_of_reads_is_that_of_their_characters_and_gaps() -> None:
    url = "modbus-rtu:COM1?baudrate=9600"
    one = (8 + 5 + 2 * 10) * 11 / 9600 + 7 * 11 / 9600
    assert bus_time_s(url, [10]) == pytest.approx(one)
    assert bus_time_s(url, [10] * 20) == pytest.approx(20 * one)
    assert bus_time_s(url, []) == 0.0
    assert bus_time_s(url, [125]) == pytest.approx(exchange_s(ModbusUrl(url), 8, 255))
    assert 0.29 < bus_time_s(url, [125]) < 0.32  # a third of a second for one full request, as every RS-485 engineer knows


def test_that_the_speed_behind_a_network_is_not_known() -> None:
    for url in ("modbus://a", "modbus-tls://a", "modbus-rtutcp://a"):
        assert bus_time_s(url, [125] * 100) == 0.0
    with pytest.raises(UserError):
        bus_time_s("nonsense", [1])


def test_that_the_arithmetic_needs_neither_a_protocol_library_nor_qt() -> None:
    code = (
        "import sys, app.drivers.modbus.bus; print([name for name in ('serial', 'pymodbus', 'asyncua', 'PySide6') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
