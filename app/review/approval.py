"""Review state, derived from approvals: an approval holds for exactly the content it was given to.

The digest covers the closure of a mapping: the mapping, its tags' addresses and scaling, the security and namespaces of
their endpoints, the attribute with everything inherited, and the delivery that sends it. Names and descriptions that change
nothing of what IT receives (aliases, titles, notes) are left out, so that tidying up does not void a review.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Literal

import msgspec

from app.edits import Edit
from app.edits.edit import create
from app.errors import UserError
from app.mapping.message import topic_of
from app.model.element import Element
from app.model.ids import make_id
from app.model.itmodel import Asset, AssetType, Attribute
from app.model.mapping import Delivery, Mapping
from app.model.plant import Endpoint, Group, Tag
from app.model.project import Project
from app.model.resolve import attributes, path_of
from app.model.reviewing import Approval

ReviewState = Literal["never reviewed", "approved", "changed"]

_UNCHANGING = {"extensions", "description", "note", "title", "semantic_ids"}
"""Fields that change nothing of what is read, computed or sent."""


def closure_digest(project: Project, id_: str) -> str:
    """SHA-256 in hex over the closure of a mapping or a delivery, as canonical JSON.

    Raises:
        KeyError: Neither a mapping nor a delivery has this id.
    """
    mapping = project.get(Mapping, id_)
    content = _mapping_closure(project, mapping) if mapping else _content(project.all(Delivery)[id_])
    return hashlib.sha256(msgspec.json.encode(content, order="deterministic")).hexdigest()


def _mapping_closure(project: Project, mapping: Mapping) -> dict[str, object]:
    asset = project.get(Asset, mapping.asset)
    attribute = project.get(Attribute, mapping.attribute)
    tags = [project.get(Tag, id_) for id_ in mapping.sources]
    endpoints = {tag.endpoint: project.get(Endpoint, tag.endpoint) for tag in tags if tag}
    path = _attribute_path(project, mapping, asset)
    return {
        "mapping": _content(mapping),
        "asset": path_of(project, asset) if asset else None,
        "type": _type_name(project, asset) if asset else None,
        "topic": topic_of(project, asset, path) if asset else None,
        "attribute": _content(attribute) if attribute else None,
        "path": path,
        "tags": [_tag_content(project, tag) if tag else None for tag in tags],
        "endpoints": [_endpoint_content(endpoint) if endpoint else None for _, endpoint in sorted(endpoints.items())],
        "delivery": _content(project.delivery_for(asset.asset_type)) if asset else None,
    }


def _type_name(project: Project, asset: Asset) -> str:
    """It stands in every message."""
    type_ = project.get(AssetType, asset.asset_type)
    return type_.name if type_ else ""


def _attribute_path(project: Project, mapping: Mapping, asset: Asset | None) -> str:
    rows = attributes(project, asset.asset_type) if asset else []
    return next((row.path for row in rows if row.attribute.id == mapping.attribute and row.within == mapping.within), "")


def _content(element: Element) -> dict[str, object]:
    """Every field that matters, defaults included, so that a later default cannot change old digests silently."""
    fields = {name: getattr(element, name) for name in element.__struct_fields__ if name not in _UNCHANGING}
    return {name: msgspec.to_builtins(value) for name, value in fields.items()}


def _tag_content(project: Project, tag: Tag) -> dict[str, object]:
    group = project.get(Group, tag.group)
    kept = ("endpoint", "address", "type", "path", "gain", "offset", "unit", "low", "high", "enum")
    rates = {"interval_ms": group.interval_ms, "deadband": group.deadband} if group else None
    return {**{name: getattr(tag, name) for name in kept}, "group": rates}


def _endpoint_content(endpoint: Endpoint) -> dict[str, object]:
    """Which application it is belongs to what was approved; a renewed certificate or newer firmware, confirmed on site, does not."""
    security = {name: getattr(endpoint.security, name) for name in ("policy", "mode", "user", "name")}
    return {
        "id": endpoint.id,
        "security": security,
        "identity": {"application_uri": endpoint.identity.application_uri} if endpoint.identity.application_uri else {},
        "namespaces": sorted(endpoint.namespaces),
    }


def review_state(project: Project, id_: str) -> ReviewState:
    """State of a mapping or a delivery now. One approval of exactly this content is enough."""
    approvals = project.approvals_about(id_)
    if not approvals:
        return "never reviewed"
    digest = closure_digest(project, id_)
    return "approved" if any(approval.digest == digest for approval in approvals) else "changed"


def newest_approval(project: Project, id_: str) -> Approval | None:
    return max(project.approvals_about(id_), key=lambda approval: approval.at, default=None)


def approve(project: Project, ids: Sequence[str], *, by: str, at: str, why: str = "") -> Edit:
    """Approve mappings and deliveries as they are now; what is approved already is left alone.

    Args:
        project: The project as it is now.
        ids: Mappings and deliveries.
        by: The reviewer's name.
        at: RFC 3339 UTC.
        why: Free text.

    Raises:
        UserError: Nobody is named.
    """
    if not by.strip():
        raise UserError("Not approved", where="Review", why="an approval needs the name of the reviewer", fix="Enter your name")
    taken = set(project.all(Approval))
    made: list[Element] = []
    for id_ in ids:
        if review_state(project, id_) == "approved":
            continue
        digest = closure_digest(project, id_)
        made.append(Approval(id=make_id("approval", id_, by, digest, taken=taken), about=id_, digest=digest, by=by.strip(), at=at, why=why))
        taken.add(made[-1].id)
    return create(f"Approve {len(made)} {'mapping' if len(made) == 1 else 'mappings'}", made)
