"""Node-RED: flows for node-red-contrib-opcua and node-red-contrib-modbus, with the settings to start them.

Traps that shaped this, all seen in the products: namespaces are indexes only; a node without coordinates counts as a
configuration node; a property that equals some node's id counts as a reference; any property whose whole value is ``${NAME}``
is replaced from the environment.
"""

from __future__ import annotations

import json
from collections.abc import Mapping as ReadOnly
from importlib.resources import files
from typing import ClassVar, Final

from app.gateways.base import Loss, Options, Rendered
from app.gateways.feeds import Feeds, feeds_of, in_tree_order
from app.gateways.node_red_flows import FlowSheet
from app.gateways.node_red_inputs import add_modbus, add_opcua, refuse_unsupported
from app.gateways.program import COLLECT_MS, collect_of, program_of
from app.gateways.variables import endpoint_variables
from app.model.project import Project

TEMPLATES: Final = files("resources") / "templates" / "gateways"
PACKAGES: Final = {"node-red": "4.1.8", "node-red-contrib-modbus": "5.23.3", "node-red-contrib-opcua": "0.2.354"}


class NodeRedExporter:
    key: ClassVar[str] = "node-red"
    title: ClassVar[str] = "Node-RED"
    tested_with: ClassVar[str] = "Node-RED 4.1.8, contrib-opcua 0.2.354, contrib-modbus 5.23.3"
    options: ClassVar[ReadOnly[str, str]] = {"collect_ms": str(COLLECT_MS)}

    def render(self, project: Project, options: Options) -> Rendered:
        found = feeds_of(project, options)
        refuse_unsupported(found)
        collect_ms = collect_of(options)
        sheet = FlowSheet()
        broker = sheet.add_broker()
        deliver = sheet.add_delivery(broker)
        sources: dict[str, str] = {}
        plan: dict[str, object] = {"collect_ms": collect_ms, "assets": [], "sources": {}, "watches": {}}
        for connection in found.connections:
            add = add_opcua if connection.protocol == "opcua" else add_modbus
            sources |= add(sheet, plan, project, connection, found.of(connection.endpoint.id), deliver)
        plan["assets"] = program_of(project, found.feeds, sources, collect_ms)
        sheet.set_program(deliver, (TEMPLATES / "delivery.js").read_text("utf-8"), plan)
        return Rendered(_files(sheet, found), in_tree_order(project, [*found.losses, *_general_losses(found, collect_ms)]))


def _files(sheet: FlowSheet, found: Feeds) -> dict[str, bytes]:
    package = {
        "name": "tagloom-gateway", "private": True, "version": "1.0.0", "license": "UNLICENSED",
        "scripts": {"start": "node-red --settings settings.js --userDir ."}, "dependencies": PACKAGES,
    }  # fmt: skip
    readme = (TEMPLATES / "node_red_README.md").read_text("utf-8")
    return {
        "flows.json": sheet.flows(),
        "flows_cred.json": _json(sheet.credentials),
        "settings.js": (TEMPLATES / "node_red_settings.js").read_bytes(),
        "package.json": _json(package),
        ".env.example": _env_example(found),
        "README.md": readme.encode(),
    }


def _env_example(found: Feeds) -> bytes:
    """Every variable that somebody must supply; no value of a secret."""
    lines = ["# The MQTT broker that receives the messages.", "MQTT_HOST=localhost", "MQTT_PORT=1883", "MQTT_USER=", "MQTT_PASSWORD="]
    for connection in found.connections:
        lines += endpoint_variables(connection, client_certificate=False)
    return "\n".join(lines).encode() + b"\n"


def _json(data: object) -> bytes:
    return json.dumps(data, indent=4, ensure_ascii=True).encode() + b"\n"


def _general_losses(found: Feeds, collect_ms: int) -> list[Loss]:
    what = f"changes of one asset within {collect_ms} ms"
    consequence = "they go out in one message, with the newest value of each attribute"
    return [Loss("Delivery", what, consequence, "info")] if found.feeds else []


EXPORTER = NodeRedExporter()
