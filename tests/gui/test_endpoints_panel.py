"""The tree of what is really there: lazy, honest about errors, searchable, and what is done from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QInputDialog

from app.drivers.base import BrowseColumns
from app.edits.endpoints import rename_endpoint
from app.errors import UserError
from app.model.plant import Tag, Unit
from app.plant.process import Plant
from app.runtime.state import Reply
from tests.gui.driving import FILLER, Driver, line_address
from widgets.dialogs.add_endpoint import AddEndpointDialog
from widgets.models.address_space import GROUP_ABOVE, GROUP_SIZE, AddressSpaceModel
from widgets.node_tags import tags_from_nodes
from widgets.workbench import Workbench


@pytest.fixture
def asked(workbench: Workbench, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every node whose children were asked for, in order."""
    seen: list[str] = []
    browse = workbench.live.browse

    def counting(endpoint: str, nodes: Sequence[str], resume: bytes | None = None) -> int:
        seen.extend(nodes)
        return browse(endpoint, nodes, resume)

    monkeypatch.setattr(workbench.live, "browse", counting)
    return seen


@pytest.fixture
def server(workbench: Workbench, monkeypatch: pytest.MonkeyPatch) -> Callable[[int, BrowseColumns | UserError], None]:
    """An endpoint that is connected to nothing, whose answers the test gives: ``server(token, answer)``. Tokens count from 1."""
    tokens = iter(range(1, 1000))
    monkeypatch.setattr(workbench.live, "browse", lambda *_: next(tokens))
    connected = workbench.live.state("nobody")
    monkeypatch.setattr(workbench.live, "state", lambda _: type(connected)(phase="connected", stale=False))

    def answer(token: int, result: BrowseColumns | UserError) -> None:
        workbench._waiting.pop(token)(Reply(token, result, done=True))

    return answer


def rows(names: Sequence[str], *, leaf: bool = True, **more: object) -> BrowseColumns:
    count = len(names)
    return BrowseColumns(
        parent=(0,) * count,
        id=tuple(f"nsu=urn:x;s={name}" for name in names),
        name=tuple(names),
        browse_name=tuple(names),
        path=tuple(names),
        node_class=("variable",) * count,
        type=("float32",) * count,
        has_children=(not leaf,) * count,
        description=("",) * count,
        **more,  # type: ignore[arg-type]  # errors, resume
    )


def test_that_adding_an_endpoint_to_a_project_does_not_connect_it(gui: Driver, plant: Plant) -> None:
    endpoint = gui.add_opcua(plant)
    gui.run(300)
    assert gui.phase(endpoint) == "off"
    top = gui.endpoints.model.index(0, 0)
    gui.endpoints.tree.expand(top)
    assert [node.name for node in gui.children(top)] == ["Not connected: press Connect"]


def test_that_one_command_connects_every_endpoint_and_opens_the_first_level(gui: Driver, plant: Plant) -> None:
    ids = [gui.add_opcua(plant), gui.add_modbus(plant)]
    gui.window.menus.trigger("endpoint.connect_all")
    gui.until(lambda: all(gui.phase(id_) == "connected" for id_ in ids))
    model = gui.endpoints.model
    for row, expected in enumerate(("Objects", "Unit 3")):
        top = model.index(row, 0)
        gui.until(lambda top=top: gui.endpoints.tree.isExpanded(top))  # type: ignore[misc]  # mypy cannot infer a lambda with a default
        assert expected in [node.name for node in gui.children(top)]


def test_that_only_what_is_expanded_is_asked_for_and_only_once(gui: Driver, plant: Plant, asked: list[str]) -> None:
    gui.connect(gui.add_opcua(plant))
    index = gui.expand("filler-opcua", "Objects", "Plant1")
    gui.children(index)
    assert len(asked) == 3
    assert asked[0] == ""
    gui.endpoints.tree.collapse(index)
    gui.endpoints.tree.expand(index)
    gui.run(100)
    assert len(asked) == 3


def test_that_f5_reads_the_children_of_the_selected_row_again(gui: Driver, plant: Plant, asked: list[str]) -> None:
    gui.connect(gui.add_opcua(plant))
    index = gui.expand("filler-opcua", "Objects", "Plant1")
    before = [node.id for node in gui.children(index)]
    gui.choose(gui.endpoints.tree, index)
    count = len(asked)
    gui.press(gui.endpoints.tree, Qt.Key.Key_F5)
    gui.until(lambda: len(asked) == count + 1)
    assert [node.id for node in gui.children(index)] == before


def test_that_the_filter_finds_what_was_read_so_far_and_says_so(gui: Driver, plant: Plant) -> None:
    gui.connect(gui.add_opcua(plant))
    gui.children(gui.expand("filler-opcua", *FILLER))
    gui.endpoints.search.setText("ft-101")
    gui.until(lambda: gui.endpoints.found.model.rowCount() > 0, "the filter found nothing")
    found = [node.name for node in gui.endpoints.found.model.rows]
    assert "FT-101.PV" in found
    assert all("ft-101" in f"{node.name} {node.path} {node.id}".casefold() for node in gui.endpoints.found.model.rows)
    gui.endpoints.search.setText("nothing is called so")
    gui.until(lambda: gui.endpoints.found.model.rowCount() == 0)
    gui.endpoints.search.clear_query()
    assert gui.endpoints.tree.isVisible()


def test_that_a_node_that_cannot_be_read_has_an_error_row_and_the_others_are_there(
    gui: Driver, server: Callable[[int, BrowseColumns | UserError], None]
) -> None:
    gui.add("a", "opc.tcp://127.0.0.1:4840")
    model = gui.endpoints.model
    gui.endpoints.tree.expand(model.index(0, 0))
    server(1, rows(["First", "Second"], errors={0: "BadNodeIdUnknown (0x80340000)"}))
    kinds = [(node.kind, node.name) for node in gui.children(model.index(0, 0))]
    assert kinds == [("variable", "First"), ("variable", "Second"), ("error", "BadNodeIdUnknown (0x80340000)")]


def test_that_a_refused_request_leaves_an_error_row_that_f5_tries_again(
    gui: Driver, server: Callable[[int, BrowseColumns | UserError], None]
) -> None:
    gui.add("a", "opc.tcp://127.0.0.1:4840")
    model = gui.endpoints.model
    top = model.index(0, 0)
    gui.endpoints.tree.expand(top)
    server(1, UserError("Not browsed", where="a", why="BadTimeout", fix="Refresh"))
    assert [(node.kind, node.name) for node in gui.children(top)] == [("error", "Not browsed: BadTimeout")]
    model.refresh(top)
    server(2, rows(["Now"]))
    assert [node.name for node in gui.children(top)] == ["Now"]


def test_that_many_siblings_come_as_ranges_with_one_insertion(
    gui: Driver, server: Callable[[int, BrowseColumns | UserError], None]
) -> None:
    gui.add("a", "opc.tcp://127.0.0.1:4840")
    model = gui.endpoints.model
    top = model.index(0, 0)
    gui.endpoints.tree.expand(top)
    inserted: list[int] = []
    model.rowsInserted.connect(lambda _, first, last: inserted.append(last - first + 1))
    many = [f"Tag{number:05d}" for number in range(5 * GROUP_ABOVE + 7)]
    server(1, rows(many))
    ranges = gui.children(top)
    assert inserted == [len(ranges)] == [-(-len(many) // GROUP_SIZE)]
    assert all(node.kind == "range" for node in ranges)
    assert model.rowCount(model.index(1, 0, top)) == GROUP_SIZE
    assert model.node(model.index(3, 0, model.index(2, 0, top))).name == "Tag02003"
    assert model.rowCount(model.index(len(ranges) - 1, 0, top)) == 7


def test_that_answers_in_parts_are_put_together(gui: Driver, server: Callable[[int, BrowseColumns | UserError], None]) -> None:
    gui.add("a", "opc.tcp://127.0.0.1:4840")
    top = gui.endpoints.model.index(0, 0)
    gui.endpoints.tree.expand(top)
    server(1, rows(["A", "B"], resume=b"more"))
    server(2, rows(["C"]))
    assert [node.name for node in gui.children(top)] == ["A", "B", "C"]


def test_that_the_tree_keeps_the_rules_of_item_models(gui: Driver, server: Callable[[int, BrowseColumns | UserError], None]) -> None:
    model = gui.endpoints.model
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Warning)  # warnings fail the test
    gui.add("b", "opc.tcp://127.0.0.1:4840")
    top = model.index(0, 0)
    gui.endpoints.tree.expand(top)
    server(1, rows([f"Tag{number}" for number in range(GROUP_ABOVE + 1)]))
    assert len(gui.children(top)) == 3
    model.refresh(top)
    server(2, rows(["One", "Two"]))
    first = gui.add("a", "modbus://127.0.0.1:502?unit=1")
    gui.workbench.do(rename_endpoint(gui.workbench.project, first, "z"))
    for _ in range(3):
        gui.workbench.editor.undo()
    gui.workbench.editor.redo()
    gui.workbench.new()
    assert model.rowCount() == 0
    del tester


def test_that_the_tree_keeps_what_is_expanded_and_selected_over_a_rename_of_the_endpoint(gui: Driver, plant: Plant) -> None:
    endpoint = gui.add_opcua(plant)
    gui.connect(endpoint)
    index = gui.expand("filler-opcua", "Objects", "Plant1")
    gui.children(index)
    gui.choose(gui.endpoints.tree, index)
    gui.workbench.do(rename_endpoint(gui.workbench.project, endpoint, "a new name"))
    model, tree = gui.endpoints.model, gui.endpoints.tree
    top = model.index(0, 0)
    assert model.node(top).name == "a new name"
    assert tree.isExpanded(top)
    again = gui.expand("a new name", "Objects", "Plant1")
    assert [node.name for node in gui.endpoints.selected()] == ["Plant1"]
    assert tree.isExpanded(again)


def test_that_another_endpoint_leaves_the_expanded_rows_of_the_first_alone(gui: Driver, plant: Plant) -> None:
    gui.connect(gui.add_opcua(plant, "second"))
    gui.children(gui.expand("second", "Objects", "Plant1"))
    gui.add("first", "modbus://127.0.0.1:502?unit=1")
    model, tree = gui.endpoints.model, gui.endpoints.tree
    assert [model.node(model.index(row, 0)).name for row in range(2)] == ["first", "second"]
    assert tree.isExpanded(model.index(1, 0))
    gui.workbench.editor.undo()
    assert tree.isExpanded(model.index(0, 0))


@pytest.mark.parametrize("way", ["key", "menu", "double click", "drag"])
def test_that_a_variable_becomes_a_tag_with_type_unit_and_range_by_every_way(gui: Driver, plant: Plant, way: str) -> None:
    gui.connect(gui.add_opcua(plant))
    gui.children(gui.expand("filler-opcua", *FILLER))
    index = gui.expand("filler-opcua", *FILLER, "FT-101.PV")
    tree = gui.endpoints.tree
    gui.choose(tree, index)
    match way:
        case "key":
            gui.press(tree, Qt.Key.Key_Return)
        case "menu":
            gui.menu(tree, index)["Add to the tag table"]()
        case "double click":
            tree.doubleClicked.emit(index)
        case "drag":
            assert gui.drag(tree, [index], gui.tags._empty)
    gui.until(lambda: gui.workbench.project.all(Tag), "no tag was made")
    (tag,) = gui.workbench.project.all(Tag).values()
    assert (tag.address, tag.name, tag.type, tag.unit, tag.low, tag.high) == (
        line_address("Line4/Filler1/FT-101.PV"), "FT-101.PV", "float32", "L2", 0.0, 150.0,
    )  # fmt: skip
    gui.window.menus.trigger("edit.undo")
    assert not gui.workbench.project.all(Tag)


def test_that_state_names_come_with_an_enumeration(gui: Driver, plant: Plant) -> None:
    endpoint = gui.add_opcua(plant)
    gui.connect(endpoint)
    tags_from_nodes(gui.workbench, endpoint, [line_address("Line4/Filler1/State")])
    gui.until(lambda: gui.workbench.project.all(Tag))
    (tag,) = gui.workbench.project.all(Tag).values()
    assert tag.enum["2"] == "EXECUTE"


def test_that_what_describes_a_variable_does_not_become_a_tag_of_its_own(gui: Driver, plant: Plant) -> None:
    gui.connect(gui.add_opcua(plant))
    index = gui.expand("filler-opcua", *FILLER)
    gui.menu(gui.endpoints.tree, index)["Add all variables below to the tag table"]()
    gui.until(lambda: gui.workbench.project.all(Tag))
    assert "FT-101.PV" in gui.names()
    described = {"EURange", "EngineeringUnits", "EnumStrings", "EnumValues", "InstrumentRange", "Definition"}
    assert not {name for name in gui.names() if name.rsplit("/", 1)[-1] in described}


def test_that_ids_are_copied_as_text(gui: Driver, plant: Plant) -> None:
    gui.connect(gui.add_opcua(plant))
    gui.children(gui.expand("filler-opcua", *FILLER))
    index = gui.expand("filler-opcua", *FILLER, "FT-101.PV")
    gui.choose(gui.endpoints.tree, index)
    gui.press(gui.endpoints.tree, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == line_address("Line4/Filler1/FT-101.PV")
    gui.menu(gui.endpoints.tree, index)["Copy browse path"]()
    assert QGuiApplication.clipboard().text().endswith("Filler1/FT-101&.PV")


def test_that_a_unit_id_can_be_added_where_a_modbus_address_names_none(gui: Driver, plant: Plant) -> None:
    endpoint = gui.add_modbus(plant, unit=None)
    gui.connect(endpoint)
    tree = gui.endpoints.tree
    top = gui.endpoints.model.index(0, 0)
    gui.menu(tree, top)["Add unit id…"]()
    dialog = gui.dialog(QInputDialog)
    assert isinstance(dialog, QInputDialog)
    dialog.setIntValue(4)
    dialog.accept()
    assert [unit.number for unit in gui.workbench.project.all(Unit).values()] == [4]
    gui.until(lambda: "Unit 4" in [node.name for node in gui.children(top)], "the tree does not show the unit")
    gui.workbench.editor.undo()
    assert not gui.workbench.project.all(Unit)


def test_that_the_first_step_is_a_button(gui: Driver) -> None:
    gui.endpoints._empty.findChildren(type(gui.endpoints._add))[0].click()
    assert isinstance(gui.dialog(), AddEndpointDialog)
    gui.dialog().reject()


def test_that_a_model_is_empty_without_endpoints(workbench: Workbench) -> None:
    model = AddressSpaceModel(workbench)
    assert model.rowCount() == 0
    assert not model.hasChildren(QModelIndex())


def test_that_an_answer_for_a_row_that_has_gone_changes_nothing(
    gui: Driver, server: Callable[[int, BrowseColumns | UserError], None]
) -> None:
    model = gui.endpoints.model
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Warning)
    gui.add("a", "opc.tcp://127.0.0.1:4840")
    top = model.index(0, 0)
    model.fetchMore(top)
    server(1, rows(["Folder"], leaf=False))
    model.fetchMore(model.index(0, 0, top))  # token 2, and its parent is read again before the answer comes
    model.refresh(top)
    filled: list[str] = []
    model.rowsInserted.connect(lambda parent: filled.append(model.node(parent).name))
    server(2, rows(["Child"]))
    assert not filled, "rows were inserted below a row that is not in the tree"
    server(3, rows(["Folder", "Other"], leaf=False))
    assert [node.name for node in gui.children(top)] == ["Folder", "Other"]
    assert model.rowCount(model.index(0, 0, top)) == 0
    del tester
