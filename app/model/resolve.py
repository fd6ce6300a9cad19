"""Derived views of the IT model: inherited attributes, component paths, the place of an asset. Pure look-ups, nothing stored."""

from __future__ import annotations

from typing import NamedTuple

from app.model.itmodel import LEVELS, Asset, AssetType, Attribute, Component, Place
from app.model.project import Project

DEPTH_LIMIT = 16
"""Inheritance and nesting deeper than this is a cycle or a mistake; the checks report it."""

PART_LIMIT = 10_000
"""Types that contain types multiply: sixteen levels of ten components each would be 10^16 parts. Those beyond this are left out."""


class ResolvedAttribute(NamedTuple):
    """An attribute as an asset of the type has it.

    Attributes:
        within: Ids of the components that lead to it.
        path: Names of those components and of the attribute, joined by dots: ``motor.speed``.
    """

    attribute: Attribute
    within: tuple[str, ...]
    path: str


def lineage(project: Project, asset_type: str) -> list[AssetType]:
    """The type and what it extends, itself first; a cycle or a missing type ends the list."""
    found: list[AssetType] = []
    current = project.get(AssetType, asset_type)
    while current is not None and current not in found and len(found) < DEPTH_LIMIT:
        found.append(current)
        current = project.get(AssetType, current.extends)
    return found


def attributes(project: Project, asset_type: str) -> list[ResolvedAttribute]:
    """Every attribute an asset of this type has: outermost ancestor's first, own names replace inherited ones, then components'."""
    found: list[ResolvedAttribute] = []
    waiting: list[tuple[str, tuple[str, ...], str]] = [(asset_type, (), "")]
    for _ in range(PART_LIMIT):
        if not waiting:
            break
        type_id, within, prefix = waiting.pop()
        own: dict[str, ResolvedAttribute] = {}
        parts: dict[str, Component] = {}
        for ancestor in reversed(lineage(project, type_id)):
            for attribute in project.attributes_of(ancestor.id):
                own[attribute.name] = ResolvedAttribute(attribute, within, prefix + attribute.name)
            for component in project.components_of(ancestor.id):
                parts[component.name] = component
        found += own.values()
        if len(within) < DEPTH_LIMIT - 1:
            inner = [(part.type, (*within, part.id), f"{prefix}{part.name}.") for part in parts.values() if part.id not in within]
            waiting += reversed(inner)
    return found


def places(project: Project, asset: Asset) -> list[Place]:
    """The places that hold the asset, outermost first."""
    found: list[Place] = []
    current = project.get(Place, asset.place)
    while current is not None and current not in found and len(found) < DEPTH_LIMIT:
        found.insert(0, current)
        current = project.get(Place, current.parent)
    return found


def path_of(project: Project, asset: Asset) -> str:
    """``Plant 1/Packaging/Line 4/Filler 1``: how a person finds the asset."""
    return "/".join([*(place.name for place in places(project, asset)), asset.name])


def level_names(project: Project, asset: Asset) -> dict[str, str]:
    """Name of the asset's place at each ISA-95 level; "" where it has none."""
    names: dict[str, str] = dict.fromkeys(LEVELS, "")
    names.update({place.level: place.name for place in places(project, asset)})
    return names
