from hypothesis import given

from app.edits.removal import dependents
from app.model.element import Element
from app.model.itmodel import AssetType, Place
from app.model.plant import Tag, WatchList
from app.model.project import KINDS, Project
from app.model.references import REFERENCES, dangling, targets
from tests import strategies

PLAIN_TEXTS = {
    "tagloom": {"name", "description"},
    "approval": {"digest", "by", "at", "why"},
    "asset": {"name", "title", "description"},
    "assettype": {"name", "title", "version", "uri", "semantic_ids", "description"},
    "attribute": {"name", "data_type", "title", "unit", "semantic_ids", "description"},
    "comment": {"by", "at", "text"},
    "component": {"name", "description"},
    "delivery": {"topic", "message", "keys", "time", "quality", "null", "trigger"},
    "endpoint": {"name", "description", "namespaces"},
    "group": {"name", "description"},
    "mapping": {"time", "quality", "note"},
    "place": {"name", "level", "description"},
    "suppression": {"rule", "by", "at", "why"},
    "tag": {"address", "name", "type", "path", "unit", "access", "description"},
    "unit": {"name", "order", "description"},
    "watchlist": {"name"},
}
"""Texts that name no element. A new text field must be put here or into ``REFERENCES``: nobody may forget to decide."""


def test_that_every_text_field_of_every_kind_is_known_to_be_a_reference_or_not() -> None:
    for word, kind in KINDS.items():
        texts = {name for name, type_ in kind.__annotations__.items() if ("str" in type_ and "dict" not in type_) or "Literal" in type_}
        texts |= {name for name, type_ in kind.__annotations__.items() if type_ == "Level"}
        texts -= {name for name, type_ in kind.__annotations__.items() if type_ == "Literal[0, 1, 2]"}
        references = {reference.field for reference in REFERENCES.get(kind, ())}
        assert references | PLAIN_TEXTS[word] == texts - {"id"}, word
        assert not references & PLAIN_TEXTS[word]


@given(strategies.projects())
def test_that_a_whole_project_has_no_dangling_reference_and_any_removal_makes_those_of_its_dependents(project: Project) -> None:
    kinds = dict(project.kinds_of_ids())
    assert not [wrong for element in project.elements() for wrong in dangling(element, kinds)]
    for id_ in project.ids():
        without = {other: kind for other, kind in kinds.items() if other != id_}
        broken = {element.id for element in project.elements() if element.id != id_ and dangling(element, without)}
        assert broken == {element.id for element in dependents(project, [id_])}


def sentences(element: Element, **kinds: str) -> list[str]:
    return dangling(element, {name.replace("_", "-"): kind for name, kind in kinds.items()})


def test_that_a_reference_to_the_wrong_kind_is_told_as_such() -> None:
    tag = Tag(id="t", endpoint="e", address="x", name="t", group="g")
    assert sentences(tag, e="endpoint", g="group") == []
    assert sentences(tag, e="endpoint", g="tag") == ['group names "g", which is of kind tag, not group']
    assert sentences(tag, g="group") == ['endpoint names "e", and there is no such endpoint']


def test_that_only_optional_references_may_be_empty() -> None:
    assert sentences(Place(id="p", name="p", level="site")) == []
    assert sentences(AssetType(id="a", name="a")) == []
    assert len(sentences(Tag(id="t", endpoint="", address="x", name="t"))) == 1
    assert len(sentences(WatchList(id="w", name="w", tags=("",)))) == 1


def test_that_an_element_names_each_of_its_targets() -> None:
    assert [id_ for _, id_ in targets(WatchList(id="w", name="w", tags=("a", "b")))] == ["a", "b"]
