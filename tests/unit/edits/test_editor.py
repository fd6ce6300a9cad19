import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.edits import Edit, Editor, create, delete, replace
from app.edits.edit import with_fields
from app.errors import UserError
from app.model.plant import Endpoint, Tag, Unit
from app.model.project import Change, Project
from app.projectfile import read, write
from tests import strategies
from tests.unit.edits.plants import filling_line


def renaming(editor: Editor, name: str) -> Edit:
    return replace(f"Rename to {name}", editor.project, [with_fields(editor.project.all(Tag)["flow-a"], name=name)])


def is_saved(editor: Editor) -> bool:
    """Asked anew each time; a type checker takes a property to stay as it was."""
    return editor.is_saved


def test_that_undo_and_redo_go_through_the_edits_by_name() -> None:
    editor = Editor(filling_line())
    editor.do(renaming(editor, "b"))
    editor.do(renaming(editor, "c"))
    assert (editor.undo_name, editor.redo_name) == ("Rename to c", "")
    editor.undo()
    assert (editor.undo_name, editor.redo_name) == ("Rename to b", "Rename to c")
    editor.undo()
    editor.undo()
    assert editor.project.all(Tag)["flow-a"].name == "flow"
    editor.redo()
    editor.redo()
    editor.redo()
    assert editor.project.all(Tag)["flow-a"].name == "c"
    editor.undo()
    editor.do(renaming(editor, "d"))
    assert editor.redo_name == ""


def test_that_the_unsaved_marker_follows_the_content() -> None:
    editor = Editor(filling_line())
    assert is_saved(editor)
    editor.do(renaming(editor, "b"))
    assert not is_saved(editor)
    editor.undo()
    assert is_saved(editor)
    editor.redo()
    editor.mark_saved()
    assert is_saved(editor)
    editor.undo()
    assert not is_saved(editor)
    editor.do(renaming(editor, "b"))
    assert not is_saved(editor)


def test_that_listeners_hear_of_each_edit_as_it_was_applied() -> None:
    editor = Editor(filling_line())
    heard: list[Edit] = []
    stop = editor.listen(heard.append)
    edit = renaming(editor, "b")
    editor.do(edit)
    editor.undo()
    editor.redo()
    stop()
    editor.undo()
    assert heard == [edit, edit.inverse(), edit]


def test_that_a_failing_listener_does_not_keep_the_edit_from_the_others() -> None:
    editor = Editor(filling_line())
    heard: list[Edit] = []

    def fail(_: Edit) -> None:
        raise RuntimeError("a bug in a panel")

    editor.listen(fail)
    editor.listen(heard.append)
    with pytest.raises(RuntimeError, match="a bug in a panel"):
        editor.do(renaming(editor, "b"))
    assert len(heard) == 1
    editor.listen(fail)
    with pytest.raises(ExceptionGroup):
        editor.undo()
    assert editor.project.all(Tag)["flow-a"].name == "flow"


def test_that_a_listener_may_not_change_the_project() -> None:
    editor = Editor(filling_line())
    editor.listen(lambda _: editor.undo())
    with pytest.raises(RuntimeError, match="a listener may not change"):
        editor.do(renaming(editor, "b"))
    assert editor.project.all(Tag)["flow-a"].name == "b"


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (lambda p: create("Add", [Tag(id="t-a", endpoint="gone", address="x", name="t")]), 'endpoint names "gone"'),
        (lambda p: delete("Remove", [p.all(Tag)["flow-a"]]), 'names "flow-a", and there is no such'),
        (lambda p: create("Add", [Tag(id="t-a", endpoint="opc-a", address="x", name="t", gain=float("nan"))]), "Expected `float`"),
        (lambda p: create("Add", [Tag(id="T A", endpoint="opc-a", address="x", name="t")]), "id must be"),
        (lambda p: create("Add", [Endpoint(id="x", name="x", addresses={"default": "x://a:b@c"})]), "password in the URL"),
        (lambda p: create("Add", [Unit(id="x", endpoint="opc-a", number=300)]), "<= 255"),
    ],
)
def test_that_an_edit_after_which_no_file_could_hold_the_project_is_refused_whole(edit: object, why: str) -> None:
    editor = Editor(filling_line())
    before = list(editor.project.elements())
    with pytest.raises(UserError) as caught:
        editor.do(edit(editor.project))  # type: ignore[operator]  # parametrized
    assert why in caught.value.why
    assert list(editor.project.elements()) == before
    assert editor.undo_name == ""


def test_that_an_edit_for_another_state_is_refused_as_the_bug_it_is() -> None:
    editor = Editor(filling_line())
    stale = renaming(editor, "b")
    editor.do(renaming(editor, "c"))
    with pytest.raises(ValueError, match="not as the edit expects"):
        editor.do(stale)
    assert editor.undo_name == "Rename to c"


def test_that_an_edit_without_changes_is_no_step_of_undo() -> None:
    editor = Editor(filling_line())
    editor.do(renaming(editor, "flow"))
    assert editor.undo_name == ""


def test_that_two_edits_as_one_touch_each_element_once() -> None:
    editor = Editor(filling_line())
    tag = Tag(id="t-a", endpoint="opc-a", address="x", name="a")
    first = create("Add", [tag])
    second = Edit("Rename", (Change("tag", "t-a", tag, with_fields(tag, name="b")),))
    assert first.then(second).changes == (Change("tag", "t-a", None, with_fields(tag, name="b")),)
    assert first.then(delete("Remove", [tag])).changes == ()
    editor.do(first.then(second, "Add b"))
    assert editor.undo_name == "Add b"


def test_that_a_value_a_field_cannot_hold_is_a_user_error_where_it_is_set() -> None:
    with pytest.raises(UserError, match="Cannot change flow"):
        with_fields(filling_line().all(Tag)["flow-a"], gain="much")


@given(strategies.projects(), st.data())
def test_that_whatever_an_editor_lets_in_can_be_saved_and_opened(project: Project, data: st.DataObject) -> None:
    editor = Editor(project)
    for _ in range(data.draw(st.integers(1, 5))):
        strategies.do_something(editor, data.draw)
    assert strategies.same(read(write(project), "x"), project)
