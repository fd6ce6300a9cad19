import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.edits import Editor
from app.errors import CollectedError
from app.itmodels.typed_in import TypedAttribute, TypedComponent, TypedType, edit_of_type, enum_text
from app.model.itmodel import AssetType, Attribute, Component
from app.model.lines import first_fault
from app.model.mapping import Mapping
from app.model.project import Project
from app.model.resolve import attributes
from tests.factory import line4_project


def typed(project: Project, asset_type: str) -> TypedType:
    """The form as it is filled in from the project."""
    held = project.all(AssetType)[asset_type]
    rows = [_row(attribute) for attribute in project.attributes_of(asset_type)]
    parts = [TypedComponent(part.name, part.type, part.description, part.id) for part in project.components_of(asset_type)]
    return TypedType(
        name=held.name, title=held.title, version=held.version, extends=held.extends, description=held.description,
        attributes=rows, components=parts,
    )  # fmt: skip


def _row(attribute: Attribute) -> TypedAttribute:
    cells = {
        "name": attribute.name,
        "data_type": attribute.data_type,
        "unit": attribute.unit,
        "low": "" if attribute.low is None else repr(attribute.low),
        "high": "" if attribute.high is None else repr(attribute.high),
        "required": "yes" if attribute.required else "",
        "enum": enum_text(attribute.enum),
        "description": attribute.description,
    }
    return TypedAttribute(cells, attribute.id)


@pytest.mark.parametrize("asset_type", ["machine", "filler", "motor", "meter"])
def test_that_a_form_that_was_only_looked_at_changes_nothing(asset_type: str) -> None:
    project = line4_project()
    assert edit_of_type(project, asset_type, typed(project, asset_type)).changes == ()


def test_that_blank_rows_count_as_none() -> None:
    edit = edit_of_type(line4_project(), "", TypedType(name="Pump", attributes=[TypedAttribute({}), TypedAttribute({"name": " "})]))
    assert [change.kind for change in edit.changes] == ["assettype"]


def test_that_what_is_left_out_goes_with_its_mappings() -> None:
    project = line4_project()
    form = typed(project, "filler")
    edit = edit_of_type(project, "filler", TypedType(name="Filler", extends="machine", attributes=list(form.attributes)[:1], components=[]))
    Editor(project).do(edit)
    assert project.get(Component, "filler-motor") is None
    assert project.get(Mapping, "m-speed") is None
    assert project.get(Mapping, "m-bottles") is not None
    assert project.get(Mapping, "m-recipe") is None


def test_that_a_type_can_neither_extend_nor_contain_itself_on_any_way() -> None:
    project = line4_project()
    form = TypedType(name="Machine", extends="filler", components=[TypedComponent("part", "filler")])
    with pytest.raises(CollectedError) as caught:
        edit_of_type(project, "machine", form)
    assert [problem.why for problem in caught.value.problems] == ["it would inherit from itself", "it would contain itself"]


def test_that_every_wrong_cell_is_collected() -> None:
    rows = [TypedAttribute({"name": "a", "low": "x"}), TypedAttribute({"data_type": "bool"}), TypedAttribute({"name": "b", "unit": "quux"})]
    with pytest.raises(CollectedError) as caught:
        edit_of_type(line4_project(), "", TypedType(name="", attributes=rows, components=[TypedComponent("c", "")]))
    assert [problem.where for problem in caught.value.problems] == ["Name", "Row 1, a", "Row 2", "Row 3, b", "Component 1, c"]


_CELLS = st.fixed_dictionaries(
    {
        "name": st.text(max_size=6),
        "data_type": st.sampled_from(["", "float64", "INT", "enum", "string[]", "real", "nothing"]),
        "unit": st.sampled_from(["", "°C", "KPA", "m3/h", "quux"]),
        "low": st.sampled_from(["", "0", "-1,5", "x"]),
        "high": st.sampled_from(["", "10", "1e3", "-2"]),
        "required": st.sampled_from(["", "yes", "no", "perhaps"]),
        "enum": st.sampled_from(["", "0=A|1=B", "A;B", "x=A"]),
        "description": st.text(max_size=6),
    }
)


@given(st.text(max_size=8), st.lists(_CELLS, max_size=4))
def test_that_whatever_is_typed_is_refused_or_can_be_kept_in_a_file(name: str, rows: list[dict[str, str]]) -> None:
    project = line4_project()
    try:
        edit = edit_of_type(project, "", TypedType(name=name, attributes=[TypedAttribute(cells) for cells in rows]))
    except CollectedError:
        return
    assert not [fault for change in edit.changes if change.after is not None and (fault := first_fault(change.after))]
    Editor(project).do(edit)
    made = edit.changes[0].id
    filled = [cells["name"].strip() for cells in rows if any(text.strip() for text in cells.values())]
    assert [row.path for row in attributes(project, made)] == sorted(filled, key=[row.path for row in attributes(project, made)].index)
