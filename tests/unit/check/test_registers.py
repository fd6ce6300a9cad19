from __future__ import annotations

import pytest

from app.model.plant import Tag
from tests.factory import line4_project
from tests.unit.check.projects import found, line4


def tag(address: str, id_: str = "t-new") -> Tag:
    return Tag(id=id_, endpoint="meter-modbus", address=address, name=id_)


@pytest.mark.parametrize("rule", ["REG-001", "REG-002"])
def test_that_a_healthy_line_breaks_no_rule(rule: str) -> None:
    assert found(line4_project(), rule) == []


def test_that_reg_001_names_items_that_share_a_register_and_are_not_the_same_item() -> None:
    (finding,) = found(line4(tag("3/holding:101:float32:CDAB")), "REG-001")
    assert (finding.severity, finding.about) == ("warning", "t-new")
    assert "VoltageL1" in finding.message


def test_that_reg_001_finds_a_long_item_far_above() -> None:
    project = line4(tag("3/holding:200:str64", "t-long"), tag("3/holding:204:int16", "t-a"), tag("3/holding:230:int16", "t-b"))
    assert {finding.about for finding in found(project, "REG-001")} == {"t-a", "t-b"}


@pytest.mark.parametrize(
    "address", ["4/holding:101:float32:CDAB", "3/input:101:float32:CDAB", "3/holding:102:float32:CDAB", "3/holding:119.7"]
)
def test_that_reg_001_is_silent_about_other_units_tables_neighbours_and_bits(address: str) -> None:
    assert found(line4(tag(address)), "REG-001") == []


@pytest.mark.parametrize("address", ["3/holding:100:float32:ABCD", "3/holding:100:uint32:CDAB"])
def test_that_reg_002_names_one_register_that_is_read_in_two_ways(address: str) -> None:
    (finding,) = found(line4(tag(address)), "REG-002")
    assert finding.severity == "warning"


def test_that_reg_002_is_silent_about_the_same_item_twice() -> None:
    assert found(line4(tag("3/holding:100:float32:CDAB")), "REG-002") == []
