"""Everything of a node in the window: its references, what it holds, and every way of getting to it and back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent, QModelIndex, QPointF, Qt
from PySide6.QtGui import QGuiApplication, QMouseEvent
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QApplication, QStackedWidget

from app.drivers.opcua.questions import Line
from app.errors import UserError
from app.model.plant import Tag
from app.plant.process import Plant
from app.runtime.state import Reply
from tests.gui.driving import FILLER, Driver, line_address
from tests.peers.opcua_peer import LINE, OpcUaPeer, opcua_peer
from widgets.crawl import CrawlStrip
from widgets.details.node import NodeView
from widgets.dialogs.browse_below import BrowseBelowDialog
from widgets.dialogs.find import FindDialog
from widgets.dialogs.go_to import GoToDialog
from widgets.models.address_space import TreeNode
from widgets.models.lines import LinesModel
from widgets.references_panel import ReferencesPanel
from widgets.visited import KEPT, Visit, Visited


@pytest.fixture(scope="module")
def peer() -> Iterator[OpcUaPeer]:
    with opcua_peer("--many", "120") as running:
        yield running


@pytest.fixture
def endpoint(gui: Driver, peer: OpcUaPeer) -> str:
    """Connected, with nothing expanded below Objects."""
    endpoint = gui.add("peer", peer.url)
    gui.connect(endpoint)
    gui.children(gui.expand("peer"))
    return endpoint


def references(gui: Driver) -> ReferencesPanel:
    dock = gui.window.docks()["references"]
    dock.show()
    dock.raise_()
    panel = dock.widget()
    assert isinstance(panel, ReferencesPanel)
    gui.until(panel.isVisible, "the panel is not to be seen")
    return panel


def details(gui: Driver) -> NodeView:
    """The view of the selected node, once its attributes are there."""
    panel = gui.window.docks()["details"].widget()
    assert panel is not None
    stack = panel.findChild(QStackedWidget)
    assert stack is not None
    gui.until(lambda: isinstance(stack.currentWidget(), NodeView), "no node is shown")
    view = stack.currentWidget()
    assert isinstance(view, NodeView)
    return view


def go(gui: Driver, endpoint: str, text: str) -> None:
    gui.workbench.node_asked.emit(endpoint, text)


def at(gui: Driver) -> str:
    """The id of the one selected node, "" without one."""
    nodes = gui.endpoints._tree_nodes()
    return nodes[0].id if len(nodes) == 1 else ""


def go_and_wait(gui: Driver, endpoint: str, node: str) -> None:
    go(gui, endpoint, node)
    gui.until(lambda: at(gui) == node, f"the tree never showed {node}")


# References


def test_that_the_references_of_the_selected_node_are_shown_copied_and_followed_but_not_to_another_server(
    gui: Driver, endpoint: str
) -> None:
    panel = references(gui)
    go_and_wait(gui, endpoint, LINE + "s=Nodes.Source")
    gui.until(lambda: len(panel.model.rows) == 5, "its references never came")
    rows = [[panel.model.index(row, column).data() for column in range(5)] for row in range(5)]
    assert ["Organizes", "inverse", "Nodes", "object", "FolderType"] in rows
    assert ["GeneratesEvent", "forward", "BaseEventType", "object type", ""] in rows
    nodes = next(row for row, reference in enumerate(panel.model.rows) if reference.name == "Nodes")
    far = panel.model.index(next(row for row, reference in enumerate(panel.model.rows) if reference.name == "Far away"), 0)
    said: list[str] = []
    gui.workbench.said.connect(said.append)
    gui.choose(panel.view, far)
    gui.press(panel.view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text().split("\t")[:3] == ["Organizes", "forward", "Far away"]
    gui.press(panel.view, Qt.Key.Key_Return)
    assert said == ["Far away is on another server: connect to that server to see it"]
    assert at(gui) == LINE + "s=Nodes.Source"
    gui.choose(panel.view, panel.model.index(nodes, 0))
    gui.press(panel.view, Qt.Key.Key_Return)
    gui.until(lambda: at(gui) == LINE + "s=Nodes", "Enter went nowhere")
    gui.until(lambda: panel._shown[1] == LINE + "s=Nodes" and len(panel.model.rows) > 5, "the panel did not follow")
    target = next(row for row, reference in enumerate(panel.model.rows) if reference.name == "Objects")
    entries = gui.menu(panel.view, panel.model.index(target, 0))
    assert "Go to node" in entries
    entries["Copy id of the node"]()
    assert QGuiApplication.clipboard().text() == "nsu=http://opcfoundation.org/UA/;i=85"


def test_that_references_are_asked_for_only_while_they_are_seen(gui: Driver, endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    panel = references(gui)
    gui.window.docks()["references"].hide()
    asked: list[object] = []
    ask = gui.workbench.live.ask
    monkeypatch.setattr(gui.workbench.live, "ask", lambda where, question: asked.append(type(question).__name__) or ask(where, question))  # type: ignore[func-returns-value]  # append is done for its effect
    go_and_wait(gui, endpoint, LINE + "s=Line1")
    gui.run(300)
    assert "References" not in asked
    gui.window.docks()["references"].show()
    gui.window.docks()["references"].raise_()
    gui.until(lambda: len(panel.model.rows) > 5, "they were not read when the panel was seen again")
    assert asked.count("References") == 1


def test_that_the_panel_says_why_it_shows_nothing(gui: Driver, endpoint: str) -> None:
    panel = references(gui)
    words = panel._words.accessibleName
    assert words() == "Nothing selected"
    gui.workbench.select("node", [LINE + "s=gone"], endpoint)
    gui.until(lambda: words() == "Cannot read the references", "no error was shown")
    gui.workbench.live.disconnect(endpoint)
    gui.until(lambda: gui.phase(endpoint) == "off")
    gui.until(lambda: words() == "Not connected", "it does not say that there is no connection")
    gui.connect(endpoint)
    gui.until(lambda: words() == "Cannot read the references", "it was not asked again when there was a connection")


# What a node holds


def test_that_a_structure_is_shown_as_a_tree_with_its_definition_and_can_be_copied(gui: Driver, endpoint: str) -> None:
    go_and_wait(gui, endpoint, LINE + "s=Nodes.Order")
    view = details(gui)
    gui.until(lambda: view.value.model.lines, "its value never came")
    lines = {line.name: line.text for line in view.value.model.lines}
    assert (lines["Mode"], lines["Faults"]) == ("1 (Auto)", "5 (Door, bit 2)")
    definition = {line.name: line.text for line in view.definition.model.lines}
    assert definition["Extra"] == "float64 · optional"
    model = view.value.model
    top = model.index(0, 0)
    corner = next(model.index(row, 0, top) for row in range(model.rowCount(top)) if model.index(row, 0, top).data() == "Corner")
    assert view.value.tree.isExpanded(corner)
    gui.choose(view.value.tree, model.index(0, 0, corner))
    gui.press(view.value.tree, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == "3"
    gui.menu(view.value.tree, model.index(0, 0, corner))["Copy path and value"]()
    assert QGuiApplication.clipboard().text() == "Value.Corner.X\t3\tint16"
    copyable = dict(view.copyable())
    assert copyable["Copy id (nsu=…)"] == LINE + "s=Nodes.Order"
    assert copyable["Copy id by index (ns=…)"] == "ns=2;s=Nodes.Order"
    assert copyable["Copy browse path"] == "Nodes/Order"
    assert '"Name": "Cola"' in copyable["Copy value"]


def test_that_a_method_shows_what_it_takes_and_cannot_be_called(gui: Driver, endpoint: str) -> None:
    go_and_wait(gui, endpoint, LINE + "s=Nodes.Mix")
    view = details(gui)
    gui.until(lambda: view.rows.value("Setpoint"), "its arguments never came")
    assert view.rows.value("Setpoint") == "float64 · litres"
    assert view.rows.value("Orders") == "Order (struct)[]"
    assert view.rows.value("Grid") == "int32[2 × 3]"
    assert view._call.isVisible()
    assert not view._call.isEnabled()
    assert "comes with writing" in view._call.toolTip()
    go_and_wait(gui, endpoint, LINE + "s=Nodes.Order")
    gui.until(lambda: view.value.model.lines)
    assert not view._call.isVisible()


def test_that_without_a_connection_a_node_is_shown_as_it_was_known_with_its_age(gui: Driver, endpoint: str) -> None:
    go_and_wait(gui, endpoint, LINE + "s=Nodes.Order")
    view = details(gui)
    gui.workbench.live.disconnect(endpoint)
    gui.until(lambda: gui.phase(endpoint) == "off")
    gui.workbench.select("node", [LINE + "s=Nodes.Light"], endpoint)
    gui.until(lambda: view.rows.value("Path") == "Nodes/Light", "the cache was not asked")
    assert view.rows.value("Read").endswith("ago; not read now")
    assert "onnect" in view.subtitle.text()
    gui.connect(endpoint)
    gui.until(lambda: view.rows.value("NodeId by index") == "ns=2;s=Nodes.Light", "it was not read when there was a connection")


# Going to a node


def test_that_a_node_never_expanded_is_gone_to_by_any_of_its_names(gui: Driver, endpoint: str) -> None:
    model, tree = gui.endpoints.model, gui.endpoints.tree
    for text in ("ns=2;i=1003", LINE + "i=1003", "/Objects/2:Line1/2:Speed", "Line1/Speed"):
        top = model.endpoint_node(endpoint)
        assert top is not None
        model.refresh(model.index_of(top))  # nothing below is read any more
        gui.children(model.index_of(top))
        assert model.find(endpoint, LINE + "i=1003") is None
        gui.window.menus.trigger("node.go_to")
        dialog = gui.dialog(GoToDialog)
        assert isinstance(dialog, GoToDialog)
        closed: list[int] = []
        dialog.finished.connect(closed.append)
        dialog.field.setText(text)
        dialog.ok.click()
        gui.until(lambda: at(gui) == LINE + "i=1003", f"the tree never opened at {text}")
        assert closed == [1], "the dialog stayed"
        assert gui.workbench.selection.ids == (LINE + "i=1003",)
        assert tree.viewport().rect().intersects(tree.visualRect(tree.currentIndex()))


def test_that_going_nowhere_is_said_in_the_dialog_which_stays(gui: Driver, endpoint: str) -> None:
    gui.window.menus.trigger("node.go_to")
    dialog = gui.dialog(GoToDialog)
    assert isinstance(dialog, GoToDialog)
    for text, why in (("Line1/Nope", "nothing below Line1 is called Nope"), ("ns=2;s=gone", "BadNodeIdUnknown")):
        dialog.field.setText(text)
        dialog.go()
        gui.until(lambda why=why: dialog.message.isVisible() and why in dialog.message.details(), f"it never said: {why}")  # type: ignore[misc]  # mypy cannot infer a lambda with a default
    dialog.field.setText("ns=2;i=1003")
    dialog.go()
    dialog.reject()  # while the server is asked
    gui.run(300)
    assert at(gui) != LINE + "i=1003"
    gui.workbench.live.disconnect(endpoint)
    gui.until(lambda: gui.phase(endpoint) == "off")
    go(gui, endpoint, "ns=2;i=1003")
    assert "not connected" in gui.errors()


def test_that_a_node_without_a_place_is_shown_without_the_tree_and_one_that_is_gone_is_forgotten(gui: Driver, endpoint: str) -> None:
    said: list[str] = []
    gui.workbench.said.connect(said.append)
    go(gui, endpoint, LINE + "s=Nodes.Lost")
    gui.until(lambda: gui.workbench.selection.ids == (LINE + "s=Nodes.Lost",), "it was not shown")
    assert "does not say where it stands" in said[-1]
    go_and_wait(gui, endpoint, LINE + "s=Nodes.Source")
    gui.endpoints.tree.expand(gui.endpoints.tree.currentIndex())
    gui.until(lambda: gui.endpoints.model.find(endpoint, LINE + "s=Nodes.Lost"), "its parent was not read")
    go_and_wait(gui, endpoint, LINE + "s=Nodes.Lost")
    key, gone = gui.workbench.cache_key(endpoint), LINE + "s=gone"
    gui.workbench.workspace.remember_nodes(key, [(gone, "gone", "Line1/gone", "variable", "float64")])
    go(gui, endpoint, gone)
    gui.until(lambda: "BadNodeIdUnknown" in gui.errors(), "nobody said that it is gone")
    assert gui.workbench.workspace.known_node(key, gone) is None, "the search would find it for ever"


def test_that_a_modbus_address_leads_to_its_table_and_register(gui: Driver, plant: Plant) -> None:
    endpoint = gui.add_modbus(plant)
    gui.connect(endpoint)
    go(gui, endpoint, "3/holding:10:float32")
    gui.until(lambda: at(gui) == "3/holding", "the tree never showed the table")
    grid = gui.connect_mode.registers
    assert grid.isVisible()
    assert (grid.model.table, grid.first.value()) == ("holding", 10)
    go(gui, endpoint, "nonsense")
    gui.until(lambda: "Modbus" in gui.errors(), "it was not refused")


# Back and forward


def test_that_back_and_forward_go_through_the_nodes_that_were_visited(gui: Driver, endpoint: str) -> None:
    visited = [LINE + "i=1003", LINE + "s=Nodes.Order", LINE + "s=State"]
    for node in visited:
        go_and_wait(gui, endpoint, node)
    gui.window.menus.trigger("node.back")
    gui.until(lambda: at(gui) == visited[1])
    gui.endpoints._back.click()
    gui.until(lambda: at(gui) == visited[0])
    alt = Qt.KeyboardModifier.AltModifier
    gui.press(gui.endpoints.tree, Qt.Key.Key_Right, alt)
    gui.until(lambda: at(gui) == visited[1], "Alt+Right did nothing")
    gui.press(gui.endpoints.tree, Qt.Key.Key_Left, alt)
    gui.until(lambda: at(gui) == visited[0], "Alt+Left did nothing")
    _press_side_button(gui, Qt.MouseButton.ForwardButton)
    gui.until(lambda: at(gui) == visited[1], "the mouse button did nothing")
    go_and_wait(gui, endpoint, LINE + "s=Line1")
    assert not gui.endpoints._forward.isEnabled(), "a new way forgets the old one"


def _press_side_button(gui: Driver, button: Qt.MouseButton) -> None:
    viewport = gui.endpoints.tree.viewport()
    where = QPointF(viewport.rect().center())
    event = QMouseEvent(QEvent.Type.MouseButtonPress, where, viewport.mapToGlobal(where), button, button, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(viewport, event)


def test_that_a_way_ends_at_its_ends_and_is_not_endless() -> None:
    visited = Visited()
    assert visited.back() is None
    for number in range(KEPT + 50):
        visited.note(Visit("e", str(number)))
        visited.note(Visit("e", str(number)))
    steps = 0
    while visited.back() is not None:
        steps += 1
    assert steps == KEPT - 1
    assert visited.forward() == Visit("e", "51")
    visited.note(Visit("e", "new"))
    assert visited.forward() is None
    visited.clear()
    assert visited.here is visited.before is visited.after is None


# Searching


def test_that_the_search_finds_what_was_read_without_a_connection_and_goes_there_with_one(gui: Driver, endpoint: str) -> None:
    panel = gui.endpoints
    go_and_wait(gui, endpoint, LINE + "i=1003")
    gui.workbench.live.disconnect(endpoint)
    gui.until(lambda: gui.phase(endpoint) == "off")
    gui.workbench.project_replaced.emit()  # the tree is empty again; the cache is not
    gui.until(lambda: panel.model.find(endpoint, LINE + "i=1003") is None)
    panel.search.setText("line1 spe")
    gui.until(lambda: [node.path for node in panel.found.model.rows] == ["Line1/Speed"], "the cache was not searched")
    assert "not connected: peer" in panel.found.note.text()
    assert "ago" in panel.found.note.text()
    gui.press(panel.search, Qt.Key.Key_Return)
    gui.until(lambda: "not connected" in gui.errors(), "it does not say why it cannot go there")
    gui.connect(endpoint)
    gui.press(panel.search, Qt.Key.Key_Return)
    gui.until(lambda: at(gui) == LINE + "i=1003", "Enter did not go there")
    assert panel.tree.isVisible()
    assert panel.search.text() == ""


def test_that_hits_are_chosen_with_arrows_and_become_tags_by_their_menu(gui: Driver, endpoint: str) -> None:
    panel = gui.endpoints
    go_and_wait(gui, endpoint, LINE + "s=Line1")
    gui.children(gui.expand("peer", "Objects", "Line1"))
    gui.press(panel.tree, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert panel.search.hasFocus()
    panel.search.setText("Line1")
    gui.until(lambda: panel.found.model.rowCount() > 3)
    gui.press(panel.search, Qt.Key.Key_Down)
    gui.press(panel.search, Qt.Key.Key_Down)
    gui.press(panel.search, Qt.Key.Key_Up)
    assert panel.found.table.currentIndex().row() == 1
    speed = next(row for row, node in enumerate(panel.found.model.rows) if node.name == "Speed")
    gui.choose(panel.found.table, panel.found.model.index(speed, 0))
    gui.press(panel.found.table, Qt.Key.Key_Return)
    gui.until(lambda: at(gui) == LINE + "i=1003", "Enter did not go there")
    assert not gui.workbench.project.all(Tag), "Enter goes there, and makes no tag"
    panel.search.setText("Line1")
    gui.until(lambda: panel.found.table.isVisible())
    gui.menu(panel.found.table, panel.found.model.index(speed, 0))["Add to the tag table"]()
    gui.until(lambda: gui.names() == {"Speed"})


def test_that_ctrl_k_finds_nodes_that_were_read(gui: Driver, endpoint: str) -> None:
    go_and_wait(gui, endpoint, LINE + "s=Nodes.Order")
    gui.endpoints.tree.collapseAll()
    gui.window.menus.trigger("edit.find")
    dialog = gui.dialog(FindDialog)
    assert isinstance(dialog, FindDialog)
    dialog.field.setText("nodes toolong")
    gui.until(
        lambda: [dialog.rows.item(row).text() for row in range(dialog.rows.count())] == ["TooLong    Nodes/TooLong · peer"],
        "the node was not found",
    )
    dialog.field.returnPressed.emit()
    gui.until(lambda: at(gui) == LINE + "s=Nodes.TooLong", "it did not go there")


# Browsing everything below


def test_that_everything_below_can_be_read_and_is_found_then(gui: Driver, endpoint: str) -> None:
    panel = gui.endpoints
    go_and_wait(gui, endpoint, LINE + "s=Big")
    gui.menu(panel.tree, panel.tree.currentIndex())["Browse everything below…"]()
    dialog = gui.dialog(BrowseBelowDialog)
    assert isinstance(dialog, BrowseBelowDialog)
    dialog.rate.setValue(2000)
    dialog.begin.click()
    assert panel.crawl.running
    panel.search.setText("Big V119")
    gui.until(lambda: not panel.crawl.running, "it never ended")
    assert panel.crawl.words == "120 nodes read below Big"
    gui.until(lambda: [node.path for node in panel.found.model.rows] == ["Big/V119"], "the search did not look again")


def test_that_reading_everything_is_ended_with_one_click_and_what_was_read_stays(gui: Driver, endpoint: str) -> None:
    panel = gui.endpoints
    panel.crawl.start(endpoint, "", "peer", per_s=100, limit=100_000)
    assert not panel.can_browse_below()
    gui.until(lambda: panel.crawl.count > 20, "nothing was read")
    assert "/s, below peer" in panel.crawl.words
    known = gui.workbench.workspace.count_nodes(gui.workbench.cache_key(endpoint))
    assert known > 20
    strip = panel.findChild(CrawlStrip)
    assert strip is not None
    strip.button.click()
    assert not panel.crawl.running
    assert panel.crawl.words.endswith("cancelled")
    count = panel.crawl.count
    gui.run(200)
    assert panel.crawl.count == count
    strip.button.click()
    assert not strip.isVisible()
    gui.workbench.live.disconnect(endpoint)
    gui.until(lambda: gui.phase(endpoint) == "off")
    assert not panel.can_browse_below()
    panel.crawl.start(endpoint, "", "peer", per_s=100, limit=1000)
    gui.until(lambda: not panel.crawl.running)
    assert "onnect" in panel.crawl.words, "it does not say why nothing was read"


# The tree


def test_that_a_node_that_could_not_be_read_is_marked_until_it_can_be(gui: Driver, endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = gui.endpoints.model
    index = gui.expand("peer", "Objects", "Line1")
    gui.children(index)
    node = model.node(index)
    with monkeypatch.context() as broken:
        broken.setattr(gui.workbench.live, "browse", lambda *_: 999)
        model.refresh(index)
        gui.workbench._waiting.pop(999)(Reply(999, UserError("Not browsed", where="x", why="BadTimeout"), done=True))
    assert model.data(index, int(Qt.ItemDataRole.UserRole) + 1) == ("not read", "bad")
    assert "BadTimeout" in str(model.data(index, Qt.ItemDataRole.ToolTipRole))
    gui.choose(gui.endpoints.tree, index)
    gui.press(gui.endpoints.tree, Qt.Key.Key_F5)
    assert len(gui.children(index)) > 5
    assert not node.error


def test_that_f5_reads_details_and_references_again_too(gui: Driver, endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    panel = references(gui)
    go_and_wait(gui, endpoint, LINE + "s=Counter")
    view = details(gui)
    gui.until(lambda: panel.model.rows and view.rows.value("Value"))
    before = view.rows.value("Value")
    asked: list[str] = []
    ask = gui.workbench.live.ask
    monkeypatch.setattr(gui.workbench.live, "ask", lambda where, question: asked.append(type(question).__name__) or ask(where, question))  # type: ignore[func-returns-value]  # append is done for its effect
    gui.run(100)
    gui.press(gui.endpoints.tree, Qt.Key.Key_F5)
    gui.until(lambda: view.rows.value("Value") not in ("", before), "the value is still the old one")
    gui.until(lambda: "References" in asked)


def test_that_a_child_in_a_range_is_found_by_its_id(gui: Driver, plant: Plant) -> None:
    model = gui.endpoints.model
    top = TreeNode("endpoint-opcua", "e", "", "e")
    inside = TreeNode("variable", "e", "x", "X")
    top.children = [TreeNode("range", "e", "", "0 - 1", children=[inside]), TreeNode("error", "e", "x", "not this")]
    assert model.child(top, "x") is inside
    assert model.child(top, "y") is None


def test_that_lines_with_levels_keep_the_rules_of_item_models() -> None:
    model = LinesModel()
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Warning)  # warnings fail the test
    model.set_lines([Line(name="A"), Line(level=1, name="B", text="1"), Line(level=2, name="[0]"), Line(level=1, name="C"), Line(name="D")])
    assert model.rowCount() == 2
    assert model.rowCount(model.index(0, 0)) == 2
    inner = model.index(0, 0, model.index(0, 0, model.index(0, 0)))
    assert model.text(inner) == "A.B[0]"
    assert model.parent(inner).data() == "B"
    assert not model.set_lines(list(model.lines))
    model.set_lines([Line(level=3, name="begins deep")])  # a connector that lies
    assert model.rowCount() == 1
    assert not model.hasChildren(QModelIndex(model.index(0, 0)))
    del tester


def test_that_the_demo_plant_is_walked_too(gui: Driver, plant: Plant) -> None:
    endpoint = gui.add_opcua(plant)
    gui.connect(endpoint)
    gui.children(gui.expand("filler-opcua"))
    go_and_wait(gui, endpoint, line_address("Line4/Filler1/FT-101.PV"))
    node = gui.endpoints._tree_nodes()[0]
    names = []
    above = node.parent
    while above is not None:
        names.append(above.name)
        above = above.parent
    assert names[::-1] == ["filler-opcua", *FILLER]
