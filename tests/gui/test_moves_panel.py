"""Find what moves on the demo plant: what a person did to the machine stands first, what always moves last."""

from __future__ import annotations

import socket

import pytest
from PySide6.QtCore import QPersistentModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester

from app.edits.edit import replace, with_fields
from app.model.plant import Endpoint, Identity, Tag
from app.model.values import Value
from app.plant.process import Plant
from app.runtime.movement import Moved
from tests.gui.driving import FILLER, Driver
from widgets.look import color
from widgets.models.moved import NAME, WHY, MovedModel
from widgets.moves_panel import MovesPanel

SPEED_SETPOINT = "4/holding:0"


@pytest.fixture
def panel(gui: Driver) -> MovesPanel:
    dock = gui.window.docks()["moves"]
    dock.show()
    dock.raise_()
    panel = dock.widget()
    assert isinstance(panel, MovesPanel)
    gui.until(panel.isVisible)
    return panel


@pytest.fixture
def drive(gui: Driver, plant: Plant, panel: MovesPanel) -> str:
    """The plant's Modbus endpoint, connected, its drive chosen."""
    endpoint = gui.add_modbus(plant)
    gui.connect(endpoint)
    gui.workbench.moves_asked.emit(endpoint, ["4/holding"], [])
    panel.part.last.setValue(15)
    return endpoint


def observed(gui: Driver) -> int:
    """How many observations the devices are asked for."""
    return len(gui.workbench.live._observations._running)


def learning(gui: Driver, panel: MovesPanel) -> None:
    """Press *Start watching*, until first values have come."""
    panel.watch.click()
    gui.until(lambda: panel.moving.phase == "learning" and panel.act.isEnabled(), "no first values came")


def acted(gui: Driver, panel: MovesPanel) -> None:
    """Act until something has changed."""
    panel.act.click()
    gui.until(lambda: panel.model.rows, "nothing changed")
    panel.act.click()


def set_speed(plant: Plant, rpm: int) -> None:
    """As another master does: write single register (Modbus V1.1b3 §6.6)."""
    host, port = plant.modbus_url.removeprefix("modbus://").split(":")
    with socket.create_connection((host, int(port)), 5) as wire:
        wire.sendall(bytes.fromhex(f"0001000000060406{0:04x}{rpm:04x}"))
        assert wire.recv(64)[7] == 6


def rows(panel: MovesPanel, column: int) -> list[str]:
    return [str(panel.model.index(row, column).data()) for row in range(panel.model.rowCount())]


def test_that_what_a_person_moved_stands_first_and_what_always_moves_last_and_dimmed(
    gui: Driver, own_plant: Plant, panel: MovesPanel
) -> None:
    endpoint = gui.add_modbus(own_plant)
    gui.connect(endpoint)
    gui.workbench.moves_asked.emit(endpoint, ["4/holding"], [])
    panel.part.last.setValue(15)
    assert panel.part.is_modbus
    learning(gui, panel)
    gui.until(lambda: "Learning what always moves: 2 of 5 s. Leave the machine alone. 16 of 16" in panel.state.text())
    panel.act.click()
    assert "Act on the machine now" in panel.state.text()
    assert panel.warning.text().startswith("only 2 s were learned")
    set_speed(own_plant, 400)
    gui.until(lambda: SPEED_SETPOINT in [moved.address for moved in panel.model.rows], "the setpoint was not seen")
    gui.until(lambda: any(moved.always for moved in panel.model.rows), "nothing moves all the time")
    panel.act.click()
    always = [moved.always for moved in panel.model.rows]
    assert always == sorted(always), "what always moves stands behind what the person moved"
    row = next(row for row, moved in enumerate(panel.model.rows) if moved.address == SPEED_SETPOINT)
    assert not always[row]
    assert not always[0]
    assert [panel.model.index(row, column).data() for column in (2, 3, 5)] == ["1,000", "400", "changed only in the window"]
    last = panel.model.index(panel.model.rowCount() - 1, NAME)
    assert panel.model.index(last.row(), WHY).data() == "always changing"
    assert last.data(Qt.ItemDataRole.ForegroundRole) == color("dim")
    assert panel.model.rowCount() < 16, "what did not change is left out"
    assert "changed when you acted" in panel.state.text()
    assert "left out" in panel.state.text()


def test_that_selected_rows_become_tags_are_shown_and_plotted(gui: Driver, drive: str, panel: MovesPanel) -> None:
    learning(gui, panel)
    acted(gui, panel)
    assert not panel.add.isEnabled()
    gui.choose(panel.view, panel.model.index(0, 0))
    (address,) = panel.addresses()
    gui.press(panel.view, Qt.Key.Key_Return)
    (tag,) = gui.workbench.project.all(Tag).values()
    assert (tag.address, tag.type) == (address, "uint16")
    assert gui.workbench.endpoints()[drive].identity != Identity(), "with the first tag who answers is noted"
    gui.workbench.editor.undo()
    assert not gui.workbench.project.all(Tag)
    plotted: list[list[str]] = []
    gui.workbench.plot_asked.connect(plotted.append)
    gui.menu(panel.view, panel.model.index(0, 0))["Plot"]()
    assert plotted == [[gui.workbench.project.tags_at(drive, address)[0].id]]
    panel.show_in.click()
    gui.until(lambda: gui.connect_mode.registers.isVisible(), "the registers were not shown")
    panel.watch.click()
    assert observed(gui) == 0
    assert panel.model.rows, "the result stays"
    assert panel.state.text().startswith("meter-modbus, unit 4, holding 0 to 15: in ")


def test_that_a_part_of_an_address_space_is_chosen_in_its_menu_and_its_variables_are_watched(
    gui: Driver, plant: Plant, panel: MovesPanel
) -> None:
    endpoint = gui.add_opcua(plant)
    gui.window.docks()["problems"].raise_()
    gui.connect(endpoint)
    index = gui.expand("filler-opcua", *FILLER)
    gui.choose(gui.endpoints.tree, index)
    gui.menu(gui.endpoints.tree, index)["Find what moves below…"]()
    gui.until(panel.isVisible, "the panel did not come to the front")
    assert panel.part.text.text() == "Filler1 and all below"
    learning(gui, panel)
    acted(gui, panel)
    assert all("Filler1" in path for path in rows(panel, 1))
    gui.choose(panel.view, panel.model.index(0, 0), panel.model.index(panel.model.rowCount() - 1, 0))
    addresses = set(panel.addresses())
    panel.add.click()
    gui.until(lambda: {tag.address for tag in gui.workbench.project.all(Tag).values()} == addresses, "no tags were made")
    assert all(tag.path for tag in gui.workbench.project.all(Tag).values()), "the same tags as when dragged from the tree"
    gone_to: list[str] = []
    gui.endpoints.navigator.arrived.connect(lambda node: gone_to.append(node.id))
    gui.choose(panel.view, panel.model.index(0, 0))
    panel.show_in.click()
    gui.until(lambda: gone_to == panel.addresses(), "the tree did not go there")


def test_that_the_part_follows_the_selection_only_while_nothing_is_watched(gui: Driver, plant: Plant, panel: MovesPanel) -> None:
    endpoint = gui.add_opcua(plant)
    gui.connect(endpoint)
    gui.choose(gui.endpoints.tree, gui.expand("filler-opcua", *FILLER))
    assert panel.part.text.text() == "Filler1 and all below"
    learning(gui, panel)
    gui.choose(gui.endpoints.tree, gui.expand("filler-opcua", "Objects"))
    assert panel.part.text.text() == "Filler1 and all below"
    assert not panel.part.isEnabled()
    panel.watch.click()
    gui.choose(gui.endpoints.tree, gui.expand("filler-opcua"))
    assert panel.part.text.text() == "the whole address space"


def test_that_nothing_is_asked_of_a_device_once_the_panel_is_out_of_sight(gui: Driver, drive: str, panel: MovesPanel) -> None:
    learning(gui, panel)
    assert observed(gui) == 1
    gui.window.docks()["problems"].raise_()
    gui.until(lambda: observed(gui) == 0, "it is watched out of sight")
    gui.window.docks()["moves"].raise_()
    gui.until(lambda: "out of sight" in panel.state.text())


def test_that_pausing_all_reading_holds_it_and_going_on_goes_on(gui: Driver, drive: str, panel: MovesPanel) -> None:
    learning(gui, panel)
    gui.workbench.live.pause(True)
    gui.until(lambda: "Reading is paused" in panel.state.text(), "the pause is not told")
    assert not panel.act.isEnabled()
    gui.workbench.live.pause(False)
    gui.until(lambda: panel.act.isEnabled() and "earn" in panel.state.text(), "it does not go on")
    gui.workbench.live.pause(True)
    panel.watch.click()
    gui.until(lambda: not panel.watch.isEnabled(), "it could be begun while reading is paused")


def test_that_the_loss_of_the_connection_ends_it_with_the_reason_and_keeps_the_result(gui: Driver, drive: str, panel: MovesPanel) -> None:
    learning(gui, panel)
    acted(gui, panel)
    gui.workbench.live.disconnect(drive)
    gui.until(lambda: "Watching has ended: the endpoint was disconnected." in panel.state.text(), "the end is not told")
    assert panel.model.rows
    assert not panel.watch.isEnabled()
    assert not panel.act.isEnabled()


def test_that_of_another_device_nothing_is_watched(gui: Driver, drive: str, panel: MovesPanel) -> None:
    held = gui.workbench.project.all(Endpoint)[drive]
    gui.workbench.do(replace("Know", gui.workbench.project, [with_fields(held, identity=Identity(product="Other 1.0"))]))
    gui.until(lambda: gui.workbench.live.state(drive).held)
    panel.watch.click()
    assert not panel.moving.is_watching
    assert "Other 1.0" in panel.state.text()
    assert observed(gui) == 0


def test_that_more_than_can_be_watched_is_cut_and_said(
    gui: Driver, plant: Plant, panel: MovesPanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("widgets.moving.OBSERVED_ITEMS", 20)
    endpoint = gui.add_opcua(plant)
    gui.connect(endpoint)
    learning(gui, panel)
    assert "the address space has more than 20 variables: only the first 20 are watched" in panel.warning.text()
    assert "of 20 have a value" in panel.state.text()
    panel.watch.click()
    monkeypatch.undo()
    panel.part.choose(gui.add_modbus(plant), ["3/holding"])
    gui.connect(panel.part.endpoint)
    panel.part.last.setValue(5_000)
    panel.watch.click()
    assert "5,001 items are more than the 5,000" in panel.state.text()


def test_that_registers_that_give_no_value_are_counted_as_such(gui: Driver, drive: str, panel: MovesPanel) -> None:
    panel.part.unit.setValue(3)
    panel.part.first.setValue(140)
    panel.part.last.setValue(119)  # behind the gap of the meter, the other way round
    learning(gui, panel)
    assert "2 of 22 have a value" in panel.state.text()
    panel.act.click()
    gui.run(600)
    panel.act.click()
    gui.until(lambda: "20 gave no value" in panel.state.text() or "nothing changed of 2 items" in panel.state.text())


def test_that_an_object_without_variables_and_an_empty_project_tell_the_next_step(gui: Driver, plant: Plant, panel: MovesPanel) -> None:
    assert panel._empty.accessibleName() == "No endpoint yet"
    assert not panel.watch.isEnabled()
    endpoint = gui.add_opcua(plant)
    assert panel._empty.accessibleName() == "Not connected"
    gui.connect(endpoint)
    gui.until(lambda: panel._empty.accessibleName() == "Which value is it?")
    panel.part.choose(endpoint, ["i=87"], ["Views"])
    panel.watch.click()
    gui.until(lambda: "No variable is below Views" in panel.state.text(), "it is not told")
    gui.workbench.new()
    assert panel._empty.accessibleName() == "No endpoint yet"
    assert not panel.state.text()


def test_that_rows_keep_their_selection_when_the_ranking_changes() -> None:
    def moved(address: str, score: float, last: Value = 1) -> Moved:
        return Moved(address, address, 0, last, 1, 0, 1.0, score, False)

    model = MovedModel()
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Warning)
    model.set_ranking([moved("a", 3), moved("b", 2)], {})
    held = QPersistentModelIndex(model.index(0, NAME))
    model.set_ranking([moved("c", 5), moved("b", 4, 7), moved("a", 3)], {"b": "Line/b"})
    assert (held.row(), held.data()) == (2, "a")
    assert [model.index(row, NAME).data() for row in range(3)] == ["c", "b", "a"]
    assert [model.index(1, column).data() for column in (1, 3)] == ["Line/b", "7"]
    model.set_ranking([], {})
    assert not held.isValid()
    del tester
