"""A server that came back with other variables: nothing of them is shown under old tags, and re-binding is one undoable edit."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton

from app.edits.tags import TagDraft, add_tags
from app.model.plant import Tag
from tests.gui.driving import Driver
from tests.peers.opcua_peer import LINE, PLC, OpcUaPeer, opcua_peer
from widgets.details.tag import TagView
from widgets.dialogs.rebind import RebindDialog
from widgets.look import BADGE_ROLE, Badge, MessageBar
from widgets.models.tag_table import QUALITY, VALUE

PRESSURE = f"{LINE}i=2001"


@pytest.fixture
def peer() -> Iterator[OpcUaPeer]:
    with opcua_peer() as running:
        yield running


def tagged(gui: Driver, peer: OpcUaPeer) -> dict[str, str]:
    """An endpoint, connected, with tags that have their fingerprints; name → id."""
    endpoint = gui.add("line", peer.url)
    drafts = [
        TagDraft(address=PRESSURE, name="Pressure", type="float64", path="Line1/Pressure"),
        TagDraft(address=f"{LINE}i=1003", name="Speed", type="float64", path="Line1/Speed"),
        TagDraft(address=f"{PLC}i=1003", name="PLC speed", type="float64", path="Plc/Speed"),
    ]
    gui.workbench.do(add_tags(gui.workbench.project, endpoint, drafts))
    gui.connect(endpoint)
    tags = {tag.name: tag.id for tag in gui.workbench.project.all(Tag).values()}
    gui.until(lambda: all(shown(gui, tag) == "good" for tag in tags.values()), "no live values")
    return {"endpoint": endpoint, **tags}


def shown(gui: Driver, tag: str) -> str:
    """The quality badge in the table."""
    found = gui.tags.model.index(gui.tags.model.row_of(tag), QUALITY).data(BADGE_ROLE)
    return found.words if isinstance(found, Badge) else ""


def value(gui: Driver, tag: str) -> str:
    return str(gui.tags.model.index(gui.tags.model.row_of(tag), VALUE).data())


def findings(gui: Driver, tag: str) -> set[str]:
    return {finding.rule for finding in gui.workbench.findings if finding.about == tag}


def restart(gui: Driver, peer: OpcUaPeer, endpoint: str, *options: str) -> None:
    peer.kill()
    gui.until(lambda: gui.phase(endpoint) != "connected")
    peer.start(*options)
    gui.until(lambda: gui.phase(endpoint) == "connected")


def test_that_another_variable_at_a_tags_id_is_withheld_told_everywhere_and_taken_only_on_request(gui: Driver, peer: OpcUaPeer) -> None:
    ids = tagged(gui, peer)
    tag = ids["Pressure"]
    entries = gui.menu(gui.tags.view, gui.tags.model.index(gui.tags.model.row_of(tag), 0))
    assert "Re-bind…" not in entries, "nothing has strayed yet"
    entries["Copy address"]()
    restart(gui, peer, ids["endpoint"], "--shuffle", "--swap")
    gui.until(lambda: shown(gui, tag) == "identity changed", "it is not told")
    assert value(gui, tag) == "", "a value of another variable, or an old one, under the tag"
    gui.until(lambda: shown(gui, ids["Speed"]) == "good" and shown(gui, ids["PLC speed"]) == "good", "namespaces in another order")
    assert (value(gui, ids["Speed"]), value(gui, ids["PLC speed"])) == ("103", "903")
    gui.until(lambda: "SRC-006" in findings(gui, tag), "Problems does not know")
    gui.menu(gui.tags.view, gui.tags.model.index(gui.tags.model.row_of(tag), 0))["Re-bind…"]()
    gui.dialog(RebindDialog).reject()
    gui.workbench.select("tag", [tag])
    view = gui.window.docks()["details"].widget().findChild(TagView)
    assert isinstance(view, TagView)
    bar = view.findChild(MessageBar)
    assert isinstance(bar, MessageBar)
    gui.until(lambda: bar.isVisible() and "Temperature" in bar.details(), "the details do not say it")
    assert view.rows.value("Value") == ""
    assert view.rows.value("Source time") == ""
    (pressed,) = [one for one in bar.findChildren(QPushButton) if one.text() == "Re-bind…"]
    pressed.click()
    dialog = gui.dialog(RebindDialog)
    assert isinstance(dialog, RebindDialog)
    gui.until(lambda: dialog.model.rows, "nothing is offered")
    assert dialog.model.chosen == [], "what took the place is for a person to take"
    assert not dialog.ok.isEnabled()
    dialog.model.setData(dialog.model.index(0, 0), Qt.CheckState.Checked, Qt.ItemDataRole.CheckStateRole)
    dialog.ok.click()
    gui.until(lambda: shown(gui, tag) == "good", "it is still withheld")
    now = gui.workbench.tag(tag)
    assert now is not None
    assert (now.address, now.path, now.type) == (PRESSURE, "Line1/Temperature", "float64")
    gui.until(lambda: not findings(gui, tag) & {"SRC-005", "SRC-006"}, "Problems still has it")
    gui.workbench.editor.undo()
    gui.until(lambda: shown(gui, tag) == "identity changed", "undo has no effect at the device")


def test_that_all_that_were_found_by_path_follow_their_variables_in_one_undoable_edit(gui: Driver, peer: OpcUaPeer) -> None:
    endpoint = gui.add("line", peer.url)
    drafts = [
        TagDraft(address=f"{LINE}i=777", name="Moved", type="float64", path="Line1/Speed"),  # as before a download to the PLC
        TagDraft(address=PRESSURE, name="Taken", type="uint32", path="Line1/Counter"),
        TagDraft(address=f"{LINE}i=1003", name="Speed", type="float64", path="Line1/Speed"),
    ]
    gui.workbench.do(add_tags(gui.workbench.project, endpoint, drafts))
    gui.connect(endpoint)
    tags = {tag.name: tag.id for tag in gui.workbench.project.all(Tag).values()}
    gui.until(lambda: shown(gui, tags["Moved"]) == "good, moved" and shown(gui, tags["Speed"]) == "good", "not found by its path")
    assert value(gui, tags["Moved"]) == "103"
    tip = str(gui.tags.model.index(gui.tags.model.row_of(tags["Speed"]), 0).data(Qt.ItemDataRole.ToolTipRole))
    assert "History: " in tip, "what is kept of the tag, in bytes"
    assert tip.endswith("of memory")
    gui.until(lambda: shown(gui, tags["Taken"]) == "identity changed" and value(gui, tags["Taken"]) == "")
    gui.until(lambda: "SRC-005" in findings(gui, tags["Moved"]) and "SRC-006" in findings(gui, tags["Taken"]))
    assert gui.workbench.live.bad() == 1, "a withheld one counts once"
    assert gui.workbench.live.reading(tags["Moved"]).problem == f"found at {LINE}i=1003: its id has changed since the tag was made"
    gui.tags.model.filter("no such tag")
    gui.until(lambda: not gui.workbench.live.wanted(), "the table shows none")
    gui.window.menus.trigger("tags.rebind_all")
    assert gui.workbench.live.wanted() == set(tags.values()), "all are looked at while the dialog is open"
    dialog = gui.dialog(RebindDialog)
    assert isinstance(dialog, RebindDialog)
    gui.until(lambda: len(dialog.model.chosen) == 2, "what was found by path is ticked from the beginning")
    assert dialog.ok.text() == "Re-bind 2 tags"
    assert len(dialog.model.rows) == 3, "what took the place of the one is offered too"
    dialog.ok.click()
    gui.until(lambda: not gui.workbench.live.wanted(), "and only then")
    gui.tags.model.filter("")
    gui.until(lambda: all(shown(gui, tag) == "good" for tag in tags.values()), "they do not follow")
    now = {tag.name: (tag.address, tag.path, tag.type) for tag in gui.workbench.project.all(Tag).values()}
    assert now["Moved"] == (f"{LINE}i=1003", "Line1/Speed", "float64")
    assert now["Taken"] == (f"{LINE}s=Counter", "Line1/Counter", "uint32")
    assert gui.workbench.editor.undo_name == "Re-bind 2 tags"
    gui.workbench.editor.undo()
    gui.until(lambda: shown(gui, tags["Moved"]) == "good, moved", "undo takes it back")
