"""Removing elements together with what cannot be without them."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from app.edits.edit import Edit
from app.model.element import Element
from app.model.project import Change, Project, kind_of
from app.model.references import REFERENCES


def dependents(project: Project, ids: Iterable[str]) -> list[Element]:
    """Elements that name one of these ids, each once, by id; not those of ``ids`` themselves."""
    wanted = set(ids)
    found = {element.id: element for id_ in wanted for element in project.referrers(id_) if element.id not in wanted}
    return [found[id_] for id_ in sorted(found)]


def remove(name: str, project: Project, ids: Iterable[str]) -> Edit:
    """Remove elements, and on and on everything that names them; a field that may be empty is emptied instead.

    What goes and what is emptied is said in ``app.model.references``. Ids that are not there are ignored.
    """
    gone: set[str] = set()
    waiting = [id_ for id_ in dict.fromkeys(ids) if id_ in project]
    referring: dict[str, Element] = {}
    while waiting:
        id_ = waiting.pop()
        if id_ in gone:
            continue
        gone.add(id_)
        for element in project.referrers(id_):
            referring[element.id] = element
            if _goes_with(element, id_):
                waiting.append(element.id)
    removed = [found for id_ in sorted(gone) if (found := project.element(id_)) is not None]
    emptied = [referring[id_] for id_ in sorted(referring.keys() - gone)]
    changes = [Change(kind_of(element), element.id, element, None) for element in removed]
    changes += [Change(kind_of(element), element.id, element, _without(element, gone)) for element in emptied]
    return Edit(name, tuple(changes))


def _goes_with(element: Element, id_: str) -> bool:
    for reference in REFERENCES[type(element)]:
        held = getattr(element, reference.field)
        if reference.on_removal == "remove" and (id_ in held if reference.many else id_ == held):
            return True
    return False


def _without(element: Element, gone: set[str]) -> Element:
    fields: dict[str, object] = {}
    for reference in REFERENCES[type(element)]:
        held = getattr(element, reference.field)
        if reference.many:
            fields[reference.field] = tuple(id_ for id_ in held if id_ not in gone)
        elif held in gone:
            fields[reference.field] = ""
    return msgspec.structs.replace(element, **fields)
