"""Runs the fixed programs that exports carry, so that they can be compared with ``app.mapping``.

JavaScript is run by node. Starlark is a dialect of Python without exceptions, so here Python runs ``delivery.star`` itself, with the
few built-ins that differ put in its place; the real Telegraf runs it in ``tests/peers/telegraf``.
"""

from __future__ import annotations

import json
import math
import shutil
import subprocess
from collections.abc import Callable, Sequence
from importlib.resources import files
from types import SimpleNamespace
from typing import Any

TEMPLATES = files("resources") / "templates" / "gateways"
NODE = shutil.which("node")

_HARNESS = r"""
const lines = require("fs").readFileSync(0, "utf8").split("\n").filter(Boolean);
function decode(value) {
    if (value === null) return null;
    if ("i" in value) return BigInt(value.i);
    if ("f" in value) return typeof value.f === "string" ? { nan: NaN, inf: Infinity, "-inf": -Infinity }[value.f] : value.f;
    if ("s" in value) return value.s;
    if ("b" in value) return value.b;
    if ("x" in value) return Buffer.from(value.x, "base64");
    return value.l.map(decode);
}
function runJob(job) {
    const delivery = new Delivery(job.plan, BigInt(job.now_ns));
    const sent = [];
    for (const event of job.events) {
        const now = BigInt(event.now_ns);
        let out = [];
        if (event.kind === "tick") out = delivery.tick(now);
        if (event.kind === "alive") out = delivery.alive(event.watch, now);
        if (event.kind === "sample") {
            const ns = (text) => (text === null ? null : BigInt(text));
            const times = { source_ns: ns(event.source_ns), server_ns: ns(event.server_ns), receive_ns: now };
            const sample = { value: decode(event.value), quality: event.quality, ...times };
            out = delivery.offer(event.source, sample);
        }
        sent.push(out.map((one) => [one.topic, JSON.parse(one.payload), one.qos, one.retain]));
    }
    return sent;
}
for (const line of lines) console.log(JSON.stringify(runJob(JSON.parse(line))));
"""

Event = dict[str, Any]  # Any: JSON of an event, as both interpreters read it
Sent = list[list[list[Any]]]  # Any: as above. Per event, messages [topic, payload, qos, retain]


def typed(value: object) -> object:
    """A value with its Python type, for JSON."""
    if isinstance(value, bool):
        return {"b": value}
    if isinstance(value, int):
        return {"i": str(value)}
    if isinstance(value, float):
        return {"f": value if math.isfinite(value) else str(value)}
    if isinstance(value, str):
        return {"s": value}
    if isinstance(value, list):
        return {"l": [typed(part) for part in value]}
    assert value is None, value
    return None


def run_javascript(jobs: Sequence[dict[str, object]]) -> list[Sent]:
    """Every job {plan, now_ns, events} through ``delivery.js``, in one node process."""
    assert NODE is not None
    program = (TEMPLATES / "delivery.js").read_text("utf-8") + _HARNESS
    text = "\n".join(json.dumps(_exact(job)) for job in jobs)
    done = subprocess.run([NODE, "-e", program], input=text.encode(), capture_output=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.splitlines()]


def _exact(value: object) -> object:
    """Integers that a JSON number of JavaScript would round become text, which BigInt reads."""
    if isinstance(value, dict):
        return {key: _exact(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_exact(part) for part in value]
    return str(value) if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53 else value


class StarMetric:
    def __init__(self, name: str) -> None:
        self.name, self.time = name, 0
        self.tags: dict[str, str] = {}
        self.fields: dict[str, object] = {}


def load_star(plan: object, clock: Callable[[], int]) -> dict[str, Any]:  # Any: whatever the program defines
    """The program's globals, after it was run with this plan."""
    source = (TEMPLATES / "delivery.star").read_text("utf-8")
    source = source.replace("text.elems()", "text").replace("digits.elems()", "digits")
    source = source.replace("kept.codepoint_ords()", "_codepoints(kept)").replace("kept.elem_ords()", "kept.encode('latin-1')")
    kinds = {bool: "bool", int: "int", float: "float", str: "string", list: "list", dict: "dict", type(None): "NoneType"}
    scope: dict[str, Any] = {
        "load": lambda module, name: None,
        "json": SimpleNamespace(decode=json.loads, encode=_encode),
        "math": SimpleNamespace(floor=math.floor, sqrt=math.sqrt, pow=math.pow),
        "time": SimpleNamespace(now=lambda: SimpleNamespace(unix_nano=clock())),
        "type": lambda value: kinds[type(value)],
        "catch": _catch,
        "Metric": StarMetric,
        "plan": json.dumps(plan),
        "_codepoints": lambda text: [ord(letter) for letter in text],
    }
    exec(compile(source, "delivery.star", "exec"), scope)
    return scope


def _encode(value: object) -> str:
    return json.dumps(value, sort_keys=True, allow_nan=False)


def _catch(function: Callable[[], object]) -> str | None:
    try:
        result = function()
    except (ValueError, OverflowError) as error:
        return str(error)
    return "too large" if isinstance(result, float) and math.isinf(result) else None  # Starlark refuses float("1e999")


def _plain(value: Any) -> Any:  # Any: typed JSON in, value out
    if value is None:
        return None
    if "f" in value:
        return float(value["f"])
    if "i" in value:
        return int(value["i"])
    return [_plain(part) for part in value["l"]] if "l" in value else value.get("s", value.get("b"))


def run_starlark(jobs: Sequence[dict[str, Any]]) -> list[Sent]:  # Any: JSON
    return [_run_star(job) for job in jobs]


def _run_star(job: dict[str, Any]) -> Sent:  # Any: JSON
    now = [job["now_ns"]]
    star = load_star(job["plan"], lambda: int(now[0]))
    star["start"](int(job["now_ns"]))
    sent: Sent = []
    for event in job["events"]:
        now[0] = event["now_ns"]
        sent.append([_message(metric) for metric in _handle(star, event)])
    return sent


def _handle(star: dict[str, Any], event: Event) -> list[StarMetric]:  # Any: as in load_star
    now = int(event["now_ns"])
    if event["kind"] == "tick":
        return list(star["tick"](now))
    if event["kind"] == "alive":
        return list(star["alive"](event["watch"], now))
    times = {name: None if event[name] is None else int(event[name]) for name in ("source_ns", "server_ns")}
    sample = {"value": _plain(event["value"]), "quality": event["quality"], "receive_ns": now, **times}
    return list(star["offer"](event["source"], sample))


def _message(metric: StarMetric) -> list[Any]:  # Any: JSON
    payload = json.loads(str(metric.fields["payload"]))
    return [metric.tags["topic"], payload, int(metric.name[len("tagloom_qos")]), metric.name.endswith("_retained")]
