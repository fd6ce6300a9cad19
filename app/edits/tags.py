"""Edits of tags: add, remove, rename, group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from app.edits.edit import Edit, replace
from app.edits.removal import remove
from app.errors import UserError
from app.model.element import Json
from app.model.ids import make_id
from app.model.plant import Endpoint, Group, Tag
from app.model.project import Change, Project

Access = Literal["r", "rw", "w"]


class TagDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A tag before it has an id and an endpoint; the fields are those of ``app.model.plant.Tag``."""

    address: str
    name: str
    type: str = ""
    path: str = ""
    group: str = ""
    gain: float = 1.0
    offset: float = 0.0
    unit: str = ""
    low: float | None = None
    high: float | None = None
    enum: Mapping[str, str] = msgspec.field(default_factory=dict)
    access: Access = "r"
    description: str = ""
    extensions: Mapping[str, Json] = msgspec.field(default_factory=dict)


def add_tags(project: Project, endpoint_id: str, drafts: Sequence[TagDraft], *, name: str = "") -> Edit:
    """New tags at an endpoint, in the order of the drafts. Two tags may have one address, or one name.

    Raises:
        UserError: The project has no such endpoint or group.
    """
    if project.get(Endpoint, endpoint_id) is None:
        raise UserError("Cannot add tags", where=endpoint_id, why="the project has no such endpoint", fix="Add the endpoint first")
    _require_groups(project, {draft.group for draft in drafts})
    taken = project.ids()
    changes: list[Change] = []
    for draft in drafts:
        id_ = make_id("tag", endpoint_id, draft.name, draft.address, taken=taken)
        taken.add(id_)
        tag = Tag(
            id=id_,
            extensions=dict(draft.extensions),
            endpoint=endpoint_id,
            address=draft.address,
            name=draft.name,
            group=draft.group,
            type=draft.type,
            path=draft.path,
            gain=draft.gain,
            offset=draft.offset,
            unit=draft.unit,
            low=draft.low,
            high=draft.high,
            enum=dict(draft.enum),
            access=draft.access,
            description=draft.description,
        )
        changes.append(Change("tag", id_, None, tag))
    return Edit(name or f"Add {counted([draft.name for draft in drafts])}", tuple(changes))


def remove_tags(project: Project, tag_ids: Iterable[str]) -> Edit:
    """Tags away, with every mapping they feed, their places in watch lists, and what was approved or said about either."""
    tags = [tag for id_ in dict.fromkeys(tag_ids) if (tag := project.get(Tag, id_)) is not None]
    return remove(f"Remove {counted([tag.name for tag in tags])}", project, [tag.id for tag in tags])


def rename(project: Project, tag_id: str, name: str) -> Edit:
    """Raises ``UserError`` when the name is empty or the tag is not there. The id stays."""
    tag = project.get(Tag, tag_id)
    if tag is None:
        raise UserError("Cannot rename the tag", where=tag_id, why="the project has no such tag")
    if not name.strip():
        raise UserError("Cannot rename the tag", where=tag.name, why="the new name is empty", fix="Type a name")
    return replace(f"Rename {tag.name} to {name.strip()}", project, [msgspec.structs.replace(tag, name=name.strip())])


def set_group(project: Project, tag_ids: Iterable[str], group_id: str) -> Edit:
    """Put tags into a group; "" takes them out of theirs.

    Raises:
        UserError: The project has no such group.
    """
    _require_groups(project, {group_id})
    tags = [tag for id_ in dict.fromkeys(tag_ids) if (tag := project.get(Tag, id_)) is not None]
    group = project.get(Group, group_id)
    what = counted([tag.name for tag in tags])
    name = f"Put {what} into {group.name}" if group else f"Take {what} out of the group"
    return replace(name, project, [msgspec.structs.replace(tag, group=group_id) for tag in tags])


def counted(names: Sequence[str]) -> str:
    """``fillFlow`` for one, ``12 tags`` for more, as the Edit menu names it."""
    return names[0] if len(names) == 1 else f"{len(names)} tags"


def _require_groups(project: Project, ids: Iterable[str]) -> None:
    for id_ in ids:
        if id_ and project.get(Group, id_) is None:
            raise UserError("Unknown group", where=id_, why="the project has no such group", fix="Add the group first")
