"""Mapping by drag or menu: the tag is checked against the attribute at once, and made to fit where a closed operator can."""

from __future__ import annotations

from collections.abc import Sequence

from app.edits import Edit
from app.edits.mappings import map_attribute
from app.errors import UserError
from app.mapping.fit import misfits, suggest_transform
from app.mapping.transform import transform_text
from app.model.itmodel import Attribute
from widgets.node_tags import tags_from_nodes
from widgets.workbench import Workbench

Target = tuple[str, str, tuple[str, ...]]
"""(asset id, attribute id, component ids): one attribute of one asset."""


def target_id(target: Target) -> str:
    """As ``Workbench.selection`` names an attribute."""
    asset, attribute, within = target
    return "\0".join((asset, attribute, *within))


def target_of(id_: str) -> Target:
    asset, attribute, *within = id_.split("\0")
    return asset, attribute, tuple(within)


def map_tag(workbench: Workbench, target: Target, tag_id: str) -> bool:
    """Map one tag; False when it was refused, with the reason shown. What was added to make it fit is said."""
    asset, attribute_id, within = target
    tag, attribute = workbench.tag(tag_id), workbench.project.get(Attribute, attribute_id)
    if tag is None or attribute is None:
        return False
    said: list[str] = []

    def build() -> Edit:
        suggestion = suggest_transform(tag, attribute)
        if suggestion.transform:
            said.append(f"{transform_text(suggestion.transform)}, because {' and '.join(suggestion.reasons)}")
        doubts = [misfit.message for misfit in misfits(tag, attribute, suggestion.transform)]
        if doubts:
            said.append(f"look at this: {doubts[0]}")
        return map_attribute(workbench.project, asset, attribute_id, tag_id, within=within, transform=suggestion.transform)

    if not workbench.attempt(build):
        return False
    workbench.said.emit(f"{attribute.name} ← {tag.name}" + (f": {'; '.join(said)}" if said else ""))
    workbench.select("attribute", [target_id(target)])
    return True


def map_tags(workbench: Workbench, targets: Sequence[Target], tags: Sequence[str]) -> None:
    """The first tag to the first attribute, and so on; tags left over are said, not dropped in silence."""
    for target, tag in zip(targets, tags, strict=False):
        map_tag(workbench, target, tag)
    if len(tags) > len(targets):
        workbench.said.emit(f"{len(tags) - len(targets)} tags had no attribute below to go to")


def map_nodes(workbench: Workbench, targets: Sequence[Target], endpoint: str, ids: Sequence[str]) -> None:
    """Nodes become tags first, and these are mapped; each is an edit of its own, so undo takes back the mapping before the tag."""
    if not targets:
        workbench.failed.emit(UserError("Not mapped", where="Map", why="this row is no attribute", fix="Drop on an attribute of an asset"))
        return
    tags_from_nodes(workbench, endpoint, ids, lambda tags: map_tags(workbench, targets, tags))
