"""What a gateway published, message by message, against the project and against what the reference clients read."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jsonschema

from app.mapping.message import json_schema, topic_of
from app.model.itmodel import Asset
from app.model.mapping import Mapping
from app.model.plant import Tag
from app.model.project import Project
from app.model.times import parse_rfc3339
from tests.factory import line4_project
from tests.peers.mqtt import Delivered, Subscriber, wait_until
from tests.peers.witness import Witness, it_value, wanted_of

SETTLED_S = 1.0
"""A message younger than this may be of a change that the witness has not been told yet."""
HOSTILE = '${HOME} @{store:key} $HOME $$ "q" \\u0041 {{ .Tag "topic" }} \'\'\' <b>'
"""A name that every kind of substitution would change: it must arrive as it is."""


def proof_project(namespaces: Sequence[str]) -> Project:
    """The demo line with one asset of a hostile name, which is part of its topic and of its messages."""
    from app.edits import Editor
    from app.edits.edit import replace, with_fields

    project = line4_project(namespaces)
    renamed = with_fields(project.all(Asset)["filler-2"], name=HOSTILE)
    Editor(project).do(replace("Rename", project, [renamed]))
    return project


def assets_by_topic(project: Project) -> dict[str, Asset]:
    return {topic_of(project, asset): asset for asset in project.all(Asset).values()}


def wait_for_all(project: Project, subscriber: Subscriber, timeout_s: float) -> None:
    """Until every asset has sent a message in which every mapped attribute is good."""
    for topic, asset in assets_by_topic(project).items():
        wait_until(partial(_is_good, project, asset, subscriber, topic), timeout_s, f"good values of {topic}")


def _is_good(project: Project, asset: Asset, subscriber: Subscriber, topic: str) -> bool:
    return _all_good(project, asset, subscriber.newest(topic))


def _all_good(project: Project, asset: Asset, message: Delivered | None) -> bool:
    values = message.payload["values"] if message else {}
    return all(values.get(key, {}).get("quality") in ("good", 192) for key in wanted_of(project, asset))


def check_messages(project: Project, delivered: Sequence[Delivered], seen: Witness) -> Counter[str]:
    """Compare every value of every message; gives how often each mapping was compared.

    Values with the source's time must be what the reference client saw at that very time; the others one of the values it saw.
    """
    assets = assets_by_topic(project)
    compared: Counter[str] = Counter()
    validated = 0
    settled = [message for message in delivered if message.at_s < time.monotonic() - SETTLED_S]
    for message in settled:
        assert message.topic in assets, f"a topic that no asset has: {message.topic!r}"
        asset = assets[message.topic]
        delivery = project.delivery_for(asset.asset_type)
        wanted = wanted_of(project, asset)
        schema = json_schema(project, asset.asset_type)
        if set(_required(schema)) <= set(wanted):  # an asset without a mapping for what is required is a finding, and breaks its schema
            jsonschema.validate(message.payload, schema)
            validated += 1
        assert message.qos == delivery.qos
        for key, cell in message.payload["values"].items():
            if cell["value"] is not None:
                _check_value(project, wanted[key], cell, seen)
                compared[wanted[key].id] += 1
    assert validated > 10
    return compared


def _required(schema: dict[str, Any]) -> list[str]:  # Any: JSON
    required: list[str] = schema["properties"]["values"]["required"]
    return required


def _check_value(project: Project, mapping: Mapping, cell: dict[str, Any], seen: Witness) -> None:  # Any: JSON
    tag = project.all(Tag)[mapping.sources[0]]
    at_ms = cell["time"] if isinstance(cell["time"], int) else parse_rfc3339(cell["time"]) // 1_000_000
    changes = seen.changes.get(tag.id)
    if changes is None:
        possible = [it_value(project, mapping, value, at_ms) for value in list(seen.readings[tag.id])]
    elif mapping.time == "source":
        # The witness may have begun after this change: then the value is the one it saw first, or one from before its time.
        if at_ms < min(list(changes)):
            return
        assert at_ms in changes, f"{mapping.id}: no change of {tag.name} at {cell['time']}"
        possible = [it_value(project, mapping, changes[at_ms], at_ms)]
    else:
        possible = [it_value(project, mapping, value, at_ms) for value in list(changes.values())]
    assert cell["value"] in possible, f"{mapping.id}: {cell['value']!r} at {cell['time']} is none of {possible[-5:]!r}"


def newest_cell(project: Project, subscriber: Subscriber, mapping_id: str) -> dict[str, Any]:  # Any: JSON
    """The mapping's value in the newest message of its asset; empty before the first."""
    mapping = project.all(Mapping)[mapping_id]
    asset = project.all(Asset)[mapping.asset]
    message = subscriber.newest(topic_of(project, asset))
    key = next(key for key, other in wanted_of(project, asset).items() if other.id == mapping_id)
    cell: dict[str, Any] = (message.payload["values"].get(key) or {}) if message else {}
    return cell


def check_outage(project: Project, subscriber: Subscriber, kill: Callable[[], None], restart: Callable[[], None], mapping_id: str) -> None:
    """A killed server makes its attributes null with bad quality, never a stale good value; restarted, they are good again."""
    assert newest_cell(project, subscriber, mapping_id)["quality"] in ("good", 192)
    kill()
    wait_until(lambda: newest_cell(project, subscriber, mapping_id).get("quality", 0) in ("bad", 0), 60, f"{mapping_id} to turn bad")
    assert newest_cell(project, subscriber, mapping_id).get("value") is None
    restart()
    wait_until(lambda: newest_cell(project, subscriber, mapping_id).get("quality") in ("good", 192), 120, f"{mapping_id} to be good again")
