from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.drivers import spec_for
from app.drivers.modbus.spec import SPEC
from app.drivers.modbus.url import TRANSPORTS, ModbusUrl
from app.errors import UserError


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("modbus://PLC7", "modbus://plc7"),
        (" modbus://10.0.0.5:502/ ", "modbus://10.0.0.5"),
        ("MODBUS://10.0.0.5:1502", "modbus://10.0.0.5:1502"),
        ("modbus://gw?unit=1", "modbus://gw"),
        ("modbus://gw:1502?unit=7", "modbus://gw:1502?unit=7"),
        ("modbus://[FE80::1]:1502?unit=0", "modbus://[fe80::1]:1502?unit=0"),
        ("modbus://[::1]", "modbus://[::1]"),
        ("modbus-tls://PLC7:802", "modbus-tls://plc7"),
        ("modbus-tls://plc7:502?unit=9", "modbus-tls://plc7:502?unit=9"),
        ("Modbus-RTUTCP://converter:4001", "modbus-rtutcp://converter:4001"),
        ("modbus-rtutcp://converter:502", "modbus-rtutcp://converter"),
        ("modbus-rtu:/dev/ttyUSB0", "modbus-rtu:/dev/ttyUSB0"),
        ("modbus-rtu:/dev/ttyUSB0?baudrate=19200&parity=E&stopbits=1&bytesize=8&unit=1", "modbus-rtu:/dev/ttyUSB0"),
        ("modbus-rtu:/dev/ttyUSB0?unit=5&parity=none&baudrate=9600", "modbus-rtu:/dev/ttyUSB0?baudrate=9600&parity=N&unit=5"),
        ("modbus-rtu:/dev/ttyS1?parity=o&stopbits=2", "modbus-rtu:/dev/ttyS1?parity=O&stopbits=2"),
        ("modbus-rtu:///dev/ttyUSB0", "modbus-rtu:/dev/ttyUSB0"),
        ("modbus-rtu:com3?parity=N&stopbits=2", "modbus-rtu:COM3?parity=N&stopbits=2"),
        ("modbus-rtu:\\\\.\\COM12", "modbus-rtu:COM12"),
        ("modbus-rtu://COM3", "modbus-rtu:COM3"),
        ("modbus-rtu:/dev/serial/by-id/usb-FTDI_FT232R-if00-port0", "modbus-rtu:/dev/serial/by-id/usb-FTDI_FT232R-if00-port0"),
        ("modbus-rtu:/dev/cu.usbserial-1410", "modbus-rtu:/dev/cu.usbserial-1410"),
    ],
)
def test_that_a_url_becomes_canonical_once(text: str, url: str) -> None:
    assert SPEC.parse_url(text) == url
    assert SPEC.parse_url(url) == url
    assert spec_for(url) is SPEC


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("10.0.0.5", "begin with modbus:"),
        ("opc.tcp://10.0.0.5", "begin with modbus:"),
        ("modbus:10.0.0.5", "begin with modbus://"),
        ("modbus-tls:plc", "begin with modbus-tls://"),
        ("modbus-ascii:COM3", "begin with modbus:"),
        ("modbus://", "host name"),
        ("modbus://a b", "host name"),
        ("modbus://host:99999", "[Pp]ort"),
        ("modbus://host:0", "port"),
        ("modbus://host:x", "[Pp]ort"),
        ("modbus://user:pw@host", "no user"),
        ("modbus://host/path", "only host"),
        ("modbus://host#x", "only host"),
        ("modbus://host?unit=256", "0 to 255"),
        ("modbus://host?unit=", "0 to 255"),
        ("modbus://host?slave=1", "unit=NUMBER"),
        ("modbus://host?baudrate=9600", "unit=NUMBER"),
        ("modbus://host?unit=1&unit=2", "unit=NUMBER"),
        ("modbus://[::1", "."),
        ("modbus-rtutcp://host?unit=0", "broadcast"),
        ("modbus-rtu:COM3?unit=0", "broadcast"),
        ("modbus-rtu:", "serial port"),
        ("modbus-rtu:ttyUSB0", "serial port"),
        ("modbus-rtu:COM0", "serial port"),
        ("modbus-rtu:/dev/../etc/passwd", "serial port"),
        ("modbus-rtu:/dev/tty USB0", "serial port"),
        ("modbus-rtu:COM3?baudrate=fast", "baud rate"),
        ("modbus-rtu:COM3?baudrate=10", "baud rate"),
        ("modbus-rtu:COM3?parity=X", "parity"),
        ("modbus-rtu:COM3?stopbits=3", "stop bits"),
        ("modbus-rtu:COM3?bytesize=7", "ASCII"),
        ("modbus-rtu:COM3?speed=9600", "each once"),
        ("modbus-rtu:COM3?unit=1&unit=1", "each once"),
        ("modbus-rtu:COM3?unit", "."),
    ],
)
def test_that_what_is_no_modbus_url_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(UserError, match=why) as refused:
        SPEC.parse_url(text)
    assert "modbus-rtu:COM3" in refused.value.fix


@given(st.text(max_size=40), st.sampled_from(["", "modbus://", "modbus-tls://", "modbus-rtutcp://", "modbus-rtu:", "modbus-rtu:COM1?"]))
def test_that_any_text_is_a_url_or_a_user_error(text: str, start: str) -> None:
    try:
        url = SPEC.parse_url(start + text)
    except UserError:
        return
    assert SPEC.parse_url(url) == url


@given(
    st.sampled_from([300, 1200, 9600, 19200, 115200]), st.sampled_from("NEO"), st.sampled_from([1, 2]), st.integers(1, 255),
    st.sampled_from(["COM3", "/dev/ttyUSB0"]),
)  # fmt: skip
def test_that_serial_parameters_survive(baudrate: int, parity: str, stopbits: int, unit: int, device: str) -> None:
    text = f"modbus-rtu:{device}?unit={unit}&stopbits={stopbits}&parity={parity}&baudrate={baudrate}"
    url = ModbusUrl(str(ModbusUrl(text)))
    assert (url.device, url.baudrate, url.parity, url.stopbits, url.bytesize, url.unit) == (device, baudrate, parity, stopbits, 8, unit)
    assert url.where == device
    assert (url.host, url.port) == ("", 0)


def test_that_parts_and_words_are_there() -> None:
    assert set(SPEC.schemes) == set(TRANSPORTS)
    assert ModbusUrl("modbus-rtu:COM3?parity=N&stopbits=2").serial_text == "19200 baud, 8 data bits, no parity, 2 stop bits"
    assert ModbusUrl("modbus-tls://[::1]").where == "[::1]:802"
    assert [ModbusUrl(text).is_serial for text in ("modbus://a", "modbus-tls://a", "modbus-rtutcp://a", "modbus-rtu:COM1")] == [
        False,
        False,
        True,
        True,
    ]
