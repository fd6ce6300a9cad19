"""Adding an endpoint: what answers is shown before it is added; adding is one edit."""

from __future__ import annotations

import socket

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.errors import UserError
from app.plant.process import Plant
from tests.gui.driving import Driver
from widgets.dialogs.add_endpoint import AddEndpointDialog, candidates, proposed_name, show_add_endpoint


@pytest.fixture
def dialog(gui: Driver) -> AddEndpointDialog:
    return show_add_endpoint(gui.window, gui.workbench)


def ask(gui: Driver, dialog: AddEndpointDialog, text: str) -> None:
    dialog.address.setText(text)
    dialog.ask.click()
    gui.until(lambda: dialog.ask.isEnabled(), "the question is never answered")


def listed(dialog: AddEndpointDialog) -> list[str]:
    return [dialog.answers.item(row).text() for row in range(dialog.answers.count())]


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("10.0.0.5", ["modbus://10.0.0.5:502", "opc.tcp://10.0.0.5:4840"]),
        ("plc:4841", ["modbus://plc:4841", "opc.tcp://plc:4841"]),
        ("opc.tcp://plc:4841/path", ["opc.tcp://plc:4841/path"]),
    ],
)
def test_that_a_bare_host_is_asked_in_every_protocol(text: str, urls: list[str]) -> None:
    hosts = [url.removesuffix(":502") for url in urls]
    assert sorted(url.removesuffix(":502") for url in candidates(text)) == sorted(hosts)


def test_that_a_name_is_proposed_from_host_and_protocol() -> None:
    assert proposed_name("opc.tcp://10.0.0.5:4840/x") == "10.0.0.5-opcua"
    assert proposed_name("modbus://[::1]:502") == "::1-modbus"


@pytest.mark.parametrize("text", ["gopher://x", "opc.tcp://", "modbus://host:port"])
def test_that_a_url_that_no_driver_speaks_is_refused_in_the_dialog(gui: Driver, dialog: AddEndpointDialog, text: str) -> None:
    with pytest.raises(UserError):
        candidates(text)
    ask(gui, dialog, text)
    assert dialog.message.isVisible()
    assert not gui.workbench.endpoints()
    dialog.reject()


def test_that_what_answered_is_listed_and_added_and_connected_as_one_edit(gui: Driver, dialog: AddEndpointDialog, plant: Plant) -> None:
    ask(gui, dialog, plant.opcua_url.removeprefix("opc.tcp://").split("/")[0])
    assert any("opc.tcp://" in text and "no security, user: anonymous" in text for text in listed(dialog))
    assert not any(text.startswith("Modbus") for text in listed(dialog))
    dialog.name.setText("filler")
    dialog.add.click()
    (endpoint,) = gui.workbench.endpoints().values()
    assert endpoint.name == "filler"
    gui.until(lambda: gui.phase(endpoint.id) == "connected")
    assert gui.workbench.editor.undo_name == "Add endpoint filler"
    gui.workbench.editor.undo()
    assert not gui.workbench.endpoints()


def test_that_a_modbus_device_is_found_too(gui: Driver, dialog: AddEndpointDialog, plant: Plant) -> None:
    ask(gui, dialog, plant.modbus_url)
    assert any("modbus://" in text for text in listed(dialog)), dialog.state.text()
    dialog.reject()


def test_that_nothing_answering_is_said_with_the_reason_and_can_be_added_all_the_same(gui: Driver, dialog: AddEndpointDialog) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"opc.tcp://127.0.0.1:{free.getsockname()[1]}"
    ask(gui, dialog, url)
    assert "Nothing answered" in dialog.state.text()
    assert dialog.message.isVisible()
    dialog.add.click()
    (endpoint,) = gui.workbench.endpoints().values()
    assert endpoint.addresses["default"] == url
    gui.workbench.live.disconnect_all()


def test_that_another_address_is_never_added_with_the_answers_of_the_one_before(
    gui: Driver, dialog: AddEndpointDialog, plant: Plant
) -> None:
    ask(gui, dialog, plant.opcua_url)
    assert listed(dialog)
    dialog.address.setText("opc.tcp://127.0.0.1:1")
    dialog.add.click()
    (endpoint,) = gui.workbench.endpoints().values()
    assert endpoint.addresses["default"] == "opc.tcp://127.0.0.1:1"
    gui.workbench.live.disconnect_all()


def test_that_a_taken_name_is_refused_in_the_dialog(gui: Driver, plant: Plant) -> None:
    gui.add_opcua(plant, "filler")
    dialog = show_add_endpoint(gui.window, gui.workbench)
    dialog.address.setText("opc.tcp://127.0.0.1:1")
    dialog.name.setText("filler")
    dialog.add.click()
    assert dialog.isVisible()
    assert dialog.message.isVisible()
    assert len(gui.workbench.endpoints()) == 1
    dialog.reject()


def test_that_enter_in_the_address_asks_and_closing_stops_asking(
    gui: Driver, qtbot: QtBot, dialog: AddEndpointDialog, plant: Plant
) -> None:
    dialog.address.setText(plant.opcua_url)
    dialog.activateWindow()
    qtbot.keyClick(dialog.address, Qt.Key.Key_Return)
    assert dialog._tokens, dialog.state.text()
    assert not gui.workbench.endpoints(), "Enter in the address must not add"
    dialog.reject()
    assert not gui.workbench._waiting
