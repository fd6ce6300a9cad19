"""Edits that give tags the place and the fingerprint that their variables have now."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from app.edits.edit import Edit, replace, with_fields
from app.edits.tags import counted
from app.errors import UserError
from app.model.plant import Tag
from app.model.project import Project


class Rebinding(NamedTuple):
    """What one tag stands for from now on.

    Attributes:
        tag: Its id.
        address: Canonical.
        type, path: The fingerprint of what stands at that address; "" leaves the tag's own, where the source does not say.
    """

    tag: str
    address: str
    type: str = ""
    path: str = ""


def rebind(project: Project, rebindings: Iterable[Rebinding]) -> Edit:
    """Addresses and fingerprints, of all these tags at once; names, scales and ids stay. What was approved of them shows as changed.

    Raises:
        UserError: A tag is not there any more.
    """
    changed: dict[str, Tag] = {}
    for one in rebindings:
        tag = project.get(Tag, one.tag)
        if tag is None:
            raise UserError("Cannot re-bind the tag", where=one.tag, why="the project has no such tag", fix="Look at what is left")
        changed[tag.id] = with_fields(tag, address=one.address, type=one.type or tag.type, path=one.path or tag.path)
    return replace(f"Re-bind {counted([tag.name for tag in changed.values()])}", project, list(changed.values()))
