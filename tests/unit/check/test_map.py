from __future__ import annotations

import pytest

from app.errors import UserError
from app.model.element import Element
from app.model.itmodel import Attribute
from app.model.mapping import Bit, Cast, GainOffset, Linear, Mapping, UnitConversion
from app.model.project import Project
from tests.factory import line4_project
from tests.unit.check.projects import found, line4, mended, other

HEALTHY = ["MAP-002", "MAP-003", "MAP-004", "MAP-005", "MAP-006", "MAP-007", "MAP-008", "MAP-009"]


@pytest.mark.parametrize("rule", HEALTHY)
def test_that_a_healthy_line_breaks_no_rule(rule: str) -> None:
    assert found(line4_project(), rule) == []


def twin(**fields: object) -> Mapping:
    made = other("m-fill-flow", **fields)
    assert isinstance(made, Mapping)
    return made


def test_that_map_001_names_each_required_attribute_without_a_source() -> None:
    places = {finding.place.rsplit("/", 1)[-1] for finding in found(line4_project(), "MAP-001")}
    assert places == {"bottles", "recipe"}
    assert not [finding for finding in found(line4_project(), "MAP-001") if finding.about == "filler-1"]
    emptied = line4(other("m-bottles", sources=()))
    assert {finding.about for finding in found(emptied, "MAP-001")} == {"filler-1", "filler-2"}


def test_that_map_001_is_silent_about_an_attribute_that_is_not_required() -> None:
    assert not [finding for finding in found(line4(without=["m-level"]), "MAP-001") if "bowlLevel" in finding.place]


def test_that_map_001_looks_into_components() -> None:
    project = line4(other("a-motor-speed", required=True))
    assert [finding.place for finding in found(project, "MAP-001") if "motor" in finding.place] == [
        "ACME/Plant 1/Packaging/Line 4/Filler 2/motor.speed"
    ]


def test_that_map_002_names_every_mapping_of_an_attribute_that_has_two_and_its_fix_leaves_the_other() -> None:
    project = line4(twin(id="m-again"))
    findings = found(project, "MAP-002")
    assert {finding.about for finding in findings} == {"m-fill-flow", "m-again"}
    assert mended(project, findings[0]) == []
    assert len(project.mappings_for("filler-1", "a-filler-fillflow")) == 1


def test_that_map_003_names_a_mapping_without_a_tag_and_one_with_an_unknown_tag() -> None:
    assert [finding.about for finding in found(line4(other("m-level", sources=())), "MAP-003")] == ["m-level"]
    assert "t-gone" in found(line4(other("m-level", sources=("t-gone",))), "MAP-003")[0].message


def test_that_map_004_names_a_type_that_can_never_pass() -> None:
    (finding,) = found(line4(other("m-bottles", sources=("t-recipe",))), "MAP-004")
    assert (finding.severity, finding.about) == ("error", "m-bottles")
    assert finding.fix


def test_that_map_004_is_silent_when_an_operator_makes_the_type_right() -> None:
    assert found(line4(other("m-bottles", sources=("t-recipe",), transform=(Cast(type="uint64"),))), "MAP-004") == []
    assert found(line4(other("m-running", sources=("t-status",), transform=(Bit(index=0),))), "MAP-004") == []


def test_that_map_005_names_values_that_do_not_fit_the_type() -> None:
    (finding,) = found(line4(other("a-filler-bottles", data_type="int16")), "MAP-005")
    assert (finding.severity, finding.about) == ("warning", "m-bottles")
    fractions = found(line4(other("a-filler-bowllevel", data_type="int32")), "MAP-005")
    assert {finding.severity for finding in fractions} == {"error"}
    assert found(line4(other("a-filler-bottles", data_type="int64")), "MAP-005") == []


def test_that_map_006_names_units_that_differ_and_its_fix_converts() -> None:
    project = line4(other("m-temperature", transform=()))
    (finding,) = found(project, "MAP-006")
    assert (finding.severity, finding.about) == ("error", "m-temperature")
    assert "°F" in finding.message
    assert mended(project, finding) == []
    assert project.all(Mapping)["m-temperature"].transform == (UnitConversion(source="FAH", target="CEL"),)


def test_that_the_fix_of_map_006_replaces_a_conversion_from_the_wrong_unit_and_keeps_the_rest() -> None:
    project = line4(other("m-pressure", transform=(UnitConversion(source="FAH", target="CEL"), Cast(type="float64"))))
    findings = found(project, "MAP-006")
    assert findings
    assert mended(project, findings[0]) == []
    assert project.all(Mapping)["m-pressure"].transform == (UnitConversion(source="BAR", target="KPA"), Cast(type="float64"))


def test_that_the_fix_of_map_006_refuses_units_that_no_factor_relates() -> None:
    project = line4(other("a-filler-bowlpressure", unit="CEL"), other("m-pressure", transform=()))
    (finding,) = found(project, "MAP-006")
    with pytest.raises(UserError, match="°C"):
        mended(project, finding)


def test_that_map_007_names_a_source_that_reaches_beyond_the_attribute() -> None:
    (finding,) = found(line4(other("m-fill-flow", transform=(GainOffset(gain=10),))), "MAP-007")
    assert (finding.severity, finding.about) == ("warning", "m-fill-flow")
    assert "1500" in finding.message


@pytest.mark.parametrize(
    "transform", [(Linear(raw_low=0, raw_high=0, low=0, high=1),), (UnitConversion(source="BAR", target="CEL"),), (Cast(type="colour"),)]
)
def test_that_map_008_names_a_transform_that_works_for_no_value(transform: tuple[object, ...]) -> None:
    assert [finding.about for finding in found(line4(other("m-level", transform=transform)), "MAP-008")] == ["m-level"]


def foreign() -> Project:
    stranger: Element = Attribute(id="a-strange", asset_type="meter", name="strange", data_type="float64")
    return line4(stranger, other("m-level", attribute="a-strange"))


def test_that_map_009_names_a_mapping_to_an_attribute_of_another_type() -> None:
    (finding,) = found(foreign(), "MAP-009")
    assert finding.about == "m-level"
    assert finding.place.endswith("Filler 1/strange")


def test_that_map_009_asks_for_the_right_component_too() -> None:
    assert [finding.about for finding in found(line4(other("m-speed", within=())), "MAP-009")] == ["m-speed"]
