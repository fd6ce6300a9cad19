from __future__ import annotations

import pytest

from app.check import run
from app.drivers.base import ItemState
from app.model.plant import Tag
from tests.factory import line4_project
from tests.unit.check.projects import found, line4, other, seen_found


@pytest.mark.parametrize("rule", ["SRC-001", "SRC-002", "SRC-003", "SRC-004"])
def test_that_a_healthy_line_breaks_no_rule(rule: str) -> None:
    assert found(line4_project(), rule) == []


def test_that_src_001_names_an_address_that_the_driver_cannot_read() -> None:
    (finding,) = found(line4(other("t-voltage", address="3/holding:voltage")), "SRC-001")
    assert (finding.severity, finding.about, finding.place) == ("error", "t-voltage", "meter-modbus/VoltageL1")


def test_that_src_001_warns_of_an_address_that_is_not_in_canonical_form() -> None:
    (finding,) = found(line4(other("t-voltage", address="3/HOLDING:0100:float32:CDAB")), "SRC-001")
    assert (finding.severity, finding.about) == ("warning", "t-voltage")
    assert '"3/holding:100:float32:CDAB"' in finding.message


def test_that_src_002_names_both_tags_of_one_source() -> None:
    second = Tag(id="t-flow-again", endpoint="filler-opcua", address="nsu=urn:tagloom:plant:line;s=Line4/Filler1/FT-101.PV", name="Flow")
    findings = found(line4(second), "SRC-002")
    assert {finding.about for finding in findings} == {"t-flow", "t-flow-again"}
    assert {finding.severity for finding in findings} == {"info"}


@pytest.mark.parametrize(("low", "high"), [(10.0, 10.0), (10.0, 0.0)])
def test_that_src_003_names_a_range_that_is_empty_or_upside_down(low: float, high: float) -> None:
    assert [finding.about for finding in found(line4(other("t-flow", low=low, high=high)), "SRC-003")] == ["t-flow"]


def test_that_src_003_is_silent_about_half_a_range() -> None:
    assert found(line4(other("t-flow", high=None)), "SRC-003") == []


@pytest.mark.parametrize("url", ["gopher://10.0.0.1", "opc.tcp://", "modbus://host:port"])
def test_that_src_004_names_an_endpoint_that_no_driver_can_reach(url: str) -> None:
    (finding,) = found(line4(other("filler-opcua", addresses={"default": url})), "SRC-004")
    assert (finding.severity, finding.about) == ("error", "filler-opcua")


def test_that_src_004_looks_at_every_named_address() -> None:
    (finding,) = found(line4(other("filler-opcua", addresses={"default": "opc.tcp://a:4840", "site": "nonsense"})), "SRC-004")
    assert '"site"' in finding.message


def test_that_tags_of_an_unreachable_endpoint_are_not_reported_once_each() -> None:
    assert found(line4(other("filler-opcua", addresses={"default": "gopher://10.0.0.1"})), "SRC-001") == []


MOVED = {"t-flow": ItemState(handle=1, rebind="nsu=urn:a;i=7", interval_ms=100.0)}
TAKEN = {"t-flow": ItemState(handle=1, refused="identity changed: at this address is now Other (int32)", rebind="nsu=urn:a;i=7")}


def test_that_src_005_names_a_tag_whose_variable_was_found_by_its_path() -> None:
    (finding,) = seen_found(MOVED, "SRC-005")
    assert (finding.severity, finding.about, finding.fix) == ("warning", "t-flow", "Re-bind…")
    assert "nsu=urn:a;i=7" in finding.message
    assert seen_found(TAKEN, "SRC-005") == []
    assert seen_found({"t-gone": MOVED["t-flow"]}, "SRC-005") == []


def test_that_src_006_names_a_tag_at_whose_address_another_variable_stands() -> None:
    (finding,) = seen_found(TAKEN, "SRC-006")
    assert (finding.severity, finding.about) == ("error", "t-flow")
    assert finding.message == f"{TAKEN['t-flow'].refused}; its own variable seems to be nsu=urn:a;i=7 now"
    assert seen_found(MOVED, "SRC-006") == []


def test_that_only_a_connected_workbench_finds_tags_that_strayed() -> None:
    found_here = {finding.rule for finding in run(line4_project(), {**MOVED, "t-voltage": TAKEN["t-flow"]})}
    assert {"SRC-005", "SRC-006"} <= found_here
    assert not {"SRC-005", "SRC-006"} & {finding.rule for finding in run(line4_project())}
