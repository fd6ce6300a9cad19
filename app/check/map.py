"""MAP: what is mapped to what, and whether it fits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial

from app.check.base import Finding, Rule, Severity
from app.edits import Edit, delete, replace
from app.edits.edit import with_fields
from app.errors import UserError
from app.mapping.fit import Misfit, misfits
from app.mapping.transform import compile_transform
from app.model.itmodel import Asset, Attribute
from app.model.mapping import Mapping, UnitConversion
from app.model.plant import Tag
from app.model.project import Project
from app.model.resolve import attributes, path_of
from app.units import compatibility


def place_of(project: Project, mapping: Mapping) -> str:
    """``Plant 1/Packaging/Line 4/Filler 1/fillFlow``."""
    asset, attribute = project.get(Asset, mapping.asset), project.get(Attribute, mapping.attribute)
    head = path_of(project, asset) if asset else mapping.asset
    if asset is not None:
        for row in attributes(project, asset.asset_type):
            if row.attribute.id == mapping.attribute and row.within == mapping.within:
                return f"{head}/{row.path}"
    return f"{head}/{attribute.name if attribute else mapping.attribute}"


def _unmapped(project: Project) -> Iterator[Finding]:
    for asset in project.all(Asset).values():
        for row in attributes(project, asset.asset_type):
            if row.attribute.required and not any(
                mapping.sources for mapping in project.mappings_for(asset.id, row.attribute.id, row.within)
            ):
                place = f"{path_of(project, asset)}/{row.path}"
                message = f"{row.path} is required, and no tag is mapped to it"
                yield Finding("MAP-001", "error", asset.id, place, message, "Drag a tag onto the attribute")


def _duplicates(project: Project) -> Iterator[Finding]:
    fed = Counter((mapping.asset, mapping.attribute, mapping.within) for mapping in project.all(Mapping).values())
    for mapping in project.all(Mapping).values():
        count = fed[mapping.asset, mapping.attribute, mapping.within]
        if count > 1:
            message = f"{count} mappings feed this one attribute: the gateway would send each in turn"
            yield Finding("MAP-002", "error", mapping.id, place_of(project, mapping), message, "Remove all but one")


def _remove(project: Project, finding: Finding) -> Edit:
    mapping = project.all(Mapping)[finding.about]
    return delete("Remove duplicate mapping", [mapping, *project.approvals_about(mapping.id), *project.comments_about(mapping.id)])


def _unknown_tags(project: Project) -> Iterator[Finding]:
    for mapping in project.all(Mapping).values():
        place = place_of(project, mapping)
        if not mapping.sources:
            yield Finding("MAP-003", "error", mapping.id, place, "the mapping has no source tag", "Choose a tag")
        for tag in mapping.sources:
            if project.get(Tag, tag) is None:
                yield Finding("MAP-003", "error", mapping.id, place, f"the tag {tag} is not in the project", "Choose another tag")


def _foreign_attributes(project: Project) -> Iterator[Finding]:
    for mapping in project.all(Mapping).values():
        asset = project.get(Asset, mapping.asset)
        known = {(row.attribute.id, row.within) for row in attributes(project, asset.asset_type)} if asset else set()
        if (mapping.attribute, mapping.within) not in known:
            message = "the asset's type has no such attribute (any more): nothing is delivered"
            yield Finding(
                "MAP-009", "error", mapping.id, place_of(project, mapping), message, "Remove the mapping, or map it to another attribute"
            )


def _misfitting(subject: str, rule: str, project: Project) -> Iterator[Finding]:
    for mapping in project.all(Mapping).values():
        attribute = project.get(Attribute, mapping.attribute)
        tag = project.get(Tag, mapping.sources[0]) if mapping.sources else None
        if attribute is None or tag is None:
            continue
        for misfit in misfits(tag, attribute, mapping.transform):
            if misfit.subject == subject:
                yield _finding(rule, misfit, project, mapping)


def _finding(rule: str, misfit: Misfit, project: Project, mapping: Mapping) -> Finding:
    severity: Severity = misfit.severity
    return Finding(rule, severity, mapping.id, place_of(project, mapping), misfit.message, misfit.fix)


def _convert(project: Project, finding: Finding) -> Edit:
    """Begin with the conversion from the tag's unit to the attribute's, in place of those that were there.

    Raises:
        UserError: No factor relates the two units.
    """
    mapping = project.all(Mapping)[finding.about]
    tag, attribute = project.all(Tag)[mapping.sources[0]], project.all(Attribute)[mapping.attribute]
    if (related := compatibility(tag.unit, attribute.unit)).verdict == "incompatible":
        raise UserError(
            "Not converted", where=finding.place, why=f"{finding.message}; {related.reason}", fix="Map another tag, or correct a unit"
        )
    kept = tuple(op for op in mapping.transform if not isinstance(op, UnitConversion))
    changed = with_fields(mapping, transform=(UnitConversion(source=tag.unit, target=attribute.unit), *kept))
    return replace(f"Convert {attribute.name}", project, [changed])


def _impossible(project: Project) -> Iterator[Finding]:
    for mapping in project.all(Mapping).values():
        try:
            compile_transform(mapping.transform)
        except UserError as error:
            place = place_of(project, mapping)
            yield Finding("MAP-008", "error", mapping.id, place, f"the transform can never work: {error.why}", "Correct the transform")


_wrong_types = partial(_misfitting, "type", "MAP-004")
_narrowing = partial(_misfitting, "narrowing", "MAP-005")
_unit_mismatches = partial(_misfitting, "unit", "MAP-006")
_ranges = partial(_misfitting, "range", "MAP-007")

RULES = [
    Rule("MAP-001", "required", "error", "IT waits for a value that never comes.", _unmapped),
    Rule("MAP-002", "duplicate", "error", "Two sources overwrite each other in turn.", _duplicates, _remove),
    Rule("MAP-003", "unknown tag", "error", "A mapping without a source delivers nothing.", _unknown_tags),
    Rule("MAP-004", "wrong type", "error", "Every value would be refused.", _wrong_types),
    Rule("MAP-005", "type narrowing", "warning", "Values overflow or lose digits, often months later.", _narrowing),
    Rule("MAP-006", "unit mismatch", "error", "A temperature in °F is reported as °C.", _unit_mismatches, _convert),
    Rule("MAP-007", "range", "warning", "Mostly a wrong scaling.", _ranges),
    Rule("MAP-008", "impossible", "error", "The transform fails for every value.", _impossible),
    Rule("MAP-009", "foreign attribute", "error", "The type has changed since the mapping was made.", _foreign_attributes),
]  # fmt: skip
