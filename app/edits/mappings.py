"""Edits of mappings and deliveries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from app.edits.edit import Edit, replace, with_fields
from app.edits.removal import remove
from app.model.ids import make_id
from app.model.itmodel import Asset, AssetType, Attribute, Component
from app.model.mapping import Delivery, Mapping, Transform
from app.model.project import Project


def map_attribute(
    project: Project,
    asset: str,
    attribute: str,
    tag: str,
    *,
    within: tuple[str, ...] = (),
    transform: Sequence[Transform] = (),
    **fields: Any,
) -> Edit:  # Any: any other field of Mapping
    """Feed an attribute of an asset from a tag.

    A mapping that is there keeps its id, its policies and note, and so the comments about it; its source and transform are
    replaced. Where there are several by mistake, the first one is.
    """
    name = f"Map {_path(project, attribute, within)}"
    held = next(iter(project.mappings_for(asset, attribute, within)), None)
    if held is None:
        id_ = make_id("mapping", asset, project.all(Attribute)[attribute].name, "/".join((*within, attribute)), taken=project)
        held = Mapping(id=id_, asset=asset, attribute=attribute, within=within)
    return replace(name, project, [with_fields(held, sources=(tag,), transform=tuple(transform), **fields)])


def unmap(project: Project, mappings: Sequence[str]) -> Edit:
    """Remove mappings, with the approvals and comments about them."""
    return remove(_named("Unmap", project, mappings), project, mappings)


def set_transform(project: Project, mapping: str, transform: Sequence[Transform]) -> Edit:
    held = project.all(Mapping)[mapping]
    return replace(
        f"{_named('Set transform of', project, [mapping])}", project, [msgspec.structs.replace(held, transform=tuple(transform))]
    )


def set_sources(project: Project, mapping: str, tags: Sequence[str]) -> Edit:
    held = project.all(Mapping)[mapping]
    return replace(_named("Set source of", project, [mapping]), project, [with_fields(held, sources=tuple(tags))])


def set_policies(project: Project, mappings: Sequence[str], **fields: Any) -> Edit:  # Any: time, quality, hold_s, interval_ms, note
    """Set the same policies on one or more mappings."""
    changed = [with_fields(project.all(Mapping)[id_], **fields) for id_ in mappings]
    return replace(_named("Set policies of", project, mappings), project, changed)


def set_delivery(project: Project, asset_type: str = "", **fields: Any) -> Edit:  # Any: any field of Delivery
    """Change the delivery of one asset type, or with "" the project's default.

    An override that is not there yet begins as what the type has now, the default.
    """
    now = project.delivery_for(asset_type)
    owner = project.all(AssetType)[asset_type].name if asset_type else ""
    if not now.id or now.asset_type != asset_type:
        id_ = make_id("delivery", asset_type, owner or "default", taken=project)
        now = msgspec.structs.replace(now, id=id_, asset_type=asset_type)
    return replace(f"Set delivery of {owner}" if owner else "Set default delivery", project, [with_fields(now, **fields)])


def remove_delivery(project: Project, delivery: str) -> Edit:
    """The asset type falls back to the project's default, and the default to the built-in one."""
    held = project.all(Delivery)[delivery]
    owner = project.all(AssetType)[held.asset_type].name if held.asset_type else ""
    return remove(f"Remove delivery of {owner}" if owner else "Remove default delivery", project, [delivery])


def _named(what: str, project: Project, mappings: Sequence[str]) -> str:
    if len(mappings) != 1:
        return f"{what} {len(mappings)} attributes"
    held = project.all(Mapping)[mappings[0]]
    return f"{what} {project.all(Asset)[held.asset].name} {_path(project, held.attribute, held.within)}"


def _path(project: Project, attribute: str, within: Sequence[str]) -> str:
    """``motor.speed``."""
    return ".".join([*(project.all(Component)[id_].name for id_ in within), project.all(Attribute)[attribute].name])
