"""Scanning Modbus devices from the window: begun by a person, ended at once, and what was found goes into the project by edits only."""

from __future__ import annotations

import os
import select
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester

from app.model.plant import Endpoint, Identity, Tag, Unit
from app.plant.process import Plant
from tests.gui.driving import Driver
from tests.peers.modbus_peer import modbus_peer
from tests.peers.modbus_server import INVERTER
from tests.peers.serial_line import needs_terminals
from tests.peers.server_process import free_port
from widgets.dialogs.add_endpoint import AddEndpointDialog, show_add_endpoint
from widgets.dialogs.scan import ScanDialog
from widgets.dialogs.scan_page import ScanPage
from widgets.dialogs.scan_serial import SerialScanDialog
from widgets.models.scan_rows import ScanRow, ScanRowsModel


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    number = free_port()
    with modbus_peer(number):
        yield number


@pytest.fixture
def inverter(gui: Driver, port: int) -> str:
    endpoint = gui.add("inverter", f"modbus://127.0.0.1:{port}?unit={INVERTER}")
    gui.connect(endpoint)
    return endpoint


@pytest.fixture
def scan(gui: Driver, inverter: str) -> ScanDialog:
    gui.workbench.select("endpoint", [inverter], inverter)
    gui.window.menus.trigger("endpoint.scan")
    dialog = gui.dialog(ScanDialog)
    assert isinstance(dialog, ScanDialog)
    for page in dialog.pages:
        page.pause.setValue(0)
    return dialog


def ended(gui: Driver, page: ScanPage) -> str:
    """Press *Start*, wait for the end; what is said of it."""
    page.start.click()
    assert page.is_running, page.message.details()
    gui.until(lambda: not page.is_running, "the scan never ended")
    return page.state.text()


def cells(page: ScanPage, column: int) -> list[str]:
    return [row.cells[column] for row in page.model.rows]


def test_that_nothing_is_sent_before_start_and_it_is_said_what_would_be(gui: Driver, scan: ScanDialog) -> None:
    seen: list[object] = []
    gui.workbench.traffic_seen.connect(seen.append)
    gui.workbench.live.trace(scan.endpoint, True)
    gui.run(400)
    assert not any(exchange.sent for one in seen for exchange in one.exchanges)  # type: ignore[attr-defined]  # a Seen
    assert scan.units.cost.text() == "247 requests; at most 4 min, if no unit answers within the time-out of 1 s."
    assert scan.registers.cost.text().startswith("At least 20 requests in 1 s;")


def test_that_units_are_told_as_they_answer_and_added_in_one_step(gui: Driver, scan: ScanDialog) -> None:
    page = scan.units
    page.first.setValue(1)
    page.last.setValue(4)
    assert ended(gui, page) == "4 found with 4 requests."
    assert cells(page, 0) == ["1", "2", "3", "4"]
    assert cells(page, 1)[2] == "3/holding:0"
    assert cells(page, 2)[2] == "it holds 60000"
    assert "so it is there" in cells(page, 2)[1]
    gui.choose(page.view, page.model.index(0, 0), page.model.index(2, 0))
    assert page.add.text() == "Add 2 units to the project"
    page.add.click()
    assert {unit.number for unit in gui.workbench.project.all(Unit).values()} == {1, 3}
    assert not page.add.isEnabled(), "the selected ones are known now"
    page.view.clearSelection()
    assert page.add.text() == "Add 2 units to the project"
    gui.workbench.editor.undo()
    assert not gui.workbench.project.all(Unit)


def test_that_the_time_left_is_told(gui: Driver, scan: ScanDialog) -> None:
    page = scan.units
    page.last.setValue(30)
    page.pause.setValue(100)
    page.start.click()
    gui.until(lambda: page.bar.maximum() == 30 and page.bar.value() > 1, "it is not told how far it is")
    assert "unit " in page.state.text()
    assert page.state.text().endswith(" s left")
    page.start.click()
    assert not page.bar.isVisible()


def test_that_a_silent_unit_is_dimmed_and_can_be_hidden(gui: Driver, scan: ScanDialog) -> None:
    page = scan.units
    page.first.setValue(9)
    page.last.setValue(10)
    assert ended(gui, page) == "1 found with 2 requests."
    assert page.model.rows[0].look == "dim"
    page.chips._chips["found"].click()
    assert cells(page, 0) == ["10"]
    assert (page.chips._chips["all"].text(), page.chips._chips["found"].text()) == ("All  2", "Found  1")


def test_that_a_scan_is_cancelled_at_once_and_others_wait_for_its_end(gui: Driver, scan: ScanDialog) -> None:
    page = scan.units
    page.pause.setValue(10_000)
    page.start.click()
    gui.until(lambda: page.model.rows, "nothing came")
    assert page.start.text() == "Cancel"
    assert not page.first.isEnabled()
    assert not scan.registers.start.isEnabled()
    page.start.click()
    assert not page.is_running
    assert page.state.text() == "Cancelled. 1 found until then."
    assert not gui.workbench._waiting
    assert scan.registers.start.isEnabled()
    assert ended(gui, scan.identify), "the connection is free again"


def test_that_registers_are_shown_with_their_words_and_become_tags(gui: Driver, scan: ScanDialog) -> None:
    page = scan.registers
    page.last.setValue(40)
    assert page.unit.value() == INVERTER
    assert ended(gui, page).startswith("37 found with ")
    assert cells(page, 0)[9:14] == ["9", "10", "11", "12", "13"]
    assert page.model.rows[9].cells[1:] == ("0x0010", "16", "16", "answered")
    assert "IllegalDataAddress" in cells(page, 4)[10]
    gui.choose(page.view, *(page.model.index(row, 0) for row in (8, 9, 10)))
    assert page.add.text() == "Add 2 as tags"
    page.add.click()
    tags = gui.workbench.project.all(Tag).values()
    assert {(tag.address, tag.name, tag.type) for tag in tags} == {
        (f"{INVERTER}/holding:8", f"{INVERTER}/holding 8", "uint16"),
        (f"{INVERTER}/holding:9", f"{INVERTER}/holding 9", "uint16"),
    }
    page.show_in.click()
    assert gui.connect_mode.registers.first.value() == 8
    gui.workbench.editor.undo()
    assert not gui.workbench.project.all(Tag)


def test_that_refused_ranges_are_remembered_and_not_asked_for_again(gui: Driver, scan: ScanDialog) -> None:
    page = scan.registers
    page.last.setValue(40)
    assert not page.remember.isEnabled()
    ended(gui, page)
    page.remember.click()
    settings = gui.workbench.project.all(Endpoint)[scan.endpoint].settings
    assert settings == {"forbidden": f"{INVERTER}/holding:10-12, {INVERTER}/holding:37"}
    gui.until(lambda: gui.phase(scan.endpoint) == "connected" and page.start.isEnabled(), "it was not connected again")
    ended(gui, page)
    assert "not asked: forbidden here" in cells(page, 4)
    assert not page.remember.isEnabled()
    gui.workbench.editor.undo()
    assert gui.workbench.project.all(Endpoint)[scan.endpoint].settings == {}


def test_that_an_impossible_range_is_turned_round_and_bits_are_bits(gui: Driver, scan: ScanDialog) -> None:
    page = scan.registers
    page.unit.setValue(3)
    page.table.setCurrentIndex(page.table.findData("coil"))
    page.first.setValue(5)
    page.last.setValue(0)
    ended(gui, page)
    assert cells(page, 0) == [str(number) for number in range(6)]
    assert cells(page, 2) == [str(int((3 + number) % 3 == 0)) for number in range(6)]
    assert set(cells(page, 1)) == {""}


def test_that_sunspec_models_are_listed_and_imported_in_one_step(gui: Driver, scan: ScanDialog) -> None:
    page = scan.sunspec
    assert "Loom, SolarOne, version 1.2.3, serial S-4711: 4 models from holding 40000 on." in ended(gui, page)
    assert cells(page, 1)[:3] == ["Common", "Inverter", "DC inputs"]
    assert page.model.rows[3].look == "dim", "a model of the maker's own"
    all_of_it = page.load.text()
    assert "left out" in page.note.text()
    gui.choose(page.view, page.model.index(1, 0))
    assert page.load.text() != all_of_it
    page.load.click()
    tags = gui.workbench.project.all(Tag).values()
    assert tags
    assert all(tag.name.startswith("Inverter ") for tag in tags)
    (hertz,) = (tag for tag in tags if tag.name == "Inverter Hz")
    assert (hertz.address, hertz.gain, hertz.unit) == (f"{INVERTER}/holding:40086", 0.01, "HTZ")
    assert gui.workbench.endpoints()[scan.endpoint].identity != Identity()
    assert "in the project already" in page.note.text()
    assert not page.load.isEnabled()
    gui.workbench.editor.undo()
    assert not gui.workbench.project.all(Tag)
    page.view.clearSelection()
    page.load.click()
    assert len(gui.workbench.project.all(Tag)) == int(all_of_it.split()[1])


def test_that_a_device_without_sunspec_says_so_and_where_was_looked(gui: Driver, scan: ScanDialog) -> None:
    scan.sunspec.unit.setValue(3)
    assert ended(gui, scan.sunspec).startswith("No SunSpec here: no SunSpec marker at holding 40000")
    assert not scan.sunspec.load.isEnabled()


def test_that_every_object_of_the_identification_is_shown(gui: Driver, scan: ScanDialog) -> None:
    assert ended(gui, scan.identify) == "7 objects"
    assert scan.identify.model.rows[5].cells == ("5", "Model", "W-1", "regular", "57 2d 31")


def test_that_pausing_all_reading_ends_a_scan_and_forbids_the_next(gui: Driver, scan: ScanDialog) -> None:
    page = scan.units
    page.pause.setValue(10_000)
    page.start.click()
    gui.workbench.live.pause(True)
    gui.until(lambda: not page.is_running, "it goes on while reading is paused")
    assert "reading was paused" in page.state.text()
    gui.until(scan.why_not.isVisible)
    assert not page.start.isEnabled()
    gui.workbench.live.pause(False)
    gui.until(page.start.isEnabled, "it stays forbidden")


def test_that_without_a_connection_it_offers_to_connect(gui: Driver, scan: ScanDialog) -> None:
    scan.units.pause.setValue(10_000)
    scan.units.start.click()
    gui.until(lambda: scan.units.model.rows)
    gui.workbench.live.disconnect(scan.endpoint)
    gui.until(lambda: not scan.units.is_running, "it waits for a connection that is gone")
    assert scan.units.message.isVisible()
    assert "Not connected" in scan.why_not.text()
    scan.connect_now.click()
    gui.until(scan.units.start.isEnabled, "it was not connected")
    assert not scan.why_not.isVisible()


def test_that_closing_ends_the_scan_and_the_dialog_goes_with_its_endpoint(gui: Driver, scan: ScanDialog, plant: Plant) -> None:
    gui.window.menus.trigger("endpoint.scan")
    assert gui.window.findChildren(ScanDialog) == [scan], "one dialog for one endpoint"
    scan.units.pause.setValue(10_000)
    scan.units.start.click()
    gui.until(lambda: scan.units.model.rows)
    scan.reject()
    assert not gui.workbench._waiting
    gui.until(lambda: not gui.window.findChildren(ScanDialog))
    gui.window.menus.trigger("endpoint.scan")
    gui.dialog(ScanDialog)
    gui.workbench.new()
    gui.until(lambda: not gui.window.findChildren(ScanDialog), "it outlives its project")
    opcua = gui.add_opcua(plant)
    gui.workbench.select("endpoint", [opcua], opcua)
    gui.window.menus.trigger("endpoint.scan")
    assert not gui.window.findChildren(ScanDialog), "an OPC UA server has no unit ids"


def test_that_rows_that_come_while_some_are_hidden_keep_the_rules_of_item_models() -> None:
    model = ScanRowsModel(("a", "b"), (1,))
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Warning)
    model.add([ScanRow(("1", "x"), 1), ScanRow(("2", "y"))])
    model.show_found_only(True)
    model.add([ScanRow(("3", "z")), ScanRow(("4", "w"), 4)])
    assert [row.cells[0] for row in model.rows] == ["1", "4"]
    model.show_found_only(False)
    assert [row.cells[0] for row in model.rows] == ["1", "2", "3", "4"]
    assert (model.found(), model.count) == ([1, 4], 4)
    assert model.headerData(1, Qt.Orientation.Horizontal, Qt.ItemDataRole.TextAlignmentRole) is not None
    model.clear()
    assert model.rowCount() == 0
    del tester


# --- the serial line --------------------------------------------------------------------------------------------------


@contextmanager
def cable() -> Iterator[tuple[str, str]]:
    """Two serial ports that are connected with each other; bytes are carried by a thread of the test."""
    if sys.platform != "win32":  # its tests are skipped there
        import tty

        ends = [os.openpty(), os.openpty()]
        for _, near in ends:
            tty.setraw(near)
        (left, _), (right, _) = ends
        stopped, stop_now = os.pipe()

        def carry() -> None:
            while True:
                ready, _, _ = select.select([left, right, stopped], [], [])
                if stopped in ready:
                    return
                for end in ready:
                    os.write(right if end == left else left, os.read(end, 4096))

        thread = threading.Thread(target=carry)
        thread.start()
        try:
            yield os.ttyname(ends[0][1]), os.ttyname(ends[1][1])
        finally:
            os.write(stop_now, b"x")
            thread.join()
            for number in (*ends[0], *ends[1], stopped, stop_now):
                os.close(number)
    else:
        yield from ()


@pytest.fixture
def line() -> Iterator[str]:
    """A serial port with units 1 and 3 at its other end. Pseudo terminals take any baud rate, and no parity."""
    with cable() as (here, there), modbus_peer(there, "rtu"):
        yield here


@needs_terminals
def test_that_the_parameters_of_a_serial_line_are_found_and_used(gui: Driver, line: str) -> None:
    show_add_endpoint(gui.window, gui.workbench)
    dialog = gui.dialog(AddEndpointDialog)
    assert isinstance(dialog, AddEndpointDialog)
    dialog.show_source("serial")
    dialog.serial.port.setEditText("")
    dialog.serial.parameters.click()
    assert dialog.serial.message.isVisible(), "without a port there is nothing to look at"
    dialog.serial.port.setEditText(line)
    dialog.serial.parameters.click()
    scan = gui.dialog(SerialScanDialog)
    assert isinstance(scan, SerialScanDialog)
    page = scan.page
    page.reply.setValue(0.3)
    page.first.setValue(2)
    page.last.setValue(3)
    for rate, box in page._rates.items():
        box.setChecked(rate == 9600)
    for box in page._parities.values():
        box.setChecked(False)
    page.start.click()
    assert "no baud rate or no parity is ticked" in page.message.details()
    page._parities["N"].setChecked(True)
    assert page.cost.text().startswith("1 set of parameters, 2 requests")
    assert ended(gui, page).startswith("It answers: found with ")
    assert page.model.rows[-1].cells[:4] == ("9600", "none", "1", page.model.rows[-1].cells[3])
    page.use.click()
    assert dialog.serial.baudrate.currentText() == "9600"
    assert dialog.serial.parity.currentData() == "N"
    assert dialog.serial.unit.value() == int(page.model.rows[-1].cells[3])
    gui.until(lambda: not dialog.serial.is_asking, "what was found was not looked at")
    dialog.reject()
