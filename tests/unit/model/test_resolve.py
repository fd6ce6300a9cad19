import time
from collections.abc import Sequence

from app.model.element import Element
from app.model.itmodel import Asset, AssetType, Attribute, Component, Place
from app.model.project import Project, ProjectInfo
from app.model.resolve import PART_LIMIT, attributes, level_names, lineage, path_of, places

HEADER = ProjectInfo(id="p-p")


def type_(id_: str, extends: str = "") -> AssetType:
    return AssetType(id=id_, name=id_, extends=extends)


def attribute(id_: str, owner: str, name: str) -> Attribute:
    return Attribute(id=id_, asset_type=owner, name=name, data_type="float64")


def paths(elements: Sequence[Element], of: str) -> list[str]:
    return [found.path for found in attributes(Project(HEADER, elements), of)]


def test_that_own_attributes_replace_inherited_ones_in_their_place_and_components_follow() -> None:
    elements = [
        type_("base"), type_("filler", "base"), type_("motor"),
        attribute("a1", "base", "state"), attribute("a2", "base", "count"),
        attribute("a3", "filler", "state"), attribute("a4", "motor", "speed"),
        Component(id="c1", asset_type="base", name="motor", type="motor"),
        Component(id="c2", asset_type="filler", name="spare", type="motor"),
    ]  # fmt: skip
    assert paths(elements, "filler") == ["state", "count", "motor.speed", "spare.speed"]
    found = attributes(Project(HEADER, elements), "filler")
    assert [one.attribute.id for one in found][:2] == ["a3", "a2"]
    assert [one.within for one in found][2:] == [("c1",), ("c2",)]


def test_that_types_that_extend_or_contain_themselves_come_to_an_end() -> None:
    elements = [type_("a", "b"), type_("b", "a"), attribute("x", "a", "x"), Component(id="c", asset_type="a", name="me", type="a")]
    assert [one.id for one in lineage(Project(HEADER, elements), "a")] == ["a", "b"]
    assert paths(elements, "a") == ["x", "me.x"]


def test_that_components_that_multiply_come_to_an_end_in_time() -> None:
    """Sixteen levels of ten components each would be 10^16 parts."""
    elements: list[Element] = [type_(f"t{level}") for level in range(20)]
    elements += [Component(id=f"c{n}-{k}", asset_type=f"t{n}", name=f"c{k}", type=f"t{n + 1}") for n in range(19) for k in range(10)]
    elements.append(attribute("x", "t0", "x"))
    began = time.monotonic()
    assert len(paths(elements, "t0")) <= PART_LIMIT
    assert time.monotonic() - began < 10


def test_that_the_path_of_an_asset_goes_from_the_outermost_place_inwards() -> None:
    elements = [
        Place(id="plant", name="Plant 1", level="site"), Place(id="line", name="Line 4", level="line", parent="plant"),
        type_("t"), Asset(id="filler", name="Filler 1", asset_type="t", place="line"),
    ]  # fmt: skip
    project = Project(HEADER, elements)
    asset = project.all(Asset)["filler"]
    assert path_of(project, asset) == "Plant 1/Line 4/Filler 1"
    assert level_names(project, asset) == {"enterprise": "", "site": "Plant 1", "area": "", "line": "Line 4", "cell": ""}


def test_that_places_in_each_other_come_to_an_end() -> None:
    elements = [Place(id="a", name="a", level="site", parent="b"), Place(id="b", name="b", level="site", parent="a"), type_("t")]
    asset = Asset(id="x", name="x", asset_type="t", place="a")
    assert len(places(Project(HEADER, [*elements, asset]), asset)) == 2
