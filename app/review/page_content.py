"""Everything that the review page shows, gathered from a project."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from app.check import run
from app.drivers import spec_for
from app.errors import UserError
from app.gateways import Loss, Options, exporters
from app.mapping.message import json_schema, topic_of
from app.mapping.transform import symbol, transform_text
from app.model.itmodel import Asset, AssetType, Attribute
from app.model.mapping import Delivery, Mapping
from app.model.plant import Endpoint, Group, Tag
from app.model.project import Project
from app.model.resolve import ResolvedAttribute, attributes, lineage, path_of, places
from app.model.reviewing import Comment
from app.review.approval import newest_approval, review_state
from app.review.examples import example_messages, json_text
from app.review.page_rows import (
    AssetBlock,
    AttributeRow,
    Content,
    DeliveryBlock,
    EndpointBlock,
    Note,
    PlaceBlock,
    Review,
    TargetBlock,
    TypeBlock,
)

STATE_WORDS: Final = {"approved": "approved", "changed": "changed since approval", "never reviewed": "never reviewed", "": "not mapped"}
_STATE_KEYS: Final = {"approved": "approved", "changed": "changed", "never reviewed": "never", "": "unmapped"}


def content_of(project: Project) -> Content:
    findings = run(project)
    blocks = _places(project)
    rows = [row for place in blocks for asset in place.assets for row in asset.rows]
    states = Counter(row.review.key for row in rows)
    used = {tag for mapping in project.all(Mapping).values() for tag in mapping.sources}
    return Content(
        name=project.info.name,
        description=project.info.description,
        counts={
            "assets": len(project.all(Asset)),
            "attributes": len(rows),
            "mapped": len(rows) - states["unmapped"],
            "tags": len(project.all(Tag)),
            "endpoints": len(project.all(Endpoint)),
        },
        states={key: states[key] for key in _STATE_KEYS.values()},
        findings=findings,
        severities={severity: sum(finding.severity == severity for finding in findings) for severity in ("error", "warning", "info")},
        places=blocks,
        types=[_type(project, type_) for type_ in sorted(project.all(AssetType).values(), key=lambda type_: (type_.name, type_.id))],
        endpoints=[_endpoint(project, endpoint) for endpoint in _by_name(project)],
        deliveries=_deliveries(project),
        unused=[(endpoint.name, [tag for tag in project.tags_of(endpoint.id) if tag.id not in used]) for endpoint in _by_name(project)],
        targets=[_target(project, key) for key in exporters()],
    )


def _by_name(project: Project) -> list[Endpoint]:
    return sorted(project.all(Endpoint).values(), key=lambda endpoint: (endpoint.name, endpoint.id))


def _notes(project: Project, id_: str) -> list[Note]:
    found: list[Comment] = sorted(project.comments_about(id_), key=lambda comment: (comment.at, comment.id))
    return [Note(comment.by, comment.at, comment.text, comment.resolved) for comment in found]


def _review(project: Project, id_: str) -> Review:
    state = review_state(project, id_)
    approval = newest_approval(project, id_)
    if approval is None:
        return Review(_STATE_KEYS[state], STATE_WORDS[state])
    return Review(_STATE_KEYS[state], STATE_WORDS[state], approval.by, approval.at, approval.why)


# --- assets ----------------------------------------------------------------------------------------------------------------


def _places(project: Project) -> list[PlaceBlock]:
    blocks: dict[tuple[str, ...], PlaceBlock] = {}
    for asset in sorted(project.all(Asset).values(), key=lambda asset: (path_of(project, asset), asset.id)):
        path = [place.name for place in places(project, asset)]
        block = blocks.setdefault(tuple(path), PlaceBlock(path, []))
        block.assets.append(_asset(project, asset))
    return [blocks[path] for path in sorted(blocks)]


def _asset(project: Project, asset: Asset) -> AssetBlock:
    type_ = project.get(AssetType, asset.asset_type)
    rows: list[AttributeRow] = []
    for row in attributes(project, asset.asset_type):
        mappings = project.mappings_for(asset.id, row.attribute.id, row.within)
        rows += [_row(project, row, mapping) for mapping in mappings] or [_row(project, row, None)]
    return AssetBlock(
        id=asset.id,
        name=asset.name,
        type=type_.name if type_ else asset.asset_type,
        title=asset.title or asset.description,
        topic=topic_of(project, asset),
        mapped=sum(row.review.key != "unmapped" for row in rows),
        rows=rows,
        comments=_notes(project, asset.id),
    )


def _row(project: Project, row: ResolvedAttribute, mapping: Mapping | None) -> AttributeRow:
    attribute = row.attribute
    tag = project.get(Tag, mapping.sources[0]) if mapping and mapping.sources else None
    endpoint = project.get(Endpoint, tag.endpoint) if tag else None
    return AttributeRow(
        path=row.path,
        title=attribute.title or attribute.description,
        type=_type_words(attribute),
        unit=symbol(attribute.unit),
        range=_range(attribute.low, attribute.high),
        required=attribute.required,
        endpoint=endpoint.name if endpoint else "",
        tag=tag.name if tag else "",
        address=tag.address if tag else "",
        source=_source_words(tag) if tag else "",
        transform=transform_text(mapping.transform) if mapping else "",
        policy=_policy(project, mapping, tag) if mapping else "",
        note=mapping.note if mapping else "",
        review=_review(project, mapping.id) if mapping else Review("unmapped", "not mapped"),
        comments=_notes(project, mapping.id) if mapping else [],
    )


def _type_words(attribute: Attribute) -> str:
    if attribute.enum and attribute.data_type == "enum":
        return f"enum: {', '.join(attribute.enum.values())}"
    return attribute.data_type


def _source_words(tag: Tag) -> str:
    scale = transform_scale(tag)
    return " · ".join(filter(None, (tag.type, symbol(tag.unit), _range(tag.low, tag.high), scale)))


def transform_scale(tag: Tag) -> str:
    """The scale of the source itself."""
    if tag.gain == 1.0 and tag.offset == 0.0:
        return ""
    return f"raw × {tag.gain:g}" + (f" {'+' if tag.offset > 0 else '−'} {abs(tag.offset):g}" if tag.offset else "")


def _policy(project: Project, mapping: Mapping, tag: Tag | None) -> str:
    group = project.get(Group, tag.group) if tag else None
    interval_ms = mapping.interval_ms or (group.interval_ms if group else 1000)
    quality = {"pass": "", "good_only": "null unless good", "hold": f"last good value held for {mapping.hold_s:g} s"}[mapping.quality]
    time = "" if mapping.time == "source" else f"{mapping.time} time"
    deadband = f"deadband {group.deadband:g}" if group and group.deadband else ""
    return ", ".join(filter(None, (f"every {interval_ms} ms", deadband, time, quality)))


def _range(low: float | None, high: float | None) -> str:
    if low is None and high is None:
        return ""
    return f"{'' if low is None else f'{low:g}'} … {'' if high is None else f'{high:g}'}".strip()


# --- the other sections ----------------------------------------------------------------------------------------------------


def _type(project: Project, type_: AssetType) -> TypeBlock:
    chain = lineage(project, type_.id)
    rows = [
        (row.path, row.attribute, symbol(row.attribute.unit), _range(row.attribute.low, row.attribute.high))
        for row in attributes(project, type_.id)
    ]
    return TypeBlock(
        name=type_.name, title=type_.title, version=type_.version, description=type_.description,
        extends=" → ".join(ancestor.name for ancestor in chain[1:]), abstract=type_.abstract, uri=type_.uri,
        assets=len(project.assets_of(type_.id)), attributes=rows, comments=_notes(project, type_.id),
    )  # fmt: skip


def _endpoint(project: Project, endpoint: Endpoint) -> EndpointBlock:
    security, identity = endpoint.security, endpoint.identity
    try:
        protocol = spec_for(endpoint.addresses["default"]).title
    except UserError:
        protocol = "unknown protocol"
    user = {"anonymous": "anonymous", "password": f"user {security.name} with a password", "certificate": "user certificate"}[security.user]
    known = (("Application URI", identity.application_uri), ("Certificate", identity.thumbprint), ("Product", identity.product))
    return EndpointBlock(
        name=endpoint.name, description=endpoint.description, protocol=protocol, addresses=list(endpoint.addresses.items()),
        security="none" if security.mode == "None" else f"{security.policy}, {'sign and encrypt' if security.mode != 'Sign' else 'sign'}",
        user=user, secret="kept outside the project" if security.secret else "", identity=[pair for pair in known if pair[1]],
        namespaces=list(endpoint.namespaces), units=[f"{unit.number} {unit.name} ({unit.order})" for unit in project.units_of(endpoint.id)],
        settings=[(name, str(value)) for name, value in endpoint.settings.items()],
        tags=len(project.tags_of(endpoint.id)), comments=_notes(project, endpoint.id),
    )  # fmt: skip


def _deliveries(project: Project) -> list[DeliveryBlock]:
    """One for every asset type that has assets, and every override even when its type has none."""
    overridden = {delivery.asset_type for delivery in project.all(Delivery).values() if delivery.asset_type}
    chosen = [t for t in project.all(AssetType).values() if t.id in overridden or project.assets_of(t.id)]
    return [_delivery(project, type_) for type_ in sorted(chosen, key=lambda type_: (type_.name, type_.id))]


def _delivery(project: Project, type_: AssetType) -> DeliveryBlock:
    delivery = project.delivery_for(type_.id)
    assets = sorted(project.assets_of(type_.id), key=lambda asset: path_of(project, asset))
    shown = next(((asset, made) for asset in assets if (made := example_messages(project, asset))), None)
    of = "its own" if delivery.asset_type else "the project's default" if delivery.id else "built-in default"
    facts = [
        ("Topic", delivery.topic),
        ("Message", f"one per {delivery.message}"),
        ("Sent", "on change" if delivery.trigger == "change" else f"every {delivery.period_ms} ms"),
        ("Keys", delivery.keys),
        ("Time", delivery.time),
        ("Quality", delivery.quality),
        ("Unit", "sent" if delivery.unit else "not sent"),
        ("Without value", "null is sent" if delivery.null == "null" else "left out"),
        ("MQTT", f"QoS {delivery.qos}{', retained' if delivery.retain else ''}"),
    ]
    return DeliveryBlock(
        type=type_.name, of=of, facts=facts,
        review=_review(project, delivery.id) if delivery.id else Review("never", "never reviewed"),
        example_asset=shown[0].name if shown else "", examples=[(m.topic, json_text(m.payload)) for m in shown[1]] if shown else [],
        schema=json_text(json_schema(project, type_.id)), comments=_notes(project, delivery.id) if delivery.id else [],
    )  # fmt: skip


def _target(project: Project, key: str) -> TargetBlock:
    exporter = exporters()[key]
    try:
        losses: Sequence[Loss] = exporter.render(project, Options()).losses
        refused = ""
    except UserError as error:
        losses, refused = [], f"{error.what}: {error.why}"
    counts = Counter(loss.severity for loss in losses)
    ordered = {severity: counts[severity] for severity in ("error", "warning", "info")}
    return TargetBlock(exporter.title, exporter.tested_with, ordered, list(losses), refused)
