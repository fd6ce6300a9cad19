"""A project as the bytes of its file: same project, same bytes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from app.errors import CollectedError, UserError
from app.model.element import Element
from app.model.lines import ENCODER, canonical, faults, unwritable
from app.model.project import Project, kind_of
from app.model.references import dangling

END_LINE: Final = b'{"kind":"end"}\n'


def write(project: Project) -> bytes:
    """Header, then elements by kind and id, an empty line after each, then the end line.

    The empty lines are for git, which calls edits of neighbouring lines a conflict unless an unchanged line stands between.

    Raises:
        CollectedError: The project holds what no file may hold; nothing that could not be read again is ever written.
    """
    elements = [canonical(element) for element in project.elements()]
    problems = [
        UserError(f"{kind_of(element)} {element.id}", where=project.info.name or "project", why=why)
        for element in elements
        for why in (*faults(element), unwritable(element), *dangling(element, project.kinds_of_ids()))
        if why
    ]
    if problems:
        raise CollectedError("Cannot write the project", where=project.info.name or "project", problems=problems, fix="Mend these first")
    return encode(elements)


def encode(elements: Iterable[Element]) -> bytes:
    """The file of canonical elements that are already in order, the header first."""
    return ENCODER.encode_lines(elements).replace(b"\n", b"\n\n") + END_LINE
