"""Adding an endpoint: only the shown ports are asked, what answers is shown with its ways to connect, adding is one edit."""

from __future__ import annotations

import socket

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.drivers import probe_words
from app.drivers.base import EndpointReport, OfferedEndpoint
from app.drivers.networks import OwnAddress
from app.drivers.opcua.session_offers import LEGACY, MODERN, ranked
from app.drivers.probe_connect import NotConnectedError
from app.drivers.probe_questions import PORTS, Probe, ProbeStep
from app.drivers.questions import Anywhere
from app.model.plant import Security
from app.plant.process import Plant
from app.runtime.state import Reply, Result
from app.secrets import reference_of
from tests.gui.driving import Driver
from widgets.dialogs.add_endpoint import AddEndpointDialog, show_add_endpoint
from widgets.dialogs.sign_in import KEYRING

HOST = "192.168.0.10"


@pytest.fixture
def dialog(gui: Driver) -> AddEndpointDialog:
    return show_add_endpoint(gui.window, gui.workbench)


def look(gui: Driver, dialog: AddEndpointDialog, text: str) -> None:
    dialog.look.address.setText(text)
    dialog.look.look.click()
    gui.until(lambda: not dialog.look.is_asking, "the question is never answered")


class Told:
    """Answers that the test gives: nothing is asked of any network."""

    def __init__(self, gui: Driver, dialog: AddEndpointDialog, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[Anywhere] = []
        self._workbench = gui.workbench
        self._dialog = dialog
        monkeypatch.setattr(gui.workbench.live, "ask_anywhere", self._ask)

    def _ask(self, question: Anywhere) -> int:
        self.asked.append(question)
        return 70_000 + len(self.asked)

    def say(self, result: Result, *, done: bool = False) -> None:
        token = 70_000 + len(self.asked)
        handler = self._workbench._waiting.pop(token) if done else self._workbench._waiting[token]
        handler(Reply(token, result, done))

    def look(self, text: str, *steps: ProbeStep, own: tuple[OwnAddress, ...] = (OwnAddress("eth0", "192.168.0.77", 24),)) -> None:
        self._dialog.look.address.setText(text)
        self._dialog.look.start()
        for step in steps:
            self.say(step)
        self.say(probe_words.verdict(HOST, HOST, steps, own), done=True)


@pytest.fixture
def told(gui: Driver, dialog: AddEndpointDialog, monkeypatch: pytest.MonkeyPatch) -> Told:
    return Told(gui, dialog, monkeypatch)


def offer(policy: str, mode: str, *users: str, password_policy: str = "") -> OfferedEndpoint:
    rank, advice = ranked(policy, mode)
    return OfferedEndpoint(
        url=f"opc.tcp://{HOST}:4840", policy=policy, mode=mode, users=users, rank=rank, advice=advice, password_policy=password_policy
    )


OFFERS = (
    offer("None", "None", "anonymous", "password", password_policy="None"),
    offer(LEGACY[1], "SignAndEncrypt", "anonymous"),
    offer(MODERN[2], "SignAndEncrypt", "anonymous", "password", password_policy=MODERN[2]),
    offer(MODERN[2], "Sign", "anonymous"),
)


def server(*offers: OfferedEndpoint) -> ProbeStep:
    report = EndpointReport(title="PLC <b>1</b>", url=f"opc.tcp://{HOST}:4840", offered=offers)
    return ProbeStep(step="port", outcome="fine", port=4840, kind="opcua", text="Port 4840: OPC UA", url=report.url, report=report)


def device() -> ProbeStep:
    report = EndpointReport(title="Loom, T-1", url=f"modbus://{HOST}", units=(1,))
    return ProbeStep(step="port", outcome="fine", port=502, kind="modbus", text="Port 502: Modbus", url=report.url, report=report)


def test_that_nothing_is_asked_before_look_is_pressed_and_then_only_the_shown_ports(told: Told, dialog: AddEndpointDialog) -> None:
    dialog.look.address.setText(HOST)
    assert not told.asked
    assert dialog.look.ports.text() == ", ".join(map(str, PORTS))
    dialog.look.ports.setText("4840, 4841")
    dialog.look.look.click()
    assert told.asked == [Probe(host=HOST, ports=(4840, 4841))]
    dialog.reject()


def test_that_a_port_in_the_address_is_the_only_one_unless_the_list_was_typed(
    gui: Driver, qtbot: QtBot, told: Told, dialog: AddEndpointDialog
) -> None:
    dialog.look.address.setText(f"{HOST}:4841")
    assert dialog.look.ports.text() == "4841"
    dialog.look.ports.selectAll()
    qtbot.keyClicks(dialog.look.ports, "502 1502")
    dialog.look.address.setText("plc7")
    assert dialog.look.ports.text() == "502 1502"
    dialog.reject()


@pytest.mark.parametrize(("text", "ports"), [("gopher://x", "502"), ("a b", "502"), (HOST, ""), (HOST, "70000"), (HOST, "x")])
def test_that_a_wrong_address_or_port_is_told_and_nothing_is_asked(told: Told, dialog: AddEndpointDialog, text: str, ports: str) -> None:
    dialog.look.address.setText(text)
    dialog.look.ports.setText(ports)
    dialog.look.start()
    assert dialog.look.message.isVisible()
    assert not told.asked
    dialog.reject()


def test_that_the_best_way_is_chosen_and_deprecated_ones_are_folded_away(told: Told, dialog: AddEndpointDialog) -> None:
    told.look(HOST, server(*OFFERS))
    way = dialog.answers.way
    assert way is not None
    assert way.offer == OFFERS[2]
    shown = [(one.offer.policy, one.offer.mode) for one in dialog.answers.ways if one.offer is not None]
    assert shown == [(MODERN[2], "SignAndEncrypt"), (MODERN[2], "Sign"), ("None", "None"), (LEGACY[1], "SignAndEncrypt")]
    radios = dialog.answers._group.buttons()
    assert [radio.isVisible() for radio in radios] == [True, True, True, False]
    dialog.reject()


def test_that_a_chosen_way_and_user_become_the_security_of_the_endpoint_and_the_password_never_does(
    gui: Driver, told: Told, dialog: AddEndpointDialog, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected: list[str] = []
    monkeypatch.setattr(gui.workbench.live, "connect", connected.append)
    told.look(HOST, server(*OFFERS))
    dialog.choice.sign_in.kind.setCurrentText("User and password")
    dialog.choice.sign_in.name.setText("operator")
    dialog.choice.sign_in.password.setText("canary-4711")
    dialog.choice.name.setText("filler")
    dialog.add.click()
    (endpoint,) = gui.workbench.endpoints().values()
    reference = reference_of(endpoint.id)
    assert endpoint.security == Security(policy=MODERN[2], mode="SignAndEncrypt", user="password", name="operator", secret=reference)
    assert gui.workbench.secrets.get(reference) == "canary-4711"
    assert "canary-4711" not in repr(gui.workbench.editor.project.all(type(endpoint)))
    assert connected == [endpoint.id]
    assert gui.workbench.editor.undo_name == "Add endpoint filler"


@pytest.mark.usefixtures("told")
def test_that_a_computer_without_a_keyring_says_so_and_remembers_until_the_program_ends(
    gui: Driver, told: Told, dialog: AddEndpointDialog, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.errors import UserError

    def no_keyring(reference: str, value: str) -> None:
        raise UserError("Not kept", where=reference, why="there is no keyring")

    monkeypatch.setattr(gui.workbench.live, "connect", lambda _: None)
    monkeypatch.setattr(gui.workbench.secrets, "keep_in_keyring", no_keyring)
    told.look(HOST, server(*OFFERS))
    sign_in = dialog.choice.sign_in
    sign_in.kind.setCurrentText("User and password")
    sign_in.name.setText("operator")
    sign_in.password.setText("canary")
    sign_in.keep.setCurrentText(KEYRING)
    dialog.add.click()
    (endpoint,) = gui.workbench.endpoints().values()
    gui.until(lambda: "there is no keyring" in gui.errors(), "a password that was not kept must be told")
    assert gui.workbench.secrets.get(endpoint.security.secret) == "canary"


def test_that_a_password_that_would_cross_in_clear_is_refused_in_the_dialog(gui: Driver, told: Told, dialog: AddEndpointDialog) -> None:
    told.look(HOST, server(OFFERS[0]))
    sign_in = dialog.choice.sign_in
    sign_in.kind.setCurrentText("User and password")
    assert "clear text" in sign_in.note.text()
    sign_in.name.setText("operator")
    dialog.add.click()
    assert dialog.message.isVisible()
    assert not gui.workbench.endpoints()
    dialog.reject()


def test_that_only_the_users_that_a_way_takes_can_be_chosen(told: Told, dialog: AddEndpointDialog) -> None:
    told.look(HOST, server(*OFFERS))
    kinds = dialog.choice.sign_in.kind
    assert [kinds.itemText(place) for place in range(kinds.count())] == ["Anonymous", "User and password"]
    dialog.answers.choose(1)
    assert [kinds.itemText(place) for place in range(kinds.count())] == ["Anonymous"]
    dialog.reject()


def test_that_unit_and_byte_order_of_a_modbus_device_are_part_of_the_same_edit(
    gui: Driver, told: Told, dialog: AddEndpointDialog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gui.workbench.live, "connect", lambda _: None)
    told.look(HOST, device())
    dialog.choice.unit.set_value(7)
    dialog.choice.order.setCurrentIndex(1)
    dialog.add.click()
    (endpoint,) = gui.workbench.endpoints().values()
    assert endpoint.name == f"{HOST}-modbus"
    assert endpoint.addresses["default"] == f"modbus://{HOST}?unit=7"
    assert [(unit.number, unit.order) for unit in gui.workbench.project.units_of(endpoint.id)] == [(7, "CDAB")]
    gui.workbench.editor.undo()
    assert not gui.workbench.endpoints()


def test_that_a_laptop_in_another_subnet_is_told_its_own_addresses(told: Told, dialog: AddEndpointDialog) -> None:
    silent = [probe_words.not_connected(port, NotConnectedError("no answer", ""), HOST) for port in PORTS]
    told.look(HOST, *silent, own=(OwnAddress("eth0", "10.20.0.7", 24),))
    assert "eth0 10.20.0.7/24" in dialog.look.message.details()
    assert "192.168.0.x/24" in dialog.look.message.details()
    assert not dialog.add.isEnabled()
    dialog.reject()


def test_that_text_of_a_device_is_shown_as_it_is(told: Told, dialog: AddEndpointDialog) -> None:
    step = probe_words.other(4840, b"HTTP/1.1 400 x\r\nServer: <img src=x>\r\n\r\n", HOST)
    told.look(HOST, step)
    assert any("<img src=x>" in text for text in dialog.look.steps.texts())
    dialog.reject()


def test_that_a_discovery_server_is_asked_for_its_list_instead_of_being_offered(told: Told, dialog: AddEndpointDialog) -> None:
    dialog.look.address.setText(HOST)
    dialog.look.start()
    url = f"opc.tcp://{HOST}:4840"
    told.say(ProbeStep(step="port", outcome="unclear", port=4840, kind="opcua", text="Port 4840", url=url, discovery=True))
    assert dialog.sources.current == "network"
    assert dialog.network.server.text() == url
    assert dialog.network.is_asking
    assert not dialog.answers.ways
    dialog.reject()


# On the real plant


def test_that_what_answered_is_added_and_connected_as_one_edit(gui: Driver, dialog: AddEndpointDialog, plant: Plant) -> None:
    look(gui, dialog, plant.opcua_url.removeprefix("opc.tcp://").split("/")[0])
    way = dialog.answers.way
    assert way is not None
    assert way.step.kind == "opcua"
    dialog.choice.name.setText("filler")
    dialog.add.click()
    (endpoint,) = gui.workbench.endpoints().values()
    assert endpoint.name == "filler"
    gui.until(lambda: gui.phase(endpoint.id) == "connected")
    assert gui.workbench.editor.undo_name == "Add endpoint filler"
    gui.workbench.editor.undo()
    assert not gui.workbench.endpoints()


def test_that_a_modbus_device_is_found_too(gui: Driver, dialog: AddEndpointDialog, plant: Plant) -> None:
    look(gui, dialog, plant.modbus_url)
    way = dialog.answers.way
    assert way is not None, dialog.look.message.details()
    assert way.step.kind == "modbus"
    dialog.reject()


def test_that_nothing_answering_is_said_with_the_reason_and_a_url_can_be_added_all_the_same(gui: Driver, dialog: AddEndpointDialog) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"opc.tcp://127.0.0.1:{free.getsockname()[1]}"
    look(gui, dialog, url)
    assert "closed" in " ".join(dialog.look.steps.texts())
    assert dialog.look.message.details()
    dialog.add.click()
    (endpoint,) = gui.workbench.endpoints().values()
    assert endpoint.addresses["default"] == url
    gui.workbench.live.disconnect_all()


def test_that_another_address_is_never_added_with_the_answers_of_the_one_before(
    gui: Driver, dialog: AddEndpointDialog, plant: Plant
) -> None:
    look(gui, dialog, plant.opcua_url)
    assert dialog.answers.ways
    dialog.look.address.setText("opc.tcp://127.0.0.1:1")
    assert not dialog.answers.ways
    dialog.add.click()
    (endpoint,) = gui.workbench.endpoints().values()
    assert endpoint.addresses["default"] == "opc.tcp://127.0.0.1:1"
    gui.workbench.live.disconnect_all()


def test_that_a_taken_name_is_refused_in_the_dialog(gui: Driver, plant: Plant) -> None:
    gui.add_opcua(plant, "filler")
    dialog = show_add_endpoint(gui.window, gui.workbench)
    dialog.look.address.setText("opc.tcp://127.0.0.1:1")
    dialog.choice.name.setText("filler")
    dialog.add.click()
    assert dialog.isVisible()
    assert dialog.message.isVisible()
    assert len(gui.workbench.endpoints()) == 1
    dialog.reject()


def test_that_enter_in_the_address_asks_and_closing_stops_asking(
    gui: Driver, qtbot: QtBot, dialog: AddEndpointDialog, plant: Plant
) -> None:
    dialog.look.address.setText(plant.opcua_url)
    dialog.activateWindow()
    qtbot.keyClick(dialog.look.address, Qt.Key.Key_Return)
    assert dialog.look.is_asking
    assert not gui.workbench.endpoints(), "Enter in the address must not add"
    dialog.reject()
    assert not gui.workbench._waiting


def test_that_looking_can_be_stopped(gui: Driver, told: Told, dialog: AddEndpointDialog) -> None:
    dialog.look.address.setText(HOST)
    dialog.look.look.click()
    assert dialog.look.look.text() == "Stop"
    dialog.look.look.click()
    assert not dialog.look.is_asking
    assert not gui.workbench._waiting
    dialog.reject()


def test_that_a_serial_line_is_added_with_its_settings(gui: Driver, dialog: AddEndpointDialog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gui.workbench.live, "connect", lambda _: None)
    dialog.show_source("serial")
    dialog.serial.port.setEditText("/dev/ttyUSB9")
    dialog.serial.baudrate.setCurrentText("9600")
    dialog.serial.parity.setCurrentIndex(1)
    dialog.serial.unit.set_value(3)
    dialog.add.click()
    (endpoint,) = gui.workbench.endpoints().values()
    assert endpoint.addresses["default"] == "modbus-rtu:/dev/ttyUSB9?baudrate=9600&parity=N&unit=3"
    assert endpoint.name == "ttyusb9-modbus"


def test_that_the_list_of_a_discovery_server_leads_to_a_look_at_the_chosen_one(
    gui: Driver, dialog: AddEndpointDialog, plant: Plant
) -> None:
    dialog.show_source("network")
    dialog.network.server.setText(plant.opcua_url.removeprefix("opc.tcp://").split("/")[0])
    dialog.network.ask.click()
    gui.until(lambda: not dialog.network.is_asking, "the discovery server never answered")
    assert dialog.network.servers.topLevelItemCount() == 1
    dialog.network.use.click()
    assert dialog.sources.current == "address"
    gui.until(lambda: dialog.answers.way is not None, "the chosen server was not looked at")
    dialog.reject()
