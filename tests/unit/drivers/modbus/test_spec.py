from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.drivers import base
from app.drivers.modbus.spec import NO_RESPONSE, SPEC, STATUS_NAMES
from app.errors import UserError


def test_that_the_spec_keeps_the_contract() -> None:
    assert isinstance(SPEC, base.Spec)
    assert (SPEC.key, SPEC.schemes, SPEC.default_port, SPEC.source_times) == ("modbus", ("modbus",), 502, False)


def test_that_the_spec_needs_neither_pymodbus_nor_numpy() -> None:
    code = "import sys, app.drivers.modbus.spec; print([name for name in ('pymodbus', 'asyncua') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


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
    ],
)
def test_that_a_url_becomes_canonical_once(text: str, url: str) -> None:
    assert SPEC.parse_url(text) == url
    assert SPEC.parse_url(url) == url


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("10.0.0.5", "begin with modbus://"),
        ("opc.tcp://10.0.0.5", "begin with modbus://"),
        ("modbus:10.0.0.5", "begin with modbus://"),
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
        ("modbus://host?unit=1&unit=2", "unit=NUMBER"),
        ("modbus://[::1", "."),
    ],
)
def test_that_what_is_no_modbus_url_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(UserError, match=why):
        SPEC.parse_url(text)


@pytest.mark.parametrize("text", ["modbus-tls://plc", "modbus-rtu:/dev/ttyUSB0?baudrate=19200", "modbus-rtu:COM3", "modbus-rtutcp://gw"])
def test_that_kinds_of_a_later_version_are_named_honestly(text: str) -> None:
    with pytest.raises(UserError, match="not supported yet") as caught:
        SPEC.parse_url(text)
    assert "later version" in caught.value.why


@given(st.text(max_size=40))
def test_that_any_text_is_a_url_or_a_user_error(text: str) -> None:
    for candidate in (text, "modbus://" + text):
        try:
            url = SPEC.parse_url(candidate)
        except UserError:
            continue
        assert SPEC.parse_url(url) == url


def test_that_status_texts_have_their_documented_form() -> None:
    assert SPEC.status_text(0) == "Good (0)"
    assert SPEC.status_text(2) == "IllegalDataAddress (2)"
    assert SPEC.status_text(11) == "GatewayTargetDeviceFailedToRespond (11)"
    assert SPEC.status_text(77) == "Exception (77)"
    assert SPEC.status_text(NO_RESPONSE) == "NoResponse (0x100)"
    assert SPEC.status_text(0x101) == "MalformedReply (0x101)"
    assert SPEC.status_text(0x102) == "NotConnected (0x102)"
    assert SPEC.status_text(0x103) == "BadAddress (0x103)"
    assert SPEC.status_text(0x999) == "Unknown (0x999)"
    assert len(set(STATUS_NAMES.values())) == len(STATUS_NAMES)


def test_that_types_short_forms_and_descriptions_come_from_the_address() -> None:
    assert SPEC.parse_address("3/40101:real".replace("real", "float32"), notation="modicon") == "3/holding:100:float32"
    assert SPEC.type_of("holding:1:str8") == "string"
    assert SPEC.type_of("holding:1.3") == "bool"
    assert SPEC.short_address("3/holding:100:float32:CDAB") == "3/holding:100"
    rows = SPEC.describe("3/holding:100:float32:CDAB")
    assert rows["Unit id"] == "3"
    assert rows["Address (Modicon)"] == "40101"
    assert rows["Address (hex)"] == "0x0064"
    assert rows["Order"] == "CDAB"
    assert rows["Registers"] == "2"
    assert "Order" not in SPEC.describe("coil:4")
    assert SPEC.describe("holding:5.7")["Bit"].startswith("7 ")


def test_that_every_setting_holds_its_own_default() -> None:
    assert len({field.name for field in SPEC.settings}) == len(SPEC.settings)
    for field in SPEC.settings:
        if field.kind in ("int", "float"):
            assert field.low is not None
            assert field.high is not None
            assert field.low <= field.default <= field.high  # type: ignore[operator]  # numbers, as the kind says
        assert field.title
        assert field.help
