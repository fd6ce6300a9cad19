from app.commands.terminal.building import drafts_of
from app.drivers.base import NodeDetails


def node(path: str) -> NodeDetails:
    name = path.rpartition("/")[2].replace("&", "")
    return NodeDetails(id=f"nsu=urn:x;s={path}", name=name, path=path, node_class="variable", type="int16", access="rw")


def test_that_names_are_short_where_they_are_one_of_a_kind_and_paths_where_not() -> None:
    drafts = drafts_of([node("Plant/Line/Filler1/Speed"), node("Plant/Line/Filler2/Motor/Speed"), node("Plant/Line/FT-101&.PV")])
    assert [draft.name for draft in drafts] == ["Filler1/Speed", "Filler2/Motor/Speed", "FT-101.PV"]
    assert (drafts[0].path, drafts[0].type, drafts[0].access) == ("Plant/Line/Filler1/Speed", "int16", "rw")


def test_that_a_single_variable_keeps_its_name() -> None:
    assert [draft.name for draft in drafts_of([node("Speed")])] == ["Speed"]
    assert drafts_of([]) == []
