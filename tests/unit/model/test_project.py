import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.edits import Editor
from app.edits.removal import remove
from app.model.element import Element
from app.model.itmodel import Asset, AssetType
from app.model.mapping import Delivery
from app.model.plant import Endpoint, Tag
from app.model.project import _INDEXES, KINDS, Change, Project, ProjectInfo, kind_of
from app.model.references import targets
from tests import strategies

HEADER = ProjectInfo(id="p-aaaaaa", name="p")
ENDPOINT = Endpoint(id="e-aaaaaa", name="e", addresses={"default": "opc.tcp://h:1"})


def tag(id_: str, name: str = "t", address: str = "x") -> Tag:
    return Tag(id=id_, endpoint="e-aaaaaa", address=address, name=name)


def created(element: Element) -> Change:
    return Change(kind_of(element), element.id, None, element)


def test_that_collections_and_lookups_are_in_the_order_of_ids_however_the_elements_came() -> None:
    project = Project(HEADER, [ENDPOINT, tag("t-c"), tag("t-a")])
    project.swap([created(tag("t-b"))])
    assert list(project.all(Tag)) == ["t-a", "t-b", "t-c"]
    assert [one.id for one in project.tags_of("e-aaaaaa")] == ["t-a", "t-b", "t-c"]
    assert [one.id for one in project.elements()] == ["p-aaaaaa", "e-aaaaaa", "t-a", "t-b", "t-c"]


def test_that_a_view_that_was_taken_before_a_change_shows_it() -> None:
    project = Project(HEADER, [ENDPOINT])
    view = project.all(Tag)
    project.swap([created(tag("t-a"))])
    assert list(view) == ["t-a"]


def test_that_a_change_made_for_another_state_changes_nothing() -> None:
    project = Project(HEADER, [ENDPOINT, tag("t-a")])
    with pytest.raises(ValueError, match="not as the edit expects"):
        project.swap([created(tag("t-b")), Change("tag", "t-a", tag("t-a", name="other"), None)])
    assert list(project.all(Tag)) == ["t-a"]
    assert project.revision == 0


def test_that_an_id_never_stands_for_two_elements() -> None:
    with pytest.raises(ValueError, match="taken by a endpoint"):
        Project(HEADER, [ENDPOINT, tag("e-aaaaaa")])
    project = Project(HEADER, [ENDPOINT])
    with pytest.raises(ValueError, match="taken"):
        project.swap([created(tag("e-aaaaaa"))])
    with pytest.raises(ValueError, match="taken"):
        project.swap([created(tag("t-a")), created(AssetType(id="t-a", name="T"))])
    project.swap([Change("endpoint", "e-aaaaaa", ENDPOINT, None), created(tag("e-aaaaaa"))])  # in one change it may pass on
    assert isinstance(project.element("e-aaaaaa"), Tag)


def test_that_there_is_always_exactly_one_header() -> None:
    project = Project(HEADER)
    other = ProjectInfo(id="q-aaaaaa")
    for changes in ([Change("tagloom", "p-aaaaaa", HEADER, None)], [created(other)]):
        with pytest.raises(ValueError, match="one header"):
            project.swap(changes)
    with pytest.raises(ValueError, match="one header"):
        Project(HEADER, [other])
    project.swap([Change("tagloom", "p-aaaaaa", HEADER, None), created(other)])
    assert project.info is other


def test_that_a_delivery_falls_back_from_the_type_to_the_default_to_the_built_in_one() -> None:
    types = [AssetType(id="a-a", name="A"), AssetType(id="b-b", name="B")]
    project = Project(HEADER, types)
    assert project.delivery_for("a-a").id == ""
    project.swap([created(Delivery(id="d-d", qos=0)), created(Delivery(id="o-o", asset_type="a-a", qos=2))])
    assert (project.delivery_for("a-a").id, project.delivery_for("b-b").id) == ("o-o", "d-d")


def snapshot(project: Project) -> dict[str, object]:
    """All that can be asked of a project: elements, every index under every key, what refers to what."""
    found: dict[str, object] = {"elements": list(project.elements()), "ids": dict(sorted(project.kinds_of_ids().items()))}
    for name, (kind, keys) in _INDEXES.items():
        for element in project.all(KINDS[kind]).values():
            for key in keys(element):
                found[f"{name} {key}"] = project._indexes[name].get(key)
    for id_ in {*project.ids(), *(id_ for element in project.elements() for _, id_ in targets(element))}:
        found[f"referrers {id_}"] = project.referrers(id_)
    return found


def index_sizes(project: Project) -> list[int]:
    return [len(index._rows or {}) for index in (*project._indexes.values(), project._referrers)]


@given(strategies.projects(), st.data())
def test_that_after_any_edits_undone_and_redone_every_index_is_that_of_a_project_made_anew(project: Project, data: st.DataObject) -> None:
    editor = Editor(project)
    snapshot(project)  # builds every index, so that it has to be kept current from here on
    for _ in range(data.draw(st.integers(1, 12))):
        match data.draw(st.sampled_from(["remove", "add", "change", "undo", "redo"])):
            case "undo":
                editor.undo()
            case "redo":
                editor.redo()
            case "remove":
                ids = sorted(project.ids() - {project.info.id})
                if ids:
                    editor.do(remove("Remove", project, data.draw(st.lists(st.sampled_from(ids), min_size=1, max_size=3))))
            case _:
                strategies.do_something(editor, data.draw)
    header, *others = project.elements()
    assert isinstance(header, ProjectInfo)
    fresh = Project(header, data.draw(st.permutations(others)))
    assert snapshot(project) == snapshot(fresh)
    assert index_sizes(project) == index_sizes(fresh)


@given(strategies.projects())
def test_that_undoing_everything_leads_back_to_the_beginning(project: Project) -> None:
    before = list(project.elements())
    editor = Editor(project)
    for id_ in sorted(project.ids() - {project.info.id}):
        editor.do(remove("Remove", project, [id_]))
    assert list(project.elements()) == [project.info]
    while editor.undo_name:
        editor.undo()
    assert list(project.elements()) == before


def test_that_types_are_looked_up_by_their_own_kind_only() -> None:
    project = Project(HEADER, [AssetType(id="a-a", name="A"), Asset(id="b-b", name="b", asset_type="a-a")])
    assert project.get(AssetType, "b-b") is None
    assert project.element("b-b") is project.get(Asset, "b-b")
    assert "b-b" in project
    assert "c-c" not in project
