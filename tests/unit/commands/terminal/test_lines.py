"""The JSON forms are stable: each is pinned here character by character."""

import base64
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.check.base import Finding
from app.commands.terminal.lines import encoded, finding_line, json_value, node_line, sample_line
from app.drivers.base import BrowseColumns
from app.drivers.modbus.spec import SPEC as MODBUS
from app.drivers.opcua.spec import SPEC as OPCUA
from app.model.values import Quality, Sample

SECOND = 1_000_000_000
RECEIVED = 1_767_268_800 * SECOND + 482_000_000


def line_of(value: object, type_: str, quality: Quality = Quality.GOOD, status: str = "Good (0)", **more: Any) -> dict[str, Any]:
    sample = Sample(value, type_, quality, 0, None, None, RECEIVED)
    found: dict[str, Any] = json.loads(encoded(sample_line("meter", "3/holding:1", sample, status=status, unit="", **more)))
    return found


def test_that_a_browse_line_has_exactly_this_form() -> None:
    columns = BrowseColumns(
        parent=(0,), id=("nsu=urn:x;s=A/B.PV",), name=("B.PV",), browse_name=("B.PV",), path=("A/B&.PV",), node_class=("variable",),
        type=("float32",), has_children=(True,), description=("",),
    )  # fmt: skip
    assert encoded(node_line(columns, 0)) == '{"id":"nsu=urn:x;s=A/B.PV","path":"A/B&.PV","class":"variable","type":"float32"}'


def test_that_a_sample_line_of_opc_ua_has_exactly_this_form() -> None:
    sample = Sample(99.5, "float32", Quality.GOOD, 0, RECEIVED - SECOND, RECEIVED - 1, RECEIVED)
    line = sample_line("plc", "nsu=urn:x;s=FT", sample, status=OPCUA.status_text(0), unit="L2")
    assert encoded(line) == (
        '{"endpoint":"plc","id":"nsu=urn:x;s=FT","value":99.5,"type":"float32","quality":"good","status":"Good (0x00000000)",'
        '"stale":false,"unit":"L2","source_time":"2026-01-01T11:59:59.482Z","server_time":"2026-01-01T12:00:00.481999999Z",'
        '"receive_time":"2026-01-01T12:00:00.482Z","why":null,"gap":null}'
    )


def test_that_a_sample_line_of_modbus_has_exactly_this_form() -> None:
    sample = Sample(None, "", Quality.BAD, 2, None, None, RECEIVED)
    status = MODBUS.status_text(2)
    line = sample_line("modbus://h", "3/holding:125", sample, status=status, unit="", stale=True, why="not connected", gap="lost")
    assert encoded(line) == (
        '{"endpoint":"modbus://h","id":"3/holding:125","value":null,"type":null,"quality":"bad","status":"IllegalDataAddress (2)",'
        '"stale":true,"unit":null,"source_time":null,"server_time":null,"receive_time":"2026-01-01T12:00:00.482Z",'
        '"why":"not connected","gap":"lost"}'
    )


def test_that_a_finding_line_has_exactly_this_form() -> None:
    finding = Finding("MAP-001", "error", "id-1", "Line 4/Füller/recipe", "recipe is required", "Drag a tag")
    assert encoded(finding_line(finding)) == (
        '{"rule":"MAP-001","severity":"error","place":"Line 4/Füller/recipe","message":"recipe is required","fix":"Drag a tag"}'
    )


@pytest.mark.parametrize(("number", "shown"), [
    (2**53, 2**53), (-(2**53), -(2**53)), (2**53 + 1, "9007199254740993"), (-(2**53) - 1, "-9007199254740993"),
    (2**64 - 1, "18446744073709551615"),
])  # fmt: skip
def test_that_integers_beyond_2_to_the_53_are_text(number: int, shown: object) -> None:
    assert line_of(number, "int64")["value"] == shown


@pytest.mark.parametrize(("value", "reason"), [(math.nan, "NaN"), (math.inf, "Infinity"), (-math.inf, "-Infinity")])
def test_that_nan_and_infinities_are_null_with_the_reason_in_the_status(value: float, reason: str) -> None:
    line = line_of(value, "float64")
    assert (line["value"], line["quality"], line["status"]) == (None, "good", f"Good (0); value is {reason}")


def test_that_nan_inside_arrays_and_structures_is_null_and_named() -> None:
    line = line_of([1.0, math.nan, math.inf, math.nan, math.nan], "float64[]")
    assert line["value"] == [1.0, None, None, None, None]
    assert line["status"] == "Good (0); value[1] is NaN, value[2] is Infinity, value[3] is NaN and 1 more"
    assert line_of({"a": {"b": math.nan}}, "struct")["status"] == "Good (0); value.a.b is NaN"


def test_that_bytes_are_base64_and_structures_objects() -> None:
    line = line_of({"code": b"\x00\xff", "parts": [True, None, "x", 2**60]}, "struct")
    assert line["value"] == {"code": "AP8=", "parts": [True, None, "x", "1152921504606846976"]}


def test_that_what_could_not_be_decoded_stays_raw_with_its_type() -> None:
    raw = {"raw": base64.b64encode(b"\x01").decode(), "type": "nsu=urn:x;i=5001"}
    assert line_of(raw, "struct")["value"] == {"raw": "AQ==", "type": "nsu=urn:x;i=5001"}


def test_that_a_bool_is_no_number() -> None:
    assert line_of(True, "bool")["value"] is True


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_that_every_value_gives_one_line_of_strict_json(value: object) -> None:
    found, _ = json_value(value)
    text = encoded({"value": found})
    assert "\n" not in text
    assert json.loads(text, parse_constant=lambda word: pytest.fail(word)) == {"value": found}


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53))
def test_that_numbers_come_back_exactly(number: float) -> None:
    assert json.loads(encoded({"value": json_value(number)[0]}))["value"] == number
