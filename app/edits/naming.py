"""Names that people type: trimmed, not empty, and not given twice at one place."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from app.errors import UserError


class Named(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...


def free_name(what: str, name: str, others: Iterable[Named], *, but: str = "") -> str:
    """The name without surrounding white space.

    Args:
        what: What is named, for the message: ``endpoint``.
        others: What may not have this name already; case counts, as it does for every system that reads these names.
        but: Id of the element that is being renamed and so may keep its name.

    Raises:
        UserError: The name is empty or taken.
    """
    name = name.strip()
    if not name:
        raise UserError(f"Cannot name the {what}", where=what, why="the name is empty", fix="Give it a name")
    if any(other.name == name and other.id != but for other in others):
        article = "an" if what[0] in "aeiou" else "a"
        raise UserError(
            f"Cannot name the {what} {name}", where=name, why=f"{article} {what} of this name is there already", fix="Choose another name"
        )
    return name
