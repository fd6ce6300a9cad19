"""Projects that break one rule: the healthy line of the factory with a few elements in place of its own, or taken out."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from app.check import rules
from app.check.base import Finding
from app.drivers.base import ItemState
from app.edits import Editor
from app.edits.edit import with_fields
from app.model.element import Element
from app.model.project import Project
from tests.factory import line4_project


def line4(*others: Element, without: Collection[str] = ()) -> Project:
    """Not by an edit: an editor would refuse some of what the rules are there for (files of others can hold it)."""
    base = line4_project()
    gone = {base.info.id, *without, *(element.id for element in others)}
    return Project(base.info, [*(element for element in base.elements() if element.id not in gone), *others])


def other(id_: str, **fields: object) -> Element:
    """An element of the line with other field values."""
    held = line4_project().element(id_)
    assert held is not None
    return with_fields(held, **fields)


def found(project: Project, rule: str) -> list[Finding]:
    return list(rules()[rule].find(project))


def seen_found(strayed: Mapping[str, ItemState], rule: str) -> list[Finding]:
    """In the healthy line, of whose tags a device made this."""
    find = rules()[rule].find_strayed
    assert find is not None
    return list(find(line4_project(), strayed))


def mended(project: Project, finding: Finding) -> list[Finding]:
    """Findings about the same element by the same rule after its quick fix."""
    fix = rules()[finding.rule].quick_fix
    assert fix is not None
    editor = Editor(project)
    editor.do(fix(project, finding))
    return [left for left in found(editor.project, finding.rule) if left.about == finding.about]
