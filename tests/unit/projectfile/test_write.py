import json

import pytest
from hypothesis import given

from app.errors import CollectedError
from app.model.plant import Endpoint, Security, Tag
from app.model.project import KINDS, Project, ProjectInfo
from app.projectfile import read, write
from tests import strategies
from tests.unit.projectfile.examples import LINES, SMALL, small_project

HEADER = ProjectInfo(id="p-aaaaaa", name="p")
ENDPOINT = Endpoint(id="e-aaaaaa", name="e", addresses={"default": "opc.tcp://h:1"})


def test_that_the_file_is_a_header_then_elements_by_kind_and_id_with_an_empty_line_after_each_then_the_end() -> None:
    lines = SMALL.decode().split("\n")
    assert lines[1:-3:2] == [""] * len(lines[1:-3:2])
    assert lines[-2:] == ['{"kind":"end"}', ""]
    assert LINES[0] == '{"kind":"tagloom","id":"line-4-aaaaaa","format":1,"name":"Line 4"}'
    keys = [(fields["kind"], fields["id"]) for fields in map(json.loads, LINES[1:-1])]
    assert keys == sorted(keys)
    assert {kind for kind, _ in keys} | {"tagloom"} == set(KINDS)


def test_that_a_line_begins_with_kind_and_id_and_goes_on_as_declared_without_defaults() -> None:
    tag = next(line for line in LINES if '"flow-aaaaaa","endpoint"' in line)
    assert tag == (
        '{"kind":"tag","id":"flow-aaaaaa","endpoint":"filler-aaaaaa","address":"nsu=urn:line;s=Flow",'
        '"name":"Füllmenge °","group":"fast-aaaaaa","low":1.0}'
    )
    for line in LINES[:-1]:
        fields = json.loads(line)
        assert list(fields)[:2] == ["kind", "id"]
        declared = [name for name in KINDS[fields["kind"]].__struct_fields__ if name in fields]
        assert list(fields)[1:] == declared


def test_that_defaults_are_left_out_however_they_came_about() -> None:
    computed = Tag(id="t-aaaaaa", endpoint="e-aaaaaa", address="x", name="t", gain=float("1"), offset=float("-0"), access="".join(["r"]))  # type: ignore[arg-type]  # made at run time
    endpoint = Endpoint(id="e-aaaaaa", name="e", addresses={"default": "x:"}, security=Security(policy="".join(["No", "ne"])))
    text = write(Project(HEADER, [computed, endpoint])).decode()
    assert '"name":"t"}' in text
    assert "security" not in text


@given(strategies.projects())
def test_that_any_project_comes_back_equal_and_writes_the_same_bytes(project: Project) -> None:
    data = write(project)
    again = read(data, "x.tagloom")
    assert strategies.same(again, project)
    assert write(again) == data


@given(strategies.projects())
def test_that_the_bytes_do_not_depend_on_the_order_in_which_elements_came(project: Project) -> None:
    header, *others = project.elements()
    assert isinstance(header, ProjectInfo)
    assert write(Project(header, reversed(others))) == write(project)


@pytest.mark.parametrize(
    ("element", "why"),
    [
        (Tag(id="t-aaaaaa", endpoint="e-aaaaaa", address="x", name="t", low=float("nan")), "NaN"),
        (Tag(id="t-aaaaaa", endpoint="e-aaaaaa", address="x", name="t", gain=float("inf")), "Expected `float`"),
        (Tag(id="t-aaaaaa", endpoint="e-aaaaaa", address="x", name="\ud800"), "surrogate"),
        (Tag(id="t-aaaaaa", endpoint="gone-aaaaaa", address="x", name="t"), 'endpoint names "gone-aaaaaa"'),
        (Tag(id="T 1", endpoint="e-aaaaaa", address="x", name="t"), "id must be"),
        (Tag(id="t-aaaaaa", endpoint="e-aaaaaa", address="x", name="t", extensions={"a": {1, 2}}), "JSON"),
    ],
)
def test_that_what_could_not_be_read_again_is_not_written(element: Tag, why: str) -> None:
    with pytest.raises(CollectedError) as caught:
        write(Project(HEADER, [ENDPOINT, element]))
    assert [why in problem.why for problem in caught.value.problems] == [True]


def test_that_every_problem_of_a_project_is_told_at_once() -> None:
    project = small_project()
    others = [element for element in project.elements() if element.id not in ("filler-aaaaaa", "line-4-aaaaaa")]
    with pytest.raises(CollectedError) as caught:
        write(Project(project.info, others))
    assert len(caught.value.problems) == 4  # two tags, a unit, a suppression
