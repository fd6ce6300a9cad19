"""What the window shows of connections: real servers that go and come back, many endpoints, keyboard and accessible names."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import pairwise

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QToolButton

from app.edits.tags import TagDraft, add_tags
from app.runtime.state import LogEntry
from tests.gui.driving import Driver
from tests.peers.opcua_peer import LINE, OpcUaPeer, opcua_peer
from tests.peers.server_process import free_port
from widgets.connection_row import ConnectionRow
from widgets.details.endpoint import EndpointView


@pytest.fixture
def peer() -> Iterator[OpcUaPeer]:
    with opcua_peer() as running:
        yield running


def row_of(gui: Driver) -> ConnectionRow:
    found = gui.window.statusBar().findChild(ConnectionRow)
    assert isinstance(found, ConnectionRow)
    return found


def watched(gui: Driver, peer: OpcUaPeer) -> str:
    """A connected endpoint with a live tag and one that is not there; its id."""
    endpoint = gui.add("line", peer.url)
    drafts = [TagDraft(address=f"{LINE}{id_}", name=id_) for id_ in ("s=Counter", "i=424242")]
    gui.workbench.do(add_tags(gui.workbench.project, endpoint, drafts))
    gui.connect(endpoint)
    gui.until(lambda: gui.workbench.live.state(endpoint).accepted == 1)
    return endpoint


def test_that_a_killed_server_is_one_event_in_chip_details_and_log(gui: Driver, peer: OpcUaPeer) -> None:
    logged: list[LogEntry] = []
    gui.workbench.logged.connect(logged.extend)
    endpoint = watched(gui, peer)
    chip = row_of(gui).chips[endpoint]
    gui.until(lambda: "1 of 2 items" in gui.chip(endpoint), "items that we put on the device")
    gui.workbench.select("endpoint", [endpoint], endpoint)
    view = gui.window.docks()["details"].widget().findChild(EndpointView)
    assert isinstance(view, EndpointView)
    gui.until(lambda: view.rows.value("On the device") == "1 of 2 items" and " ms for 1" in view.rows.value("Rates granted"))
    seen: list[str] = []
    peer.kill()
    gui.until(lambda: chip.state == "waiting", "a loss shows at once")
    gui.until(lambda: "retry in" in chip.text(), "no countdown")
    assert "since" in chip.text()
    assert "is there, but nothing listens" in chip.toolTip() or "refused" in chip.toolTip()
    peer.start()
    deadline = time.monotonic() + 20
    while chip.state != "connected" and time.monotonic() < deadline:
        gui.run(20)
        seen.append(chip.state)
    assert set(seen[:-1]) == {"waiting"}, "it flickers on its way back"
    gui.until(lambda: any(row.key == "Last losses" for row in view.rows.rows()), "the card does not name the loss")
    (outage,) = gui.workbench.live.state(endpoint).outages
    assert outage.lasted_s is not None
    gui.until(lambda: any("Connected again after" in entry.text for entry in logged), "the log does not say that it is over")
    (back,) = [entry.text for entry in logged if "Connected again after" in entry.text]
    assert back.endswith("; 2 tags have no values of that time")
    told = [entry.level for entry in logged if entry.source == "line" and entry.level == "WARNING"]
    assert told == ["WARNING"], "the loss is named once"


def test_that_a_silent_server_is_doubted_and_not_torn_down(gui: Driver, peer: OpcUaPeer) -> None:
    endpoint = watched(gui, peer)
    since_ns = gui.workbench.live.state(endpoint).since_ns
    peer.freeze()
    try:
        gui.until(lambda: row_of(gui).chips[endpoint].state == "lost", "silence is not shown")
        assert "no answer" in gui.chip(endpoint)
    finally:
        peer.thaw()
    gui.until(lambda: row_of(gui).chips[endpoint].state == "connected")
    assert gui.workbench.live.state(endpoint).since_ns == since_ns
    assert gui.workbench.live.state(endpoint).outages == ()


def test_that_what_has_no_room_is_in_a_menu_and_trouble_stays_in_sight(gui: Driver) -> None:
    gui.window.resize(1366, 768)
    ids = [gui.add(f"meter-{number:02}", f"modbus://127.0.0.1:{free_port()}") for number in range(16)]
    row = row_of(gui)
    gui.until(lambda: len(row.hidden_endpoints) > 4, "16 endpoints in one line")
    last = ids[-1]
    assert last in row.hidden_endpoints
    shown = [chip for chip in row.chips.values() if not chip.isHidden()]
    assert all(chip.width() >= chip.short_px() for chip in shown), "a name that is cut"
    assert all(one.geometry().right() < other.geometry().left() for one, other in pairwise(shown))
    gui.workbench.live.connect(last)
    gui.until(lambda: row.chips[last].state == "waiting" and last not in row.hidden_endpoints, "trouble is hidden")
    more = row.findChild(QToolButton)
    assert isinstance(more, QToolButton)
    assert more.accessibleName() == f"{len(row.hidden_endpoints)} more endpoints"
    menu = more.menu()
    menu.aboutToShow.emit()
    assert [action.text().split()[0] for action in menu.actions()] == [row.chips[id_].name for id_ in row.hidden_endpoints]
    menu.actions()[0].trigger()
    assert gui.workbench.selection.ids == (row.hidden_endpoints[0],)
    gui.window.resize(2600, 900)
    gui.until(lambda: not row.hidden_endpoints or gui.window.width() < 2600, "there is room for all")


def test_that_a_chip_is_reached_and_pressed_by_keyboard_and_named_in_full(gui: Driver) -> None:
    endpoint = gui.add("meter", "modbus://127.0.0.1:9")
    chip = row_of(gui).chips[endpoint]
    assert chip.focusPolicy() & Qt.FocusPolicy.TabFocus
    gui.press(chip, Qt.Key.Key_Space)
    assert gui.workbench.selection.ids == (endpoint,)
    assert gui.chip(endpoint) == "meter: not connected, off"


def test_that_a_message_does_not_hide_the_connections(gui: Driver) -> None:
    endpoint = gui.add("meter", "modbus://127.0.0.1:9")
    gui.workbench.said.emit("Saved")
    bar = gui.window.statusBar()
    assert bar.currentMessage() == "Saved"
    assert row_of(gui).chips[endpoint].isVisible()
    bar.clearMessage()
    assert bar.currentMessage() == ""
