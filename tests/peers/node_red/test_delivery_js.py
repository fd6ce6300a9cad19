"""The program that Node-RED flows carry, run by node itself and compared with ``app.mapping`` and with its Starlark twin."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.model.mapping import GainOffset, Part
from app.model.values import Sample
from tests.factory import line4_project
from tests.unit.gateways.interpreters import NODE, run_javascript, run_starlark
from tests.unit.gateways.jobs import START_NS, expected, job_for, messages_of, plan_of, same_json, transforms, types, values
from tests.unit.gateways.test_program import MATRIX, PARTS, RAW, event, sample, tick

pytestmark = [pytest.mark.prove("node-red"), pytest.mark.timeout(600)]

cases = st.tuples(
    st.lists(transforms, max_size=3), types, st.sampled_from([{}, {"0": "off", "1": "on"}]), values, st.integers(0, 2)
)  # fmt: skip


@pytest.fixture(autouse=True)
def node() -> None:
    if NODE is None:
        pytest.skip("node is not installed")


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(st.lists(cases, min_size=50, max_size=400))
def test_that_javascript_makes_of_every_value_what_the_mapping_makes(many: list[Any]) -> None:  # Any: what ``cases`` draws
    jobs = [job_for(*case) for case in many]
    for case, (((_, payload, _, _),),) in zip(many, run_javascript(jobs), strict=True):
        value, quality = expected(*case)
        assert same_json(value, payload["value"]), (case, value, payload)
        assert payload["quality"] == quality, (case, quality, payload)


def story(project_events: list[dict[str, Any]]) -> dict[str, Any]:  # Any: JSON
    plan, _ = plan_of(line4_project())
    return {"plan": plan, "now_ns": START_NS, "events": project_events}


def test_that_the_messages_of_the_whole_project_are_those_of_the_preview() -> None:
    project = line4_project()
    samples: dict[str, Sample] = {tag: sample(tag, START_NS + place * 1_234_567) for place, tag in enumerate(RAW)}
    job = story([*(event(tag, one) for tag, one in samples.items()), tick(START_NS + 2_000_000_000)])
    made = {topic: payload for out in run_javascript([job])[0] for topic, payload, _, _ in out}
    assert made == json.loads(json.dumps(messages_of(project, samples)))


steps = st.one_of(
    st.tuples(st.sampled_from(sorted(RAW)), st.integers(0, 2)).map(lambda pair: ("sample", *pair)), st.just(("tick",)), st.just(("alive",))
)  # fmt: skip


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(steps, st.integers(1, 40_000)), max_size=60))
def test_that_both_interpreters_tell_the_same_story(story_steps: list[Any]) -> None:  # Any: what ``steps`` draws
    """Samples, ticks, silence and proofs of life in any order: message for message the same from JavaScript and Starlark."""
    events, now_ns = [], START_NS
    for step, pause_ms in story_steps:
        now_ns += pause_ms * 1_000_000
        if step[0] == "sample":
            one = sample(step[1], now_ns)
            events.append({**event(step[1], one), "quality": step[2]})
        else:
            events.append({"kind": step[0], "watch": "w", "now_ns": now_ns})
    job = story(events)
    assert run_javascript([job]) == run_starlark([job])


def test_that_javascript_takes_parts_of_a_matrix_as_the_mapping_does() -> None:
    jobs = [
        job_for([Part(path=path), GainOffset(gain=1)], "float64[]" if isinstance(made, list) else "float64", {}, MATRIX, 0)
        for path, made in PARTS
    ]
    assert [sent[0][1]["value"] for (sent,) in run_javascript(jobs)] == [made for _, made in PARTS]
