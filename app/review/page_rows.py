"""What stands on the review page, as plain rows: the template places them, ``page_content`` fills them."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.check.base import Finding
from app.gateways import Loss
from app.model.itmodel import Attribute
from app.model.plant import Tag


@dataclass(frozen=True, slots=True)
class Note:
    """A comment as it is shown."""

    by: str
    at: str
    text: str
    resolved: bool


@dataclass(frozen=True, slots=True)
class Review:
    """State of one mapping or delivery, with who said so."""

    key: str
    words: str
    by: str = ""
    at: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class AttributeRow:
    """One attribute of one asset."""

    path: str
    title: str
    type: str
    unit: str
    range: str
    required: bool
    endpoint: str
    tag: str
    address: str
    source: str
    transform: str
    policy: str
    note: str
    review: Review
    comments: list[Note]


@dataclass(frozen=True, slots=True)
class AssetBlock:
    id: str
    name: str
    type: str
    title: str
    topic: str
    mapped: int
    rows: list[AttributeRow]
    comments: list[Note]


@dataclass(frozen=True, slots=True)
class PlaceBlock:
    """Assets of one place."""

    path: list[str]
    assets: list[AssetBlock]


@dataclass(frozen=True, slots=True)
class TypeBlock:
    name: str
    title: str
    version: str
    description: str
    extends: str
    abstract: bool
    uri: str
    assets: int
    attributes: list[tuple[str, Attribute, str, str]]  # path, attribute, unit's symbol, range
    comments: list[Note]


@dataclass(frozen=True, slots=True)
class EndpointBlock:
    name: str
    description: str
    protocol: str
    addresses: list[tuple[str, str]]
    security: str
    user: str
    secret: str
    identity: list[tuple[str, str]]
    namespaces: list[str]
    units: list[str]
    settings: list[tuple[str, str]]
    tags: int
    comments: list[Note]


@dataclass(frozen=True, slots=True)
class DeliveryBlock:
    """One delivery, as it applies to one asset type with assets."""

    type: str
    of: str
    facts: list[tuple[str, str]]
    review: Review
    example_asset: str
    examples: list[tuple[str, str]]
    schema: str
    comments: list[Note]


@dataclass(frozen=True, slots=True)
class TargetBlock:
    """What one gateway target would lose."""

    title: str
    tested_with: str
    counts: dict[str, int]
    losses: list[Loss]
    refused: str


@dataclass(slots=True)
class Content:
    name: str
    description: str
    counts: dict[str, int]
    states: dict[str, int]
    findings: list[Finding]
    severities: dict[str, int]
    places: list[PlaceBlock]
    types: list[TypeBlock]
    endpoints: list[EndpointBlock]
    deliveries: list[DeliveryBlock]
    unused: list[tuple[str, list[Tag]]] = field(default_factory=list)
    targets: list[TargetBlock] = field(default_factory=list)
