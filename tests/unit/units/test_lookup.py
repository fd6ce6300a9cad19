"""Units found by the texts of people and of OPC UA servers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.units import UNECE_NAMESPACE, codes, find, from_opcua, recognise, require

SPELLED = [
    ("°C", "CEL"), ("degC", "CEL"), ("deg C", "CEL"), ("C", "CEL"), ("℃", "CEL"), ("celsius", "CEL"), ("ºC", "CEL"),
    ("°F", "FAH"), ("K", "KEL"), ("bar", "BAR"), ("barg", "BAR"), ("l/min", "L2"), ("L/min", "L2"), ("lpm", "L2"),
    ("m3/h", "MQH"), ("m³/h", "MQH"), ("m^3/h", "MQH"), ("m3 / h", "MQH"), ("rpm", "RPM"), ("r/min", "RPM"),
    ("U/min", "RPM"), ("%", "P1"), ("pct", "P1"), ("% or pct", "P1"), ("kWh", "KWH"), ("kW·h", "KWH"), ("kW.h", "KWH"),
    ("N·m", "NU"), ("Nm", "NU"), ("N m", "NU"), ("µm", "4H"), ("μm", "4H"), ("um", "4H"), ("Ω", "OHM"), ("\u2126", "OHM"),
    ("Ohm", "OHM"), ("kOhm", "B49"), ("pcs", "H87"), ("bottles/h", "H10"), ("1/min", "C94"), ("min⁻¹", "C94"),
    ("min-1", "C94"), ("V", "VLT"), ("A", "AMP"), ("mA", "4K"), ("kvar", "KVR"), ("VA", "D46"), ("V·A", "D46"), ("kVA", "KVA"),
    ("pH", "Q30"), ("ppm", "59"), ("dB", "2N"), ("psi", "PS"), ("lbf/in²", "PS"), ("Nm³/h", "Q40"), ("Nm3/h", "Q40"),
    ("m/s²", "MSK"), ("m/s2", "MSK"), ("µS/cm", "G42"), ("uS/cm", "G42"), ("t", "TNE"), ("h", "HUR"), ("s", "SEC"),
    ("CEL", "CEL"), ("MQH", "MQH"), ("kilogram", "KGM"), ("Newton Metre", "NU"), ("kw", "KWT"), ("KPA", "KPA"), ("kpa", "KPA"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "code"), SPELLED)
def test_that_common_spellings_find_their_unit_first_and_are_recognised(text: str, code: str) -> None:
    assert find(text)[0].code == code
    found = recognise(text)
    assert found is not None
    assert found.code == code


@pytest.mark.parametrize(("text", "code"), [("mW", "C31"), ("MW", "MAW"), ("nm", "C45"), ("Nm", "NU"), ("Pa", "PAL"), ("pA", "C70")])
def test_that_case_tells_milli_from_mega(text: str, code: str) -> None:
    assert find(text)[0].code == code
    assert recognise(text) == require(code)


@pytest.mark.parametrize("text", ["", "  ", "mw", "milliamp", "no such unit", "flow", "\0", "½"])
def test_that_text_which_names_no_unit_or_two_is_not_recognised(text: str) -> None:
    assert recognise(text) is None


def test_that_both_readings_are_offered_when_a_text_has_two() -> None:
    assert [entry.code for entry in find("mw")][:2] == ["MAW", "C31"]
    assert [entry.code for entry in find("C")] == ["CEL", "COU"]
    assert [entry.code for entry in find("VA")][:2] == ["D46", "VA"]


def test_that_a_part_of_a_name_lists_common_units_first_and_stops_at_the_limit() -> None:
    listed = find("litre per", limit=3)
    assert [entry.code for entry in listed] == ["L2", "E32", "G51"]
    assert find("") == find("   ") == []


def test_that_every_code_symbol_and_name_finds_its_own_unit() -> None:
    for entry in map(require, codes()):
        for text in (entry.code, entry.symbol, entry.name):
            assert entry in find(text, limit=200), (entry.code, text)


@given(st.text(max_size=20))
def test_that_no_text_makes_a_lookup_fail(text: str) -> None:
    assert all(entry.code in codes() for entry in find(text))
    found = recognise(text)
    assert found is None or found in find(text, limit=2000)


def test_that_every_unit_id_of_the_unece_namespace_gives_its_code_back() -> None:
    for entry in map(require, codes()):
        assert from_opcua(entry.unit_id, UNECE_NAMESPACE, "anything") == entry


def test_that_a_unit_id_is_the_big_endian_bytes_of_the_code() -> None:
    # OPC 10000-8 §5.6.3: "C81" (radian) is 0x43, 0x38, 0x31
    assert require("C81").unit_id == 0x00433831


@pytest.mark.parametrize("unit_id", [-1, 0, -(2**31), 2**31 - 1, 2**32, 1, 0x00FFFFFF])
def test_that_an_unknown_unit_id_falls_back_to_the_display_name(unit_id: int) -> None:
    assert from_opcua(unit_id, UNECE_NAMESPACE, "°C") == require("CEL")
    assert from_opcua(unit_id, UNECE_NAMESPACE, "") is None
    assert from_opcua(unit_id, UNECE_NAMESPACE, "widgets") is None


def test_that_a_number_of_another_namespace_is_not_read_as_a_unece_code() -> None:
    celsius = require("CEL").unit_id
    assert from_opcua(celsius, "urn:vendor:units", "bar") == require("BAR")
    assert from_opcua(celsius, "urn:vendor:units", "") is None
    assert from_opcua(celsius, "", "bar") == require("CEL")


def test_that_a_display_name_with_two_readings_gives_no_unit() -> None:
    assert from_opcua(-1, UNECE_NAMESPACE, "mw") is None


@given(st.integers(-(2**31), 2**33), st.text(max_size=8), st.text(max_size=8))
def test_that_no_engineering_unit_of_a_server_makes_it_fail(unit_id: int, uri: str, name: str) -> None:
    found = from_opcua(unit_id, uri, name)
    assert found is None or found.code in codes()
