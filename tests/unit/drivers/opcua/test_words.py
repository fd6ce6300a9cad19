import pytest

from app.drivers.opcua import words
from app.drivers.opcua.binary import NO_VALUE


@pytest.mark.parametrize(
    ("number", "uri", "shown", "unit"),
    [
        (4408652, words.UNECE_URI, "°C", "CEL"),
        (4342098, words.UNECE_URI, "bar", "BAR"),
        (20529, words.UNECE_URI, "%", "P1"),
        (-1, words.UNECE_URI, "pcs", "pcs"),
        (4408652, "urn:own:units", "°C", "°C"),
        (0x01020304, words.UNECE_URI, "odd", "odd"),
    ],
)
def test_that_a_unit_is_its_unece_code_or_what_it_shows(number: int, uri: str, shown: str, unit: str) -> None:
    assert words.unit({"NamespaceUri": uri, "UnitId": number, "DisplayName": shown, "Description": ""}) == unit


def test_that_what_is_no_unit_or_range_says_nothing() -> None:
    assert words.unit(None) == ""
    assert words.limits(None) == (None, None)
    assert words.limits({"Low": 0.0, "High": 0.0}) == (None, None)
    assert words.limits({"Low": -1.0, "High": 1.0}) == (-1.0, 1.0)


def test_that_enum_values_win_over_enum_strings() -> None:
    assert words.enum_names(["Off", "On"], None) == {"0": "Off", "1": "On"}
    assert words.enum_names(["Off"], [{"Value": 10, "DisplayName": "Run"}]) == {"10": "Run"}
    assert words.enum_names(None, None) == {}


def test_that_access_is_what_this_user_may() -> None:
    assert words.access(NO_VALUE._replace(value=1), NO_VALUE._replace(value=3)) == "r"
    assert words.access(NO_VALUE, NO_VALUE._replace(value=3)) == "rw"
    assert words.access(NO_VALUE._replace(value=2), None) == "w"
    assert words.access(None, None) == "r"


def test_that_attributes_are_in_words() -> None:
    assert words.attribute_text(17, 0x05, {}) == "read, history read"
    assert words.attribute_text(12, 1, {}) == "subscribe to events"
    assert words.attribute_text(15, 3, {}) == "3 dimensions"
    assert words.attribute_text(19, 0.0, {}) == "0 ms (continuously)"
    assert words.attribute_text(19, -1.0, {}) == "not known"
    assert words.attribute_text(14, "a", {"a": "Double"}) == "Double (a)"
    assert (words.attribute_text(20, True, {}), words.attribute_text(21, False, {})) == ("yes", "no")
    assert words.attribute_text(13, True, {}) == "true", "a value is no attribute: it is shown as it is"
    assert words.attribute_text(16, [2, 0], {}) == "2 × any"
    assert words.attribute_text(6, 1 << 6 | 1 << 21, {}) == "DisplayName, Value"
    definition = {"StructureType": 2, "Fields": [{"Name": "A"}, {"Name": "B"}]}
    assert words.attribute_text(23, definition, {}) == "union: A, B"
    assert words.attribute_text(23, {"Fields": [{"Name": "Off"}]}, {}) == "names: Off"
    assert words.attribute_text(23, {"raw": "AA=="}, {}) == '{"raw": "AA=="}'
    assert words.value_text({"b": b"\0", "l": [1, True]}) == '{"b": "AA==", "l": [1, true]}'
