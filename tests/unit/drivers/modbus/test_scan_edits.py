"""What a scan found, as edits: units, registers, ranges that must not be asked for again."""

from __future__ import annotations

import pytest

from app.drivers.modbus.questions import ScanRegisters, ScanSerial, ScanUnits
from app.drivers.modbus.scan_cost import duration_text, registers_cost, serial_cost, units_cost
from app.drivers.modbus.scan_edits import add_units, remember_forbidden, word_addresses, word_drafts
from app.edits import Editor
from app.edits.endpoints import add_endpoint, set_unit
from app.edits.tags import add_tags
from app.errors import UserError
from app.model.plant import Endpoint, Unit
from app.model.project import Project, ProjectInfo


@pytest.fixture
def editor() -> Editor:
    editor = Editor(Project(ProjectInfo(id="p", name="p")))
    editor.do(add_endpoint(editor.project, "line", "modbus://10.0.0.7?unit=3"))
    return editor


def endpoint(editor: Editor) -> Endpoint:
    (held,) = editor.project.all(Endpoint).values()
    return held


def test_that_units_that_the_project_has_stay_as_they_are(editor: Editor) -> None:
    id_ = endpoint(editor).id
    editor.do(set_unit(editor.project, id_, 3, name="meter", order="CDAB"))
    edit = add_units(editor.project, id_, [3, 4, 4, 5])
    assert edit.name == "Add 2 units to line"
    editor.do(edit)
    units = {unit.number: (unit.name, unit.order) for unit in editor.project.all(Unit).values()}
    assert units == {3: ("meter", "CDAB"), 4: ("", "ABCD"), 5: ("", "ABCD")}
    assert add_units(editor.project, id_, [3, 4]).changes == ()
    assert add_units(editor.project, id_, [9]).name == "Add unit 9 to line"


def test_that_forbidden_ranges_join_those_that_are_known_and_nothing_else_is_touched(editor: Editor) -> None:
    held = endpoint(editor)
    editor.do(remember_forbidden(editor.project, held.id, ["47/holding:10-12, 47/holding:37"]))
    edit = remember_forbidden(editor.project, held.id, ["47/holding:13", "input:5-7"])
    assert edit.name == "Remember forbidden ranges of line"
    editor.do(edit)
    assert endpoint(editor).settings == {"forbidden": "3/input:5-7, 47/holding:10-13, 47/holding:37"}
    assert remember_forbidden(editor.project, held.id, ["47/holding:11"]).changes == ()
    with pytest.raises(UserError, match="Not a range"):
        remember_forbidden(editor.project, held.id, ["somewhere"])


def test_that_words_are_addressed_as_the_device_sends_them_whatever_the_order_of_the_unit(editor: Editor) -> None:
    id_ = endpoint(editor).id
    assert word_addresses(editor.project, id_, 3, "holding", [7, 8]) == ["3/holding:7", "3/holding:8"]
    editor.do(set_unit(editor.project, id_, 3, order="BADC"))
    assert word_addresses(editor.project, id_, 3, "holding", [7]) == ["3/holding:7:uint16:ABCD"]
    assert word_addresses(editor.project, id_, 3, "coil", [7]) == ["3/coil:7"]
    editor.do(set_unit(editor.project, id_, 3, order="CDAB"))
    assert word_addresses(editor.project, id_, 3, "holding", [7]) == ["3/holding:7"], "one word has no word order"


def test_that_words_that_are_tags_already_are_left_out(editor: Editor) -> None:
    id_ = endpoint(editor).id
    addresses = word_addresses(editor.project, id_, 3, "holding", [7, 8])
    editor.do(add_tags(editor.project, id_, word_drafts(editor.project, id_, addresses[:1])))
    (draft,) = word_drafts(editor.project, id_, addresses)
    assert (draft.address, draft.name, draft.type) == ("3/holding:8", "3/holding 8", "uint16")
    (bit,) = word_drafts(editor.project, id_, ["3/coil:1"])
    assert bit.type == "bool"


def test_that_what_a_scan_would_send_is_said_in_words() -> None:
    assert units_cost(ScanUnits(), 1.0) == "247 requests; at most 4 min, if no unit answers within the time-out of 1 s."
    assert units_cost(ScanUnits(first=5, last=5), 0.5).startswith("1 request; at most 1 s")
    assert registers_cost(ScanRegisters(unit=1, first=0, last=100, block=50)).startswith("At least 3 requests in 1 s")
    assert registers_cost(ScanRegisters(unit=1, last=65_535, block=500, pause_ms=1000)).startswith("At least 525 requests in 9 min")
    cost = serial_cost(ScanSerial(port="COM3", units=(1, 2), pause_ms=500))
    assert cost == "18 sets of parameters, 36 requests, at most 36 s; it stops at the first answer."


@pytest.mark.parametrize(("seconds", "text"), [(0.2, "1 s"), (99, "99 s"), (180, "3 min"), (9000, "2.5 h")])
def test_that_durations_are_rounded_as_people_say_them(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text
