from __future__ import annotations

import pytest

from app.model.itmodel import Asset
from app.model.mapping import Delivery
from tests.factory import line4_project
from tests.unit.check.projects import found, line4, other


@pytest.mark.parametrize("rule", ["UNS-001", "UNS-002", "UNS-003", "UNS-004", "UNS-005"])
def test_that_a_healthy_line_breaks_no_rule(rule: str) -> None:
    assert found(line4_project(), rule) == []


@pytest.mark.parametrize("name", ["Filler/1", "Filler+", "#1", "$SYS", " Filler", "Fil\x01ler", "  "])
@pytest.mark.parametrize("about", ["filler-1", "line-4-place", "a-filler-bottles"])
def test_that_uns_001_names_what_cannot_be_a_level_of_a_topic(name: str, about: str) -> None:
    (finding,) = found(line4(other(about, name=name)), "UNS-001")
    assert (finding.severity, finding.about) == ("error", about)


def test_that_uns_001_is_silent_about_blanks_dots_and_letters_of_any_alphabet() -> None:
    assert found(line4(other("filler-1", name="Füller 1.A (Nord)")), "UNS-001") == []


def test_that_uns_002_names_every_asset_of_one_path() -> None:
    findings = found(line4(other("filler-2", name="Filler 1")), "UNS-002")
    assert {finding.about for finding in findings} == {"filler-1", "filler-2"}


def test_that_uns_002_is_silent_about_one_name_at_two_places() -> None:
    elsewhere = Asset(id="filler-3", name="Filler 1", asset_type="filler", place="packaging")
    assert found(line4(elsewhere), "UNS-002") == []


def test_that_uns_003_names_assets_whose_topic_is_the_same_though_their_place_is_not() -> None:
    narrow = Delivery(id="default-delivery", topic="{enterprise}/{asset}")
    elsewhere = Asset(id="filler-3", name="filler 1", asset_type="filler", place="packaging")
    findings = found(line4(narrow, elsewhere), "UNS-003")
    assert {finding.about for finding in findings} == {"filler-1", "filler-3"}
    assert found(line4(elsewhere), "UNS-003") == []


def test_that_uns_004_names_a_place_within_one_that_is_smaller() -> None:
    (finding,) = found(line4(other("packaging", parent="line-4-place"), other("line-4-place", parent="plant-1")), "UNS-004")
    assert (finding.about, finding.message) == ("packaging", "an area cannot lie in a line")


def test_that_uns_004_is_silent_about_a_level_that_is_left_out() -> None:
    assert found(line4(other("line-4-place", parent="plant-1")), "UNS-004") == []


@pytest.mark.parametrize("topic", ["{enterprise}/{machine}", "plant/+/{asset}", "plant/#", "$share/{asset}"])
def test_that_uns_005_names_a_topic_that_nothing_can_be_published_to(topic: str) -> None:
    (finding,) = found(line4(other("default-delivery", topic=topic)), "UNS-005")
    assert (finding.severity, finding.about) == ("error", "default-delivery")


def test_that_uns_005_tells_the_default_delivery_from_that_of_a_type() -> None:
    assert found(line4(other("meter-delivery", topic="#")), "UNS-005")[0].place == "Delivery of EnergyMeter"
    assert found(line4(other("default-delivery", topic="#")), "UNS-005")[0].place == "Delivery"
