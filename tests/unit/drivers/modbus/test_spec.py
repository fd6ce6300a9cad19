from __future__ import annotations

import subprocess
import sys

from app.drivers import base
from app.drivers.modbus.spec import NO_RESPONSE, SPEC, STATUS_NAMES


def test_that_the_spec_keeps_the_contract() -> None:
    assert isinstance(SPEC, base.Spec)
    assert (SPEC.key, SPEC.schemes, SPEC.default_port, SPEC.source_times) == (
        "modbus",
        ("modbus", "modbus-tls", "modbus-rtu", "modbus-rtutcp"),
        502,
        False,
    )


def test_that_the_spec_needs_neither_pymodbus_nor_numpy() -> None:
    code = "import sys, app.drivers.modbus.spec; print([name for name in ('pymodbus', 'asyncua') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


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
