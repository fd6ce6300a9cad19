"""Attributes of assets with what feeds them: the look-ups that details, review and messages share."""

from __future__ import annotations

from app.mapping.transform import symbol
from app.model.itmodel import Asset, Attribute
from app.model.mapping import Mapping
from app.model.project import Project
from app.model.resolve import ResolvedAttribute, attributes
from widgets.mapping_edits import Target

REVIEW_BADGES: dict[str, str] = {"never reviewed": "never", "approved": "approved", "changed": "changed"}
"""Review state → key of the badge."""


def row_of(project: Project, target: Target) -> ResolvedAttribute | None:
    """The attribute as the asset has it; None when the asset's type has it no more."""
    asset_id, attribute, within = target
    asset = project.get(Asset, asset_id)
    rows = attributes(project, asset.asset_type) if asset else []
    return next((row for row in rows if (row.attribute.id, row.within) == (attribute, within)), None)


def mapping_of(project: Project, target: Target) -> Mapping | None:
    """The first mapping that feeds it; a second one is a finding of the checks."""
    return next(iter(project.mappings_for(*target)), None)


def path_in_type(project: Project, mapping: Mapping) -> str:
    """``motor.speed``; the attribute's name where the type has it no more, its id where nothing has."""
    row = row_of(project, (mapping.asset, mapping.attribute, mapping.within))
    if row is not None:
        return row.path
    attribute = project.get(Attribute, mapping.attribute)
    return attribute.name if attribute else mapping.attribute


def range_text(attribute: Attribute) -> str:
    """``0 … 800 kPa``; "" without limits."""
    if attribute.low is None and attribute.high is None:
        return ""
    low, high = ("" if limit is None else f"{limit:g}" for limit in (attribute.low, attribute.high))
    return f"{low} … {high} {symbol(attribute.unit)}".strip()
