"""One sheet of Node-RED nodes: ids, places on the canvas, wires, credentials. Knows nothing of plants."""

from __future__ import annotations

import hashlib
import json
from typing import Final

from app.gateways.program import as_json

TAB: Final = "tab"
_COLUMN_PX, _ROW_PX = 240, 60

Node = dict[str, object]


def node_id(*parts: str) -> str:
    """16 hexadecimal digits, as Node-RED makes them, from what the node is about: the same in every export."""
    return hashlib.sha256("\0".join(("tagloom", *parts)).encode()).hexdigest()[:16]


def label(kind: str, name: str) -> str:
    """Text for the editor. It begins with a word of ours, so that a name like ``${HOME}`` is never taken for a variable."""
    return f"{kind} {name}"


class FlowSheet:
    """Collects nodes. Everything but configuration nodes gets coordinates: without them Node-RED takes it for one."""

    def __init__(self) -> None:
        self.credentials: dict[str, dict[str, str]] = {}
        self._nodes: list[Node] = [{"id": node_id(TAB), "type": TAB, "label": "Tagloom delivery", "disabled": False, "info": ""}]
        self._by_id: dict[str, Node] = {}
        self._rows = 0

    def add_config(self, kind: str, *key: str, **fields: object) -> str:
        """A configuration node."""
        return self._add({"id": node_id(kind, *key), "type": kind, **fields})

    def add(self, kind: str, *key: str, column: int, row: int, **fields: object) -> str:
        """A node on the canvas, without wires yet."""
        place = {"x": 140 + column * _COLUMN_PX, "y": 60 + row * _ROW_PX}
        return self._add({"id": node_id(kind, *key), "type": kind, "z": node_id(TAB), **fields, **place, "wires": []})

    def wire(self, source: str, *outputs: list[str]) -> None:
        self._by_id[source]["wires"] = [list(targets) for targets in outputs]

    def next_row(self) -> int:
        """A free row for the inputs of one endpoint."""
        self._rows += 2
        return self._rows

    def _add(self, node: Node) -> str:
        id_ = str(node["id"])
        if id_ in self._by_id:
            raise ValueError(f"two nodes of one id: {node['type']}")
        self._by_id[id_] = node
        self._nodes.append(node)
        return id_

    def add_broker(self) -> str:
        broker = self.add_config(
            "mqtt-broker", "broker", name="MQTT broker", broker="${MQTT_HOST}", port="${MQTT_PORT}", clientid="", autoConnect=True,
            usetls=False, protocolVersion="4", keepalive="60", cleansession=True, autoUnsubscribe=True, birthTopic="", birthQos="0",
            birthRetain="false", birthPayload="", birthMsg={}, closeTopic="", closeQos="0", closeRetain="false", closePayload="",
            closeMsg={}, willTopic="", willQos="0", willRetain="false", willPayload="", willMsg={}, userProps="", sessionExpiry="",
        )  # fmt: skip
        self.credentials[broker] = {"user": "${MQTT_USER}", "password": "${MQTT_PASSWORD}"}
        return broker

    def add_delivery(self, broker: str) -> str:
        """The function node that makes the messages, wired to the node that publishes them."""
        deliver = self.add_function("deliver", "Deliver", column=2, row=0, outputs=1)
        publish = self.add(
            "mqtt out", "publish", column=3, row=0, name="Publish", topic="", qos="", retain="", respTopic="", contentType="",
            userProps="", correl="", expiry="", broker=broker,
        )  # fmt: skip
        self.wire(deliver, [publish])
        return deliver

    def add_function(self, key: str, name: str, *, column: int, row: int, outputs: int, func: str = "", initialize: str = "") -> str:
        return self.add(
            "function", key, column=column, row=row, name=name, func=func, outputs=outputs, timeout=0, noerr=0,
            initialize=initialize, finalize="", libs=[],
        )  # fmt: skip

    def set_program(self, deliver: str, program: str, plan: object) -> None:
        """The fixed program with the project's data, which goes in as JSON inside a JSON string: never as program text."""
        node = self._by_id[deliver]
        node["initialize"] = program + _START.replace("PLAN", as_json(as_json(plan)))
        node["func"] = _TAKE

    def flows(self) -> bytes:
        return json.dumps(self._nodes, indent=4, ensure_ascii=True).encode() + b"\n"


_START: Final = """
// --- start ------------------------------------------------------------------------------------------------------------

const plan = JSON.parse(PLAN);
const nowNs = () => BigInt(Date.now()) * 1000000n;
const delivery = new Delivery(plan, nowNs());
context.set("delivery", delivery);
context.set("send", (messages) => {
    if (messages.length > 0) node.send([messages]);
});
setInterval(() => context.get("send")(delivery.tick(nowNs())), plan.collect_ms);
"""

_TAKE: Final = """// One sample, or a proof of life, from an input; see "On Start" for what becomes of it.
const delivery = context.get("delivery");
const nowNs = BigInt(Date.now()) * 1000000n;
const taken = msg.tagloom;
if (taken.watch !== undefined) context.get("send")(delivery.alive(taken.watch, nowNs));
for (const [source, sample] of taken.samples || []) context.get("send")(delivery.offer(source, { receive_ns: nowNs, ...sample }));
return null;
"""
