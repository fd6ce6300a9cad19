"""A project as the bytes of its file: same project, same bytes."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import msgspec

from app.errors import CollectedError, UserError
from app.model.element import Element
from app.model.lines import DECODER, ENCODER, canonical, faults, unwritable
from app.model.project import Project, kind_of
from app.model.references import dangling

END_LINE: Final = b'{"kind":"end"}\n'


def write(project: Project) -> bytes:
    """Header, then elements by kind and id, an empty line after each, then the end line.

    The empty lines are for git, which calls edits of neighbouring lines a conflict unless an unchanged line stands between.

    Raises:
        CollectedError: The project holds what no file may hold; nothing that could not be read again is ever written.
    """
    with no_collection():
        elements = [canonical(element) for element in project.elements()]
        if data := _proven(elements, project.kinds_of_ids()):
            return data
    name = project.info.name or "project"
    problems = [
        UserError(f"{kind_of(element)} {element.id}", where=name, why=why)
        for element in elements
        for why in (*faults(element), unwritable(element), *dangling(element, project.kinds_of_ids()))
        if why
    ]
    raise CollectedError("Cannot write the project", where=name, problems=problems, fix="Mend these first")


def _proven(elements: list[Element], kinds: Mapping[str, str]) -> bytes:
    """The file, when reading it gives the same elements back and none of them has a fault; else nothing."""
    try:
        data = encode(elements)
        again = DECODER.decode_lines(data)
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError, TypeError):
        return b""
    if again[:-1] != elements or any(faults(element) or dangling(element, kinds) for element in elements):
        return b""
    return data


def encode(elements: Iterable[Element]) -> bytes:
    """The file of canonical elements that are already in order, the header first."""
    return ENCODER.encode_lines(elements).replace(b"\n", b"\n\n") + END_LINE


@contextmanager
def no_collection() -> Iterator[None]:
    """Hundreds of thousands of new objects, none of them garbage: the cyclic collector would look at them again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
