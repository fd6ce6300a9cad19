"""The register grid on the energy meter of the demo plant: raw words beside every meaning."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester

from app.drivers.modbus.registers import READINGS
from app.model.plant import Tag
from app.plant.process import Plant
from tests.gui.driving import Driver
from widgets.register_grid import BITS, FIXED, RegisterGrid, RegisterModel


@pytest.fixture
def grid(gui: Driver, plant: Plant) -> RegisterGrid:
    """Holding registers of the meter, from 100 on, read."""
    endpoint = gui.add_modbus(plant)
    gui.connect(endpoint)
    gui.workbench.registers_asked.emit(endpoint, "3/holding")
    grid = gui.connect_mode.registers
    grid.first.setValue(100)
    gui.until(lambda: grid.model.rows and grid.model.rows[0] is not None, "the registers never came")
    return grid


def text(grid: RegisterGrid, address: int, column: int) -> str:
    return str(grid.model.index(address - grid.model.start, column).data() or "")


def column(type_: str, order: str) -> int:
    return len(FIXED) + READINGS.index((type_, order))


def number(text: str) -> float:
    return float(text.replace(",", "").replace("−", "-"))


def test_that_the_right_order_shows_the_right_value_and_the_others_do_not(grid: RegisterGrid) -> None:
    for address in (100, 102, 104):
        assert 200 < number(text(grid, address, column("float32", "CDAB"))) < 260
        others = [text(grid, address, column("float32", order)) for order in ("ABCD", "BADC", "DCBA")]
        assert not any(200 < number(other) < 260 for other in others if other and other[0].isdigit())


def test_that_registers_that_the_device_refuses_say_so_in_their_rows(gui: Driver, grid: RegisterGrid) -> None:
    grid.first.setValue(116)
    gui.until(lambda: grid.model.start == 116, "the range never came")
    assert grid.model.rows[120 - 116] is None
    assert "IllegalDataAddress" in text(grid, 120, BITS)
    assert grid.model.rows[119 - 116] is not None
    assert grid.model.rows[140 - 116] is not None, "what stands behind the gap is read all the same"
    assert "refused" in grid._state.text()


@pytest.mark.parametrize(("notation", "shown"), [("", "100"), ("one-based", "101"), ("modicon", "40101"), ("hex", "0x0064")])
def test_that_addresses_are_written_as_the_engineer_writes_them(grid: RegisterGrid, notation: str, shown: str) -> None:
    grid.notation.setCurrentIndex(grid.notation.findData(notation))
    assert text(grid, 100, 0) == shown


def test_that_a_cell_becomes_a_tag_of_its_type_and_order(gui: Driver, grid: RegisterGrid) -> None:
    index = grid.model.index(0, column("float32", "CDAB"))
    entries = gui.menu(grid.view, index)
    entries["Make a tag: float32 CDAB at 100"]()
    (tag,) = gui.workbench.project.all(Tag).values()
    assert (tag.address, tag.type) == ("3/holding:100:float32:CDAB", "float32")
    gui.workbench.editor.undo()
    assert not gui.workbench.project.all(Tag)


def test_that_words_of_one_table_are_never_shown_under_another(gui: Driver, grid: RegisterGrid) -> None:
    grid._read()  # still to be answered
    endpoint = next(iter(gui.workbench.endpoints()))
    gui.workbench.registers_asked.emit(endpoint, "3/input")
    assert grid.model.rows == []
    gui.until(lambda: grid.model.rows)
    assert grid.model.table == "input"
    assert grid.model.rows[0] is not None
    assert grid.model.start == grid.first.value()
    assert 0 < number(text(grid, 0, column("int16", "ABCD"))) < 1000, "the temperature of the electronics, in tenths"


def test_that_the_grid_goes_with_its_project_and_reads_again_in_the_next(gui: Driver, grid: RegisterGrid, plant: Plant) -> None:
    grid._read()
    gui.workbench.new()
    assert not grid.isVisible()
    endpoint = gui.add_modbus(plant)
    gui.connect(endpoint)
    gui.workbench.registers_asked.emit(endpoint, "4/holding")
    gui.until(lambda: grid.model.rows and grid.model.rows[0] is not None, "it does not read any more")


def test_that_a_hidden_grid_asks_nothing_of_the_device(gui: Driver, grid: RegisterGrid, monkeypatch: pytest.MonkeyPatch) -> None:
    gui.window.show_mode("plot")
    gui.until(lambda: grid._token is None)
    monkeypatch.setattr(gui.workbench.live, "read", lambda *_: pytest.fail("a hidden grid reads"))
    gui.run(1300)


def test_that_the_model_keeps_the_rules_of_item_models() -> None:
    model = RegisterModel()
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Warning)
    model.set_words(0, [1, 2, None, 4], {2: "IllegalDataAddress (2)"})
    model.set_words(0, [3, None, None, 4], {1: "x", 2: "x"})
    model.use_notation("hex")
    model.set_words(7, [], {})
    assert model.rowCount() == 0
    assert model.headerData(0, Qt.Orientation.Horizontal) == "Address"
    del tester
