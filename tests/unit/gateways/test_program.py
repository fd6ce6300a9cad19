"""The interpreters that exports carry, compared with ``app.mapping``: Starlark here, JavaScript in ``tests/peers/node_red``."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import UserError
from app.gateways import Options
from app.gateways.program import as_json, collect_of, steps_of
from app.model.itmodel import Asset
from app.model.mapping import Cast, Delivery, GainOffset, Linear, Part, Round, Sqrt, Transform
from app.model.plant import Group
from app.model.project import Project
from app.model.values import Quality, Sample
from tests.factory import changed, line4_project
from tests.strategies import json_values
from tests.unit.gateways.interpreters import run_starlark, typed
from tests.unit.gateways.jobs import START_NS, expected, job_for, messages_of, plan_of, same_json, transforms, types, values

RAW: dict[str, object] = {
    "t-flow": 101.37000274658203, "t-pressure": 2.1449999809265137, "t-level": 57.31, "t-temperature": 183.1, "t-bottles": 4_000_000_123,
    "t-volumes": [500.04, 499.95, 501.25], "t-recipe": "  STILL-0.5L\0", "t-state": 2, "t-running": True, "t-speed": 1160,
    "t-torque": 49.5, "t-state-2": 5, "t-flow-2": 0.1, "t-voltage": 229.75, "t-energy": 482137, "t-frequency": 5001,
    "t-status": 0b1000_0101, "t-alarm": False, "t-model": "TLM-630", "t-relay": True, "t-exporting": False, "t-vibration": 2.25,
}  # fmt: skip


def sample(tag: str, at_ns: int, quality: Quality = Quality.GOOD) -> Sample:
    return Sample(RAW[tag], "", quality, 0, at_ns - 7_000_000, at_ns - 3_000_000, at_ns)


def event(tag: str, one: Sample) -> dict[str, Any]:  # Any: JSON
    times = {"source_ns": str(one.source_ns), "server_ns": str(one.server_ns)}
    return {"kind": "sample", "source": tag, "value": typed(one.value), "quality": int(one.quality), "now_ns": one.receive_ns, **times}


def tick(at_ns: int) -> dict[str, Any]:  # Any: JSON
    return {"kind": "tick", "now_ns": at_ns}


def job_of(project: Project, *events: dict[str, Any]) -> dict[str, Any]:  # Any: JSON
    plan, _ = plan_of(project)
    return {"plan": plan, "now_ns": START_NS, "events": list(events)}


@given(st.lists(transforms, max_size=3), types, st.sampled_from([{}, {"0": "off", "1": "on"}]), values, st.integers(0, 2))
def test_that_starlark_makes_of_every_value_what_the_mapping_makes(
    transform: list[Transform], data_type: str, enum: dict[str, str], value: object, quality: int
) -> None:
    ((sent,),) = run_starlark([job_for(transform, data_type, enum, value, quality)])
    wanted_value, wanted_quality = expected(transform, data_type, enum, value, quality)
    assert same_json(wanted_value, sent[0][1]["value"])
    assert sent[0][1]["quality"] == wanted_quality


HALVES = [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 0.49999999999999994, 2.675, 1e15 + 0.5]
HALVES += [16777217.0, 3.4028235677973366e38, 1e-46, 1.00001e-42, -0.0]


@pytest.mark.parametrize("value", HALVES)
@pytest.mark.parametrize(
    "step",
    [Cast(type="int64", rounding=rounding) for rounding in ("half_even", "floor", "ceil", "truncate")]
    + [Round(digits=digits) for digits in (-1, 0, 2)]
    + [Cast(type="float32"), Cast(type="string")],
)  # fmt: skip
def test_that_halves_and_the_edges_of_types_are_rounded_as_the_mapping_rounds(step: Transform, value: float) -> None:
    data_type = {"int64": "int64", "float32": "float32", "string": "string"}.get(getattr(step, "type", ""), "float64")
    ((sent,),) = run_starlark([job_for([step], data_type, {}, value, 0)])
    assert same_json(expected([step], data_type, {}, value, 0)[0], sent[0][1]["value"])


def test_that_the_messages_of_the_whole_project_are_those_of_the_preview() -> None:
    project = line4_project()
    plan, _ = plan_of(project)
    assert {attribute["source"] for asset in plan["assets"] for attribute in asset["attributes"]} == set(RAW)
    samples = {tag: sample(tag, START_NS + place * 1_234_567) for place, tag in enumerate(RAW)}
    job = job_of(project, *(event(tag, one) for tag, one in samples.items()), tick(START_NS + 2_000_000_000))
    sent = run_starlark([job])[0]
    made = {topic: payload for out in sent for topic, payload, _, _ in out}
    assert made == json.loads(json.dumps(messages_of(project, samples)))


@pytest.mark.parametrize("fields", [
    {"message": "attribute"}, {"keys": "camelCase"}, {"time": "epoch_ns"}, {"quality": "none", "unit": False}, {"quality": "none"},
    {"null": "omit"}, {"topic": "{site}/{type}/{attribute}", "message": "attribute", "retain": True, "qos": 2},
])  # fmt: skip
def test_that_every_option_of_the_delivery_is_kept(fields: dict[str, object]) -> None:
    project = line4_project()
    changed(project, project.all(Delivery)["default-delivery"], **fields)
    samples = {tag: sample(tag, START_NS) for tag in RAW if tag != "t-recipe"}
    job = job_of(project, *(event(tag, one) for tag, one in samples.items()), tick(START_NS + 2_000_000_000))
    sent = [one for out in run_starlark([job])[0] for one in out]
    preview = json.loads(json.dumps(messages_of(project, samples)))
    delivery = project.all(Delivery)["default-delivery"]
    unsent = {topic for topic in preview if topic.endswith(("/recipe",))}  # on change: what never had a value is not announced
    assert {topic: payload for topic, payload, _, _ in sent} == {topic: one for topic, one in preview.items() if topic not in unsent}
    for topic, _, qos, retain in sent:
        if "Filler" in topic:
            assert (qos, retain) == (delivery.qos, delivery.retain)


def test_that_on_change_only_changes_are_sent_and_those_of_one_moment_together() -> None:
    project = line4_project()
    first, later = START_NS + 10_000_000, START_NS + 500_000_000
    job = job_of(
        project, event("t-flow", sample("t-flow", first)), event("t-recipe", sample("t-recipe", first)), tick(first + 1), tick(first + 2),
        event("t-flow", sample("t-flow", later)), tick(later + 1),
    )  # fmt: skip
    counts = [len([one for one in out if "Filler 1" in one[0]]) for out in run_starlark([job])[0]]
    assert counts == [0, 0, 1, 0, 0, 0]


def test_that_a_periodic_delivery_is_sent_every_period_whether_anything_changed_or_not() -> None:
    project = line4_project()
    moments = [START_NS + step * 250_000_000 for step in range(1, 17)]  # four seconds
    job = job_of(project, *(tick(at) for at in moments))
    sent = [one for out in run_starlark([job])[0] for one in out]
    assert [one[0] for one in sent] == ["ACME/Plant 1/Packaging/Meter 1"] * 4


def test_that_a_silent_connection_makes_everything_behind_it_null_and_a_sign_of_life_brings_it_back() -> None:
    project = line4_project()
    at = START_NS + 1_000_000
    job = job_of(
        project, event("t-flow", sample("t-flow", at)), tick(at + 1), tick(START_NS + 59_000_000_000), tick(START_NS + 61_000_000_000),
        {"kind": "alive", "watch": "w", "now_ns": START_NS + 62_000_000_000}, tick(START_NS + 62_100_000_000),
    )  # fmt: skip
    outs = run_starlark([job])[0]
    cells = [[one[1]["values"]["fillFlow"] for one in out if one[0].endswith("Filler 1")] for out in outs]
    assert [len(cell) for cell in cells] == [0, 1, 0, 1, 0, 1]
    assert cells[3][0]["value"] is None
    assert cells[3][0]["quality"] == "bad"
    assert cells[5][0] == cells[1][0]


def test_that_a_held_value_is_uncertain_until_its_time_is_over_and_then_null() -> None:
    project = line4_project()  # levelRoot holds for 30 s
    good, bad = START_NS + 1_000_000, START_NS + 5_000_000_000
    job = job_of(
        project, event("t-level", sample("t-level", good)), tick(good + 1), event("t-level", sample("t-level", bad, Quality.BAD)),
        tick(bad + 1), tick(good + 29_000_000_000), tick(good + 31_000_000_000),
    )  # fmt: skip
    outs = run_starlark([job])[0]
    held = [
        [
            (one[1]["values"]["levelRoot"]["quality"], one[1]["values"]["levelRoot"]["value"] is None)
            for one in out
            if one[0].endswith("Filler 1")
        ]
        for out in outs
    ]
    assert held == [[], [("good", False)], [], [("uncertain", False)], [], [("bad", True)]]


def test_that_a_deadband_swallows_small_changes_and_no_large_ones() -> None:
    project = line4_project()
    changed(project, project.all(Group)["fast"], deadband=2.0)
    at = START_NS + 1_000_000
    steps = []
    for place, value in enumerate((100.0, 101.9, 102.0, 102.1, 100.2, 100.0)):
        one = Sample(value, "", Quality.GOOD, 0, at + place, at + place, at + place)
        steps += [event("t-flow", one), tick(at + place)]
    outs = run_starlark([job_of(project, *steps)])[0][1::2]
    shown = [out[0][1]["values"]["fillFlow"]["value"] if out else None for out in outs]
    assert [value is not None for value in shown] == [True, False, False, True, False, True]


def test_that_names_with_a_meaning_of_their_own_in_javascript_are_only_names() -> None:
    project = line4_project()
    asset = changed(project, project.all(Asset)["meter-1"], name="__proto__").all(Asset)["meter-1"]
    samples = {tag: sample(tag, START_NS) for tag in RAW}
    job = job_of(project, *(event(tag, one) for tag, one in samples.items()), tick(START_NS + 2_000_000_000))
    made = {topic: payload for out in run_starlark([job])[0] for topic, payload, _, _ in out}
    assert f"ACME/Plant 1/Packaging/{asset.name}" in made


def test_that_a_span_too_narrow_for_numbers_gives_no_value_instead_of_an_infinite_gain() -> None:
    assert steps_of([Linear(raw_low=0.0, raw_high=5e-324, low=0.0, high=1e9)]) == [{"op": "never"}]
    assert steps_of([Linear(raw_low=1.0, raw_high=1.0, low=0.0, high=1.0)]) == [{"op": "never"}]


@given(json_values)
def test_that_the_data_is_ascii_without_a_dollar_sign_and_reads_back_as_it_was(data: object) -> None:
    text = as_json(data)
    assert text.isascii()
    assert "$" not in text
    assert json.loads(text) == data


@pytest.mark.parametrize("text", ["0", "19", "60001", "-5", "1.5", "", "x", "²", "9" * 400])
def test_that_a_collecting_time_which_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="20 to 60000"):
        collect_of(Options(values={"collect_ms": text}))


MATRIX = [[1, 2, 3], [4, 5, 6]]
PARTS: list[tuple[str, object]] = [("[1]", [4.0, 5.0, 6.0]), ("[1,2]", 6.0), ("[2]", None), ("[0].x", None), ("[0][0][0]", None)]


@pytest.mark.parametrize(("path", "made"), PARTS)
def test_that_a_part_of_a_matrix_is_taken_as_the_mapping_takes_it(path: str, made: object) -> None:
    transform: list[Transform] = [Part(path=path), GainOffset(gain=1)]
    type_ = "float64[]" if isinstance(made, list) else "float64"
    ((sent,),) = run_starlark([job_for(transform, type_, {}, MATRIX, 0)])
    assert expected(transform, type_, {}, MATRIX, 0)[0] == made
    assert same_json(made, sent[0][1]["value"])


def test_that_what_can_never_be_done_is_not_done_to_an_empty_array_either() -> None:
    ((sent,),) = run_starlark([job_for([Sqrt(high=0.0)], "float64[]", {}, [], 0)])
    assert expected([Sqrt(high=0.0)], "float64[]", {}, [], 0)[0] is None
    assert sent[0][1]["value"] is None
