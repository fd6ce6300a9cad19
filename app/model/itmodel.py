"""The IT side of a project: asset types with attributes and components, places, assets."""

from __future__ import annotations

from typing import Final, Literal

from app.model.element import Extended

Level = Literal["enterprise", "site", "area", "line", "cell"]
LEVELS: Final[tuple[Level, ...]] = ("enterprise", "site", "area", "line", "cell")
"""ISA-95 equipment hierarchy, outermost first (IEC 62264-1; "line" and "cell" are its work center and work unit)."""


class AssetType(Extended, frozen=True, kw_only=True, tag="assettype"):
    """What assets of one type have in common.

    Attributes:
        extends: Id of the type whose attributes and components this one inherits; at most one.
        uri: Name of the type for other systems, for example the ``$id`` of the JSON Schema it came from.
    """

    name: str
    title: str = ""
    version: str = ""
    extends: str = ""
    abstract: bool = False
    uri: str = ""
    semantic_ids: tuple[str, ...] = ()
    description: str = ""


class Attribute(Extended, frozen=True, kw_only=True, tag="attribute"):
    """One attribute of an asset type.

    Attributes:
        asset_type: Id of the type it belongs to. An attribute of the same name in an extending type replaces it.
        data_type: A word of ``app.model.values`` (with ``[]`` for arrays).
        unit: UNECE Rec 20 code, "" without unit.
        enum: Number → name; with data_type ``enum`` the IT value is the name.
    """

    asset_type: str
    name: str
    data_type: str
    title: str = ""
    unit: str = ""
    low: float | None = None
    high: float | None = None
    required: bool = False
    enum: dict[str, str] = {}  # noqa: RUF012  msgspec copies empty defaults
    semantic_ids: tuple[str, ...] = ()
    description: str = ""


class Component(Extended, frozen=True, kw_only=True, tag="component"):
    """A part of an asset type that is itself of an asset type: ``motor`` of type Motor."""

    asset_type: str
    name: str
    type: str
    description: str = ""


class Place(Extended, frozen=True, kw_only=True, tag="place"):
    """A node of the equipment hierarchy. ``parent`` is a place of an outer level, "" at the top."""

    name: str
    level: Level
    parent: str = ""
    description: str = ""


class Asset(Extended, frozen=True, kw_only=True, tag="asset"):
    """An instance of an asset type at a place."""

    name: str
    asset_type: str
    place: str = ""
    title: str = ""
    description: str = ""
