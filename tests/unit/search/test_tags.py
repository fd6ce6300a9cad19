"""Tags found by words, in the order of the project or of a list, while the index grows and the project changes."""

from __future__ import annotations

from app.edits import Editor
from app.edits.edit import replace, with_fields
from app.edits.tags import remove_tags
from app.model.plant import Endpoint, Tag
from app.model.project import Project, ProjectInfo
from app.search import tags as search_tags
from app.search.tags import TagIndex
from tests.factory import line4_project


def many(count: int) -> Project:
    endpoint = Endpoint(id="e", name="plc", addresses={"default": "opc.tcp://127.0.0.1:4840"})
    tags = (
        Tag(id=f"t-{number:05d}", endpoint="e", address=f"nsu=urn:x;s={number}", name=f"Filler{number % 100}.Value{number}", type="float32")
        for number in range(count)
    )
    return Project(ProjectInfo(id="many", name="Many"), [endpoint, *tags])


def test_that_every_word_must_stand_in_name_address_or_description() -> None:
    index = TagIndex(line4_project())
    assert set(index.find("filler1 pv")) == {"t-flow", "t-pressure", "t-level", "t-temperature"}
    assert list(index.find("FILLER1 pv", ["t-temperature", "t-relay", "t-flow"])) == ["t-temperature", "t-flow"]
    assert list(index.find("no such thing")) == []


def test_that_an_index_of_very_many_tags_grows_in_slices_and_is_the_same_in_the_end() -> None:
    project = many(search_tags.AT_ONCE + 5000)
    editor, index = Editor(project), TagIndex(project)
    editor.listen(index.follow)
    assert len(index.texts) < len(project.all(Tag))
    steps = 0
    while not index.grow(0.0):
        steps += 1
        if steps == 3:  # of what is not in yet, one goes and one changes; a new one comes
            editor.do(remove_tags(project, ["t-24000"]))
            editor.do(replace("Name", project, [with_fields(project.all(Tag)["t-24001"], name="renamed")]))
            editor.do(replace("Add", project, [Tag(id="t-00000a", endpoint="e", address="nsu=urn:x;s=new", name="added", type="bool")]))
    assert steps > 20
    assert index.has_all
    assert len(index.texts) == len(project.all(Tag))
    assert list(index.find("renamed")) == ["t-24001"]
    assert list(index.find("value24000")) == []
    expected = [id_ for id_, tag in project.all(Tag).items() if "7" in tag.name or "7" in tag.address]
    assert list(index.find("7")) == expected
    assert list(index.find(""))[:2] == ["t-00000", "t-00000a"]


def test_that_the_first_to_show_begin_with_the_query_then_come_the_shortest() -> None:
    project = many(2000)
    index = TagIndex(project)
    assert index.best("value1", 3) == ["t-00001", "t-00010", "t-00011"]
    assert index.best("filler7.", 2) == ["t-00007", "t-00107"]
    assert index.best("FILLER7.value1", 1) == ["t-00107"]
