"""Edits of the IT side: asset types with attributes and components, places, assets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from app.edits.edit import Edit, create, replace, with_fields
from app.edits.naming import free_name
from app.edits.removal import remove
from app.errors import UserError
from app.model.ids import make_id
from app.model.itmodel import LEVELS, Asset, AssetType, Attribute, Component, Level, Place
from app.model.project import Project

# Places


def ensure_places(project: Project, path: Iterable[tuple[Level, str]]) -> tuple[Edit, str]:
    """The places of a path, outermost first; those that are missing are made.

    Returns:
        The edit (without changes when all are there), and the id of the innermost place, "" for an empty path.

    Raises:
        UserError: A name is empty, or a level does not stand below the one before it.
    """
    made: list[Place] = []
    parent, outer = "", -1
    for level, given in path:
        name = given.strip()
        if not name or LEVELS.index(level) <= outer:
            why = "the name is empty" if not name else f"a {level} does not stand below a {LEVELS[outer]}"
            raise UserError("Cannot add the place", where=name or level, why=why, fix=f"Levels from the outside in: {', '.join(LEVELS)}")
        outer = LEVELS.index(level)
        found = (
            next((place for place in project.places_in(parent) if (place.level, place.name) == (level, name)), None) if not made else None
        )
        if found is None:
            id_ = make_id("place", parent, name, level, taken=project)
            found = Place(id=id_, name=name, level=level, parent=parent)
            made.append(found)
        parent = found.id
    return create(f"Add place {made[-1].name}" if made else "Add place", made), parent


def rename_place(project: Project, place: str, name: str) -> Edit:
    held = project.all(Place)[place]
    name = free_name("place", name, [one for one in project.places_in(held.parent) if one.level == held.level], but=place)
    return replace(f"Rename {held.name} to {name}", project, [with_fields(held, name=name)])


def remove_place(project: Project, place: str) -> Edit:
    """With the places and assets in it, and their mappings."""
    return remove(f"Remove place {project.all(Place)[place].name}", project, [place])


# Asset types


def add_asset_type(project: Project, name: str, *, extends: str = "", title: str = "", description: str = "") -> Edit:
    """Raises ``UserError`` when the name is empty or taken."""
    name = free_name("asset type", name, project.all(AssetType).values())
    id_ = make_id("assettype", "", name, taken=project)
    return create(f"Add asset type {name}", [AssetType(id=id_, name=name, extends=extends, title=title, description=description)])


def rename_asset_type(project: Project, asset_type: str, name: str) -> Edit:
    held = project.all(AssetType)[asset_type]
    name = free_name("asset type", name, project.all(AssetType).values(), but=asset_type)
    return replace(f"Rename {held.name} to {name}", project, [with_fields(held, name=name)])


def set_extends(project: Project, asset_type: str, extends: str) -> Edit:
    """Raises ``UserError`` when the type would inherit from itself."""
    held = project.all(AssetType)[asset_type]
    ancestor: str = extends
    seen: set[str] = set()
    while ancestor and ancestor not in seen:
        if ancestor == asset_type:
            raise UserError(f"Cannot extend {held.name}", where=held.name, why="it would inherit from itself", fix="Choose another type")
        seen.add(ancestor)
        ancestor = project.all(AssetType)[ancestor].extends
    return replace(f"Set what {held.name} extends", project, [with_fields(held, extends=extends)])


def remove_asset_type(project: Project, asset_type: str) -> Edit:
    """With its attributes, components and assets, their mappings, and components of other types that are of this type.

    Types that extend it stay, without what they inherited.
    """
    return remove(f"Remove asset type {project.all(AssetType)[asset_type].name}", project, [asset_type])


# Attributes and components


def add_attribute(project: Project, asset_type: str, name: str, data_type: str, **fields: Any) -> Edit:  # Any: any field of Attribute
    """Raises ``UserError`` when the type itself has an attribute of this name; one that it inherits is replaced."""
    name = free_name("attribute", name, project.attributes_of(asset_type))
    id_ = make_id("attribute", asset_type, name, taken=project)
    attribute = with_fields(Attribute(id=id_, asset_type=asset_type, name=name, data_type=data_type), **fields)
    return create(f"Add attribute {name}", [attribute])


def rename_attribute(project: Project, attribute: str, name: str) -> Edit:
    held = project.all(Attribute)[attribute]
    name = free_name("attribute", name, project.attributes_of(held.asset_type), but=attribute)
    return replace(f"Rename {held.name} to {name}", project, [with_fields(held, name=name)])


def change_attribute(project: Project, attribute: str, **fields: Any) -> Edit:  # Any: any field of Attribute but its name
    """Set fields other than ``name``, which ``rename_attribute`` checks."""
    held = project.all(Attribute)[attribute]
    return replace(f"Change {held.name}", project, [with_fields(held, **fields)])


def remove_attributes(project: Project, attributes: Sequence[str]) -> Edit:
    """With the mappings that feed them."""
    names = [project.all(Attribute)[id_].name for id_ in attributes]
    return remove(f"Remove attribute {names[0]}" if len(names) == 1 else f"Remove {len(names)} attributes", project, attributes)


def add_component(project: Project, asset_type: str, name: str, of_type: str) -> Edit:
    name = free_name("component", name, project.components_of(asset_type))
    id_ = make_id("component", asset_type, name, taken=project)
    return create(f"Add component {name}", [Component(id=id_, asset_type=asset_type, name=name, type=of_type)])


def remove_component(project: Project, component: str) -> Edit:
    """With the mappings of attributes within it."""
    return remove(f"Remove component {project.all(Component)[component].name}", project, [component])


# Assets


def add_asset(project: Project, name: str, asset_type: str, place: str = "", *, title: str = "", description: str = "") -> Edit:
    """Raises ``UserError`` when the name is empty or taken at that place: its path would not be its own."""
    name = free_name("asset", name, project.assets_at(place))
    id_ = make_id("asset", place, name, taken=project)
    asset = Asset(id=id_, name=name, asset_type=asset_type, place=place, title=title, description=description)
    return create(f"Add asset {name}", [asset])


def rename_asset(project: Project, asset: str, name: str) -> Edit:
    held = project.all(Asset)[asset]
    name = free_name("asset", name, project.assets_at(held.place), but=asset)
    return replace(f"Rename {held.name} to {name}", project, [with_fields(held, name=name)])


def move_asset(project: Project, asset: str, place: str) -> Edit:
    held = project.all(Asset)[asset]
    free_name("asset", held.name, project.assets_at(place), but=asset)
    return replace(f"Move {held.name}", project, [with_fields(held, place=place)])


def remove_assets(project: Project, assets: Sequence[str]) -> Edit:
    """With their mappings, and the approvals and comments about these."""
    names = [project.all(Asset)[id_].name for id_ in assets]
    return remove(f"Remove asset {names[0]}" if len(names) == 1 else f"Remove {len(names)} assets", project, assets)
