"""An edit: a name, and what each element was before and is after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import msgspec

from app.errors import UserError
from app.model.element import Element
from app.model.project import Change, Project, kind_of

E = TypeVar("E", bound=Element)


class Edit(msgspec.Struct, frozen=True):
    """One change a person makes and can take back as a whole.

    Attributes:
        name: What the Edit menu shows after "Undo", sentence case, no period: ``Map fillFlow``.
        changes: Every element touched, each at most once. Undo, journal, diff, merge, notification and incremental checks
            all consume this one list.
    """

    name: str
    changes: tuple[Change, ...]

    def inverse(self) -> Edit:
        return Edit(self.name, tuple(Change(kind, id_, after, before) for kind, id_, before, after in reversed(self.changes)))

    def then(self, other: Edit, name: str = "") -> Edit:
        """This edit and the next as one, with each element once."""
        first: dict[tuple[str, str], Element | None] = {}
        last: dict[tuple[str, str], Element | None] = {}
        for kind, id_, before, after in (*self.changes, *other.changes):
            first.setdefault((kind, id_), before)
            last[kind, id_] = after
        merged = (Change(kind, id_, first[kind, id_], after) for (kind, id_), after in last.items())
        return Edit(name or self.name, tuple(change for change in merged if change.before != change.after))


def create(name: str, elements: Sequence[Element]) -> Edit:
    return Edit(name, tuple(Change(kind_of(element), element.id, None, element) for element in elements))


def delete(name: str, elements: Sequence[Element]) -> Edit:
    return Edit(name, tuple(Change(kind_of(element), element.id, element, None) for element in elements))


def replace(name: str, project: Project, elements: Sequence[Element]) -> Edit:
    """Elements in place of those of the same kind and id that the project holds now (or new where it holds none)."""
    changes = (Change(kind_of(e), e.id, project.get(type(e), e.id), e) for e in elements)
    return Edit(name, tuple(change for change in changes if change.before != change.after))


def with_fields(element: E, **fields: object) -> E:
    """A copy with other field values, validated as if it were read from a file.

    Raises:
        UserError: A value that the field cannot hold.
    """
    try:
        return msgspec.convert(msgspec.to_builtins(msgspec.structs.replace(element, **fields)), type(element))
    except msgspec.ValidationError as error:
        name = getattr(element, "name", "") or element.id
        raise UserError(f"Cannot change {name}", where=f"{kind_of(element)} {name}", why=str(error), fix="Give another value") from error
