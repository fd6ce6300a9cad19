from __future__ import annotations

import math

from app.edits import Editor
from app.edits.edit import replace, with_fields
from app.mapping.evaluate import compile_mapping, evaluate
from app.model.mapping import Mapping
from app.model.project import Project
from app.model.values import Quality, Sample, Value
from tests.factory import line4_project

NS = 1_700_000_000_000_000_000


def sample(
    value: Value, type_: str = "float64", quality: Quality = Quality.GOOD, *, source_ns: int | None = NS, at_ns: int = NS + 5
) -> Sample:
    return Sample(value, type_, quality, 0, source_ns, None, at_ns)


def mapping_of(project: Project, attribute: str) -> Mapping:
    """The mapping of an attribute, without its transform: what the operators do is tested beside them."""
    found = next(mapping for mapping in project.all(Mapping).values() if mapping.attribute == attribute)
    return changed(project, found, transform=())


def changed(project: Project, mapping: Mapping, **fields: object) -> Mapping:
    new = with_fields(mapping, **fields)
    Editor(project).do(replace("change", project, [new]))
    assert isinstance(new, Mapping)
    return new


def test_that_a_good_value_arrives_with_its_quality_and_source_time() -> None:
    project = line4_project()
    result = evaluate(project, mapping_of(project, "a-filler-fillflow"), sample(11.5))
    assert result == (11.5, Quality.GOOD, "", NS, "source")


def test_that_a_missing_source_time_is_replaced_by_the_receive_time_and_named_so() -> None:
    project = line4_project()
    result = evaluate(project, mapping_of(project, "a-filler-fillflow"), sample(1.0, source_ns=None))
    assert (result.time_ns, result.time_kind) == (NS + 5, "receive")


def test_that_nan_and_infinity_become_null_with_the_reason() -> None:
    project = line4_project()
    mapping = mapping_of(project, "a-filler-fillflow")
    for value, reason in ((math.nan, "not a number"), (math.inf, "infinite")):
        result = evaluate(project, mapping, sample(value))
        assert (result.value, result.quality, result.reason) == (None, Quality.BAD, reason)


def test_that_a_fraction_never_becomes_a_whole_number_in_silence() -> None:
    project = line4_project()
    mapping = mapping_of(project, "a-filler-bottles")
    assert evaluate(project, mapping, sample(3.0)).value == 3
    result = evaluate(project, mapping, sample(3.5))
    assert result.value is None
    assert "add a cast" in result.reason


def test_that_a_count_beyond_53_bits_keeps_every_digit() -> None:
    project = line4_project()
    mapping = mapping_of(project, "a-filler-bottles")
    assert evaluate(project, mapping, sample(2**63 + 1, "uint64")).value == 2**63 + 1


def test_that_good_only_withholds_and_hold_keeps_the_last_good_value_for_its_time() -> None:
    project = line4_project()
    mapping = mapping_of(project, "a-filler-fillflow")
    good_only = compile_mapping(project, changed(project, mapping, quality="good_only"))
    assert good_only(sample(1.0, quality=Quality.UNCERTAIN)).value is None
    hold = compile_mapping(project, changed(project, project.all(Mapping)[mapping.id], quality="hold", hold_s=10.0))
    assert hold(sample(1.0, at_ns=NS)).value == 1.0
    held = hold(sample(None, quality=Quality.BAD, at_ns=NS + 9_000_000_000))
    assert (held.value, held.quality) == (1.0, Quality.UNCERTAIN)
    assert "held" in held.reason
    assert hold(sample(None, quality=Quality.BAD, at_ns=NS + 11_000_000_000)).value is None


def test_that_a_mapping_to_an_unknown_attribute_gives_bad_quality_and_says_which() -> None:
    project = line4_project()
    lost = with_fields(mapping_of(project, "a-filler-fillflow"), attribute="gone")
    assert isinstance(lost, Mapping)
    result = evaluate(project, lost, sample(1.0))
    assert (result.value, result.quality) == (None, Quality.BAD)
    assert "gone" in result.reason


def test_that_before_the_first_sample_there_is_no_value_and_no_time() -> None:
    project = line4_project()
    result = evaluate(project, mapping_of(project, "a-filler-fillflow"), None)
    assert (result.value, result.time_ns, result.reason) == (None, None, "no value yet")


def test_that_the_transform_of_the_mapping_stands_between_source_and_it_value() -> None:
    project = line4_project()
    mapping = project.all(Mapping)["m-fill-flow"]
    assert evaluate(project, mapping, sample(50.0)).value == 50.0 * 1.02 - 0.1
    assert evaluate(project, mapping, sample(500.0)).value == 200.0
