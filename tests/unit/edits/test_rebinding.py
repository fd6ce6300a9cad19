from __future__ import annotations

import pytest

from app.edits import Editor
from app.edits.rebinding import Rebinding, rebind
from app.errors import UserError
from app.model.plant import Tag
from app.review.approval import review_state
from tests.factory import line4_project

NEW = "nsu=urn:tagloom:plant:line;s=Line4/Filler1/FT-101A.PV"


def test_that_tags_are_re_bound_in_one_edit_that_undo_takes_back() -> None:
    editor = Editor(line4_project())
    before = dict(editor.project.all(Tag))
    edit = rebind(editor.project, [Rebinding("t-flow", NEW, "float64", "Line4/Filler1/FT-101A"), Rebinding("t-voltage", "3/holding:102")])
    assert edit.name == "Re-bind 2 tags"
    editor.do(edit)
    flow, voltage = editor.project.all(Tag)["t-flow"], editor.project.all(Tag)["t-voltage"]
    assert (flow.address, flow.type, flow.path, flow.name) == (NEW, "float64", "Line4/Filler1/FT-101A", before["t-flow"].name)
    assert (voltage.type, voltage.path) == (before["t-voltage"].type, before["t-voltage"].path)
    editor.undo()
    assert dict(editor.project.all(Tag)) == before


def test_that_what_was_approved_shows_as_changed_after_a_re_binding() -> None:
    editor = Editor(line4_project())
    assert review_state(editor.project, "m-fill-flow") == "approved"
    edit = rebind(editor.project, [Rebinding("t-flow", NEW)])
    assert edit.name == f"Re-bind {editor.project.all(Tag)['t-flow'].name}"
    editor.do(edit)
    assert review_state(editor.project, "m-fill-flow") == "changed"


def test_that_a_tag_that_is_gone_is_not_re_bound() -> None:
    with pytest.raises(UserError, match="no such tag"):
        rebind(line4_project(), [Rebinding("t-nowhere", NEW)])
