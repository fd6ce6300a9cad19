"""Telegraf: ``inputs.opcua_listener`` and ``inputs.modbus``, one Starlark processor that makes the messages, ``outputs.mqtt``.

A metric of Telegraf is flat and knows no asset, so grouping, transforms, quality and times are done by the fixed Starlark program
``delivery.star``, which writes each message as JSON into one field; the output sends that field as it is.
"""

from __future__ import annotations

from collections.abc import Mapping as ReadOnly
from importlib.resources import files
from typing import ClassVar, Final

from app.gateways.base import Loss, Options, Rendered
from app.gateways.feeds import Feeds, delivered, feeds_of, in_tree_order
from app.gateways.program import COLLECT_MS, as_json, collect_of, program_of
from app.gateways.telegraf_inputs import add_modbus, add_opcua, refuse_unsupported, valid_codes
from app.gateways.telegraf_toml import Reference, dumps
from app.gateways.variables import endpoint_variables
from app.model.project import Project

TEMPLATES: Final = files("resources") / "templates" / "gateways"
Toml = dict[str, object]


class TelegrafExporter:
    key: ClassVar[str] = "telegraf"
    title: ClassVar[str] = "Telegraf"
    tested_with: ClassVar[str] = "Telegraf 1.39.0"
    options: ClassVar[ReadOnly[str, str]] = {"collect_ms": str(COLLECT_MS)}

    def render(self, project: Project, options: Options) -> Rendered:
        found = feeds_of(project, options)
        refuse_unsupported(found)
        collect_ms = collect_of(options)
        inputs: dict[str, list[Toml]] = {"mock": [_ticker(collect_ms)]}
        plan: Toml = {"assets": [], "sources": {}, "watches": {}, "fields": {}, "valid": valid_codes()}
        sources: dict[str, str] = {}
        for connection in found.connections:
            add = add_opcua if connection.protocol == "opcua" else add_modbus
            sources |= add(inputs, plan, project, connection, found.of(connection.endpoint.id), found.losses)
        plan["assets"] = program_of(project, found.feeds, sources, collect_ms)
        document: Toml = {
            "agent": _agent(collect_ms),
            "inputs": inputs,
            "processors": {"starlark": [_processor(plan)]},
            "outputs": {"mqtt": _outputs(project, found)},
        }
        found.losses += _general_losses(found, collect_ms)
        rendered = {
            "telegraf.conf": dumps(document),
            ".env.example": _env_example(found),
            "README.md": (TEMPLATES / "telegraf_README.md").read_bytes(),
        }
        return Rendered(rendered, in_tree_order(project, found.losses))


def _agent(collect_ms: int) -> Toml:
    return {
        "interval": "1s", "round_interval": False, "precision": "1ns", "flush_interval": f"{collect_ms}ms", "flush_jitter": "0s",
        "collection_jitter": "0s", "metric_batch_size": 1000, "metric_buffer_limit": 100_000, "omit_hostname": True,
        "skip_processors_after_aggregators": True,
    }  # fmt: skip


def _ticker(collect_ms: int) -> Toml:
    """The processor sees metrics only, no clock: this input wakes it to send what has changed, and what is due."""
    return {"interval": f"{collect_ms}ms", "metric_name": "tagloom_tick", "constant": [{"name": "tick", "value": True}]}


def _processor(plan: Toml) -> Toml:
    return {
        "namepass": ["tagloom_tick", "tagloom_opcua", "tagloom_modbus"],
        "source": (TEMPLATES / "delivery.star").read_text("utf-8"),
        "constants": {"plan": as_json(plan)},
    }


def _outputs(project: Project, found: Feeds) -> list[Toml]:
    """QoS and retain are set per output, so there is one for each pair that the deliveries ask for."""
    pairs = sorted({(delivery.qos, delivery.retain) for _, delivery, _ in delivered(project, found.feeds)})
    return [
        {
            "namepass": [f"tagloom_qos{qos}" + ("_retained" if retain else "")],
            "servers": [Reference("MQTT_SERVER")],
            "username": Reference("MQTT_USER"),
            "password": Reference("MQTT_PASSWORD"),
            "topic": '{{ .Tag "topic" }}',
            "layout": "non-batch",
            "qos": qos,
            "retain": retain,
            "keep_alive": 30,
            "data_format": "template",
            "template": '{{ .Field "payload" }}',
        }
        for qos, retain in pairs
    ]


def _env_example(found: Feeds) -> bytes:
    lines = ["# The MQTT broker that receives the messages.", "MQTT_SERVER=mqtt://localhost:1883", "MQTT_USER=", "MQTT_PASSWORD="]
    for connection in found.connections:
        lines += endpoint_variables(connection, client_certificate=True)
    return "\n".join(lines).encode() + b"\n"


def _general_losses(found: Feeds, collect_ms: int) -> list[Loss]:
    what = f"changes of one asset within {collect_ms} ms"
    consequence = "they go out in one message, with the newest value of each attribute"
    return [Loss("Delivery", what, consequence, "info")] if found.feeds else []


EXPORTER = TelegrafExporter()
__all__ = ["EXPORTER", "TelegrafExporter"]
