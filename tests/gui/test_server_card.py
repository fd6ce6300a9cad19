"""The server card and the dialog that edits a connection."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QMessageBox, QPushButton

from app.drivers.base import EndpointReport, OfferedEndpoint
from app.drivers.opcua.session_offers import MODERN, ranked
from app.edits.endpoints import set_security
from app.model.plant import Identity, Security
from app.plant.process import Plant
from app.runtime.identity import differences, identity_error
from app.runtime.load import LoadEstimate
from app.runtime.state import ConnectionState
from app.secrets import reference_of
from app.trust.facts import facts
from app.trust.store import TrustStore
from tests.gui.driving import Driver, line_address
from widgets.details import endpoint_rows as card
from widgets.details.endpoint import EndpointView
from widgets.dialogs.edit_endpoint import EditEndpointDialog, show_edit_endpoint
from widgets.look import KeyValue, KeyValueTable


def view(gui: Driver, endpoint: str) -> EndpointView:
    gui.workbench.select("endpoint", [endpoint], endpoint)
    found = gui.window.docks()["details"].widget().findChild(EndpointView)
    assert isinstance(found, EndpointView)
    return found


def offer(certificate: bytes = b"") -> OfferedEndpoint:
    rank, advice = ranked(MODERN[0], "SignAndEncrypt")
    return OfferedEndpoint(
        url="opc.tcp://x:4840",
        policy=MODERN[0],
        mode="SignAndEncrypt",
        users=("password",),
        rank=rank,
        advice=advice,
        certificate=certificate,
    )


def test_that_the_card_shows_what_answered_and_what_it_allows(gui: Driver, plant: Plant) -> None:
    endpoint = gui.add_opcua(plant)
    gui.connect(endpoint)
    table = view(gui, endpoint).rows
    shown = {row.key for row in table.rows()}
    assert {"Address", "Security", "Round trip", "Answers as", "Application URI", "Clock"} <= shown
    assert {"What answered", "Ways to connect, best first", "Limits", "Namespaces"} <= {row.key for row in table.rows() if row.heading}
    assert table.value("0") == "http://opcfoundation.org/UA/"


def test_that_a_modbus_card_has_no_opcua_rows(gui: Driver, plant: Plant) -> None:
    endpoint = gui.add_modbus(plant)
    gui.connect(endpoint)
    keys = {row.key for row in view(gui, endpoint).rows.rows()}
    assert "Unit ids" in keys
    assert not keys & {"Security", "User", "Namespaces", "Ways to connect, best first"}


def test_that_a_certificate_about_to_end_is_marked(tmp_path: Path) -> None:
    der = TrustStore(tmp_path).own().der
    report = EndpointReport(title="x", url="opc.tcp://x:4840", offered=(offer(der), offer(der)))
    rows = card.certificate_rows(report)
    assert [row.key for row in rows].count("Thumbprint") == 1
    assert not any(row.key == "Validity" for row in rows)
    soon_ns = facts(der).not_after_ns - 5 * 86_400 * 1_000_000_000
    (marked,) = [row for row in card.certificate_rows(report, soon_ns) if row.key == "Validity"]
    assert marked.value == "ends soon"
    assert "ends in 5 days" in marked.tip
    assert marked.badge is not None


def test_that_bytes_that_are_no_certificate_say_so() -> None:
    report = EndpointReport(title="x", url="opc.tcp://x:4840", offered=(offer(b"\x30\x03abc"),))
    rows = card.certificate_rows(report, time.time_ns())
    assert len(rows) == 2
    assert rows[1].value


def test_that_limits_stand_beside_those_found() -> None:
    report = EndpointReport(title="x", url="", limits={"MaxNodesPerRead": 1000, "MaxNodesPerBrowse": 0}, found={"MaxNodesPerRead": 250})
    values = {row.key: row.value for row in card.limit_rows(report)}
    assert values["MaxNodesPerRead"] == "1,000, found 250"
    assert values["Not stated"] == "MaxNodesPerBrowse"


def test_that_a_limit_that_has_no_room_beside_its_name_stands_below_it(gui: Driver, plant: Plant) -> None:
    del plant
    table = KeyValueTable(gui.window)
    table.resize(240, 300)
    long = "MaxMonitoredItemsPerCall"
    table.set_rows(card.limit_rows(EndpointReport(title="", url="", limits={"MaxNodesPerRead": 10, long: 10_000_000_000})))
    table.show()
    gui.until(lambda: table.rowHeight(2) > table.rowHeight(1), "the number is drawn over the name")


def test_that_a_row_is_as_high_as_its_words_and_one_with_a_badge_as_the_badge(gui: Driver, plant: Plant) -> None:
    del plant
    words = "nsu=urn:tagloom:plant:line;s=Plant1/Packaging/Line4/Filler1"
    table = KeyValueTable(gui.window)
    table.resize(240, 300)
    table.set_rows([KeyValue("Id", words), KeyValue("Good", words, badge=""), KeyValue("Bad", words, badge="bad"), KeyValue("One", "1")])
    table.show()
    gui.until(lambda: table.rowHeight(0) > table.rowHeight(3), "words are drawn over the next row")
    assert table.rowHeight(1) == table.rowHeight(0), "an empty badge is none"
    assert table.rowHeight(2) == table.rowHeight(3)


def test_that_a_long_uri_is_cut_on_screen_and_whole_when_copied(gui: Driver, plant: Plant) -> None:
    del plant
    table = KeyValueTable()
    uri = "urn:" + "very-long-" * 20 + "end"
    table.set_rows(card.namespace_rows(EndpointReport(title="", url="", namespaces=("http://opcfoundation.org/UA/", uri))))
    table.selectRow(2)
    assert table.selected_text() == uri
    item = table.item(2, 0)
    assert item is not None
    assert item.toolTip() == uri
    table.deleteLater()


def test_that_another_device_is_confirmed_on_the_card(gui: Driver, plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = gui.add_opcua(plant)
    new = Identity(application_uri="urn:new")
    changed = differences(Identity(application_uri="urn:old"), new)
    report = EndpointReport(title="x", url=plant.opcua_url, identity=new)
    state = ConnectionState(phase="connected", stale=False, report=report, changed=changed, why=identity_error(plant.opcua_url, changed))
    monkeypatch.setattr(gui.workbench.live, "state", lambda _: state)
    shown = view(gui, endpoint)
    shown.refresh()
    assert "different device" in shown._trouble.details()
    assert any(row.value == "urn:old → urn:new" for row in shown.rows.rows())
    pressed = next(one for one in shown._trouble.findChildren(QPushButton) if one.text() == "Use the new device")
    shown.refresh()
    assert pressed.isVisible(), "a refresh must not take the button from under the mouse"
    pressed.click()
    found = gui.workbench.endpoint(endpoint)
    assert found is not None
    assert found.identity.application_uri == "urn:new"


def test_that_reading_is_paused_with_one_click_on_the_card_and_in_the_status_bar(gui: Driver, plant: Plant) -> None:
    endpoint = gui.add_opcua(plant)
    shown = view(gui, endpoint)
    shown._pause.click()
    assert gui.workbench.live.paused
    bar = gui.window._status._pause
    gui.until(bar.isChecked, "the status bar does not show the pause")
    bar.click()
    assert not gui.workbench.live.paused


# Editing


@pytest.fixture
def endpoint(gui: Driver, plant: Plant) -> str:
    return gui.add_opcua(plant)


def edited(gui: Driver, endpoint: str) -> EditEndpointDialog:
    dialog = show_edit_endpoint(gui.window, gui.workbench, endpoint)
    assert dialog is not None
    return dialog


def test_that_addresses_security_and_settings_are_saved_as_one_edit(gui: Driver, endpoint: str) -> None:
    dialog = edited(gui, endpoint)
    dialog.name.setText("filler 1")
    dialog.addresses.more.click()
    dialog.addresses.table.item(1, 1).setText("opc.tcp://10.1.0.1")  # type: ignore[union-attr]  # the row was just made
    dialog.settings.fields["timeout_s"].setText("3.5")  # type: ignore[union-attr]  # a number field
    dialog.ok.click()
    found = gui.workbench.endpoint(endpoint)
    assert found is not None
    assert found.name == "filler 1"
    assert found.addresses["fat"] == "opc.tcp://10.1.0.1:4840"
    assert found.settings == {"timeout_s": 3.5}
    gui.workbench.editor.undo()
    assert gui.workbench.endpoint(endpoint) != found


def test_that_reach_as_is_kept_on_this_laptop_and_is_no_edit(gui: Driver, endpoint: str) -> None:
    before = gui.workbench.editor.undo_name
    dialog = edited(gui, endpoint)
    dialog.reach.setText("opc.tcp://127.0.0.1:1")
    dialog.ok.click()
    assert gui.workbench.live.url_of(endpoint) == "opc.tcp://127.0.0.1:1"
    assert gui.workbench.workspace.reach(gui.workbench.project.info.id) == {endpoint: "opc.tcp://127.0.0.1:1"}
    assert gui.workbench.editor.undo_name == before


def test_that_every_problem_is_shown_at_once_and_nothing_is_saved(gui: Driver, endpoint: str) -> None:
    before = gui.workbench.endpoint(endpoint)
    dialog = edited(gui, endpoint)
    dialog.addresses.table.item(0, 1).setText("http://x")  # type: ignore[union-attr]  # the default address
    dialog.settings.fields["timeout_s"].setText("999")  # type: ignore[union-attr]  # a number field
    dialog.reach.setText("gopher://x")
    dialog.ok.click()
    assert dialog.isVisible()
    for part in ("http://x", "Request time-out", "gopher"):
        assert part in dialog.message.details()
    assert gui.workbench.endpoint(endpoint) == before
    dialog.reject()


def test_that_a_password_goes_to_the_secrets_and_an_empty_one_changes_nothing(gui: Driver, endpoint: str) -> None:
    dialog = edited(gui, endpoint)
    dialog.way.setCurrentIndex(dialog.way.findText("Basic256Sha256, signed and encrypted"))
    dialog.sign_in.kind.setCurrentText("User and password")
    dialog.sign_in.name.setText("operator")
    dialog.sign_in.password.setText("canary")
    dialog.ok.click()
    found = gui.workbench.endpoint(endpoint)
    assert found is not None
    assert found.security.secret == reference_of(endpoint)
    assert gui.workbench.secrets.get(reference_of(endpoint)) == "canary"
    again = edited(gui, endpoint)
    assert "known" in again.sign_in.password.placeholderText()
    again.ok.click()
    assert gui.workbench.secrets.get(reference_of(endpoint)) == "canary"


def test_that_only_ways_that_the_server_offered_are_shown_beside_the_one_in_use(
    gui: Driver, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = EndpointReport(title="x", url="", offered=(offer(),))
    monkeypatch.setattr(gui.workbench.live, "state", lambda _: ConnectionState(report=report))
    gui.workbench.do(set_security(gui.workbench.project, endpoint, Security(policy="Basic256", mode="Sign")))
    dialog = edited(gui, endpoint)
    assert [dialog.way.itemText(place) for place in range(dialog.way.count())] == [
        "Aes256_Sha256_RsaPss, signed and encrypted",
        "Basic256, signed",
    ]
    assert dialog.way.currentText() == "Basic256, signed"
    dialog.reject()


def test_that_a_connected_endpoint_connects_again_when_it_was_changed(gui: Driver, endpoint: str) -> None:
    gui.connect(endpoint)
    dialog = edited(gui, endpoint)
    dialog.settings.fields["timeout_s"].setText("4")  # type: ignore[union-attr]  # a number field
    dialog.ok.click()
    assert gui.phase(endpoint) == "connecting"
    gui.until(lambda: gui.phase(endpoint) == "connected")


def test_that_the_menu_edits_the_connection_of_what_is_selected(gui: Driver, endpoint: str) -> None:
    gui.workbench.select("endpoint", [endpoint], endpoint)
    gui.window.menus.trigger("endpoint.edit")
    dialog = gui.dialog(EditEndpointDialog)
    dialog.reject()


# Load


def test_that_watching_all_asks_first_where_a_device_may_not_stand_it(gui: Driver, endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    gui.add_tags(endpoint, line_address("a"), line_address("b"))
    heavy = LoadEstimate(2, 1.0, 2.0, 3.0, warnings=("The server allows 1 item.",))
    monkeypatch.setattr("widgets.dialogs.watch_all.estimate_tags", lambda *_, **__: heavy)
    gui.tags.watch_all.click()
    box = gui.dialog(QMessageBox)
    assert isinstance(box, QMessageBox)
    assert "The server allows 1 item." in box.informativeText()
    box.button(QMessageBox.StandardButton.Cancel).click()
    gui.until(lambda: not gui.tags.watch_all.isChecked())
    assert not gui.tags._all_watched
    gui.tags.watch_all.click()
    box = gui.dialog(QMessageBox)
    assert isinstance(box, QMessageBox)
    next(one for one in box.buttons() if one.text() == "Watch all").click()
    gui.until(lambda: gui.tags._all_watched)
    QApplication.processEvents()
