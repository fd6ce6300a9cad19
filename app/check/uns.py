"""UNS: names and paths that topics are made of."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from app.check.base import Finding, Rule
from app.mapping.message import PLACEHOLDERS, topic_of
from app.model.itmodel import LEVELS, Asset, AssetType, Attribute, Place
from app.model.mapping import Delivery
from app.model.project import Project
from app.model.resolve import path_of

_ILLEGAL = re.compile(r"[+#/\x00-\x1f\x7f]")
"""MQTT 5.0 §4.7.1: + and # are wildcards, / separates levels, U+0000 is forbidden and other control characters should not be used."""


def _wrong(name: str) -> str:
    """Why a name cannot be one level of a topic; "" when it can."""
    if not name.strip():
        return "it is empty"
    if found := _ILLEGAL.search(name):
        return f"{found[0]!r} has a meaning of its own in topics"
    if name.startswith("$"):
        return "a leading $ is reserved for the broker"
    if name != name.strip():
        return "it begins or ends with a space, which nobody sees"
    return ""


def _illegal_names(project: Project) -> Iterator[Finding]:
    for asset in project.all(Asset).values():
        if why := _wrong(asset.name):
            yield Finding(
                "UNS-001", "error", asset.id, path_of(project, asset), f"the name {asset.name!r} is illegal in a topic: {why}", "Rename it"
            )
    for place in project.all(Place).values():
        if why := _wrong(place.name):
            yield Finding("UNS-001", "error", place.id, place.name, f"the name {place.name!r} is illegal in a topic: {why}", "Rename it")
    for attribute in project.all(Attribute).values():
        if why := _wrong(attribute.name):
            type_ = project.get(AssetType, attribute.asset_type)
            where = f"{type_.name if type_ else attribute.asset_type}.{attribute.name}"
            yield Finding("UNS-001", "error", attribute.id, where, f"the name {attribute.name!r} is illegal in a topic: {why}", "Rename it")


def _same_path(project: Project) -> Iterator[Finding]:
    by_path: dict[str, list[Asset]] = defaultdict(list)
    for asset in project.all(Asset).values():
        by_path[path_of(project, asset)].append(asset)
    for path, twins in by_path.items():
        if len(twins) > 1:
            for asset in twins:
                message = f"{len(twins)} assets have this path: their messages cannot be told apart"
                yield Finding("UNS-002", "error", asset.id, path, message, "Rename or move one")


def _same_topic(project: Project) -> Iterator[Finding]:
    by_topic: dict[str, list[Asset]] = defaultdict(list)
    for asset in project.all(Asset).values():
        by_topic[topic_of(project, asset).casefold()].append(asset)
    for twins in by_topic.values():
        if len(twins) > 1 and len({path_of(project, asset) for asset in twins}) > 1:
            others = {asset.id: [path_of(project, other) for other in twins if other is not asset] for asset in twins}
            for asset in twins:
                message = f"its topic is also that of {', '.join(others[asset.id])} (or differs in case only)"
                yield Finding(
                    "UNS-003", "error", asset.id, path_of(project, asset), message, "Rename one, or use more placeholders in the topic"
                )


def _hierarchy(project: Project) -> Iterator[Finding]:
    for place in project.all(Place).values():
        parent = project.get(Place, place.parent)
        if parent is not None and LEVELS.index(parent.level) >= LEVELS.index(place.level):
            message = f"{_a(place.level)} cannot lie in {_a(parent.level)}"
            yield Finding("UNS-004", "warning", place.id, place.name, message, "Correct the level or the parent")


def _a(level: str) -> str:
    return f"an {level}" if level[0] in "aeiou" else f"a {level}"


def _bad_templates(project: Project) -> Iterator[Finding]:
    for delivery in project.all(Delivery).values():
        type_ = project.get(AssetType, delivery.asset_type)
        place = f"Delivery of {type_.name if type_ else delivery.asset_type}" if delivery.asset_type else "Delivery"
        unknown = [name for name in re.findall(r"\{([^{}]*)\}", delivery.topic) if name not in PLACEHOLDERS]
        if unknown:
            message = f"the topic names {', '.join('{' + name + '}' for name in unknown)}, which nothing fills"
            yield Finding("UNS-005", "error", delivery.id, place, message, "Use " + " ".join("{" + name + "}" for name in PLACEHOLDERS))
        fixed = re.sub(r"\{[^{}]*\}", "", delivery.topic)
        if "+" in fixed or "#" in fixed or fixed.startswith("$"):
            message = f"the topic {delivery.topic!r} cannot be published to"
            yield Finding("UNS-005", "error", delivery.id, place, message, "Leave out + and #, and a leading $")


RULES = [
    Rule("UNS-001", "illegal name", "error", "Brokers refuse the topic, or file it elsewhere.", _illegal_names),
    Rule("UNS-002", "duplicate path", "error", "Messages of two assets cannot be told apart.", _same_path),
    Rule("UNS-003", "same topic", "error", "Messages of two assets cannot be told apart.", _same_topic),
    Rule("UNS-004", "hierarchy", "warning", "The path reads as another plant than the one that stands there.", _hierarchy),
    Rule("UNS-005", "topic template", "error", "Topics are wrong for every asset.", _bad_templates),
]
