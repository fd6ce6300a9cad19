"""The JSON lines that commands print with ``--json``: one object per line, forms that never change.

browse          ``{"id","path","class","type"}``
read and watch  ``{"endpoint","id","value","type","quality","status","stale","unit","source_time","server_time","receive_time",
                "why","gap"}``
check           ``{"rule","severity","place","message","fix"}``
export          ``{"file"}``
probe           ``{"step","port","outcome","kind","text","url","offers"}``
discover        ``{"name","url","application_uri","trouble","note","offers"}``

``resources/docs/command-line.md`` says the same for people who read these lines by program.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterable
from typing import Final

from app.check.base import Finding
from app.drivers.base import BrowseColumns, EndpointReport, OfferedEndpoint
from app.drivers.probe_questions import Announced, FoundServer, ProbeStep
from app.model.times import rfc3339
from app.model.values import SAFE_INTEGER, Sample, Value

Json = object
FLAWS_NAMED: Final = 3
"""So many values of one array or structure that JSON cannot hold are named in ``status``; of more, their number."""


def encoded(line: dict[str, Json]) -> str:
    """One line without its end; keys in their order, no spaces."""
    return json.dumps(line, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def node_line(columns: BrowseColumns, row: int) -> dict[str, Json]:
    return {"id": columns.id[row], "path": columns.path[row], "class": columns.node_class[row], "type": columns.type[row]}


def finding_line(finding: Finding) -> dict[str, Json]:
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        "place": finding.place,
        "message": finding.message,
        "fix": finding.fix,
    }


def step_line(step: ProbeStep) -> dict[str, Json]:
    return {
        "step": step.step,
        "port": step.port or None,
        "outcome": step.outcome,
        "kind": step.kind,
        "text": step.text,
        "url": step.url,
        "offers": _offers(step.report),
    }


def found_line(server: FoundServer) -> dict[str, Json]:
    return {
        "name": server.name,
        "url": server.url or (server.urls[0] if server.urls else ""),
        "application_uri": server.application_uri,
        "trouble": server.trouble,
        "note": server.note,
        "offers": _offers(server.report),
    }


def announced_line(server: Announced) -> dict[str, Json]:
    return {"name": server.name, "url": server.url, "application_uri": "", "trouble": "", "note": "", "offers": []}


def offer_line(offer: OfferedEndpoint) -> str:
    """One way to connect, for a person."""
    protection = "no security" if offer.mode == "None" else f"{offer.policy} {offer.mode}"
    return f"{protection}, user: {' or '.join(offer.users) or 'not stated'}" + (f". {offer.advice}" if offer.advice else "")


def _offers(report: EndpointReport | None) -> list[Json]:
    """Without the certificates, which no line needs."""
    return [
        {"policy": offer.policy, "mode": offer.mode, "users": list(offer.users), "advice": offer.advice}
        for offer in (report.offered if report is not None else ())
    ]


def sample_line(
    endpoint: str, address: str, sample: Sample, *, status: str, unit: str, stale: bool = False, why: str = "", gap: str = ""
) -> dict[str, Json]:
    """One sample.

    Args:
        endpoint: Name in the project, or the URL that was given.
        address: Canonical.
        sample: Its own status code is not used: ``status`` is the text for it.
        status: As the driver's ``status_text`` gives it; why a value is null in JSON although it has one is appended.
        unit: UNECE code or symbol; "" becomes null.
        stale: Our own judgement: the connection is lost, or gives no sign of life.
        why: Why it is stale or refused; "" becomes null.
        gap: Why samples before this one are missing, where that is known; "" becomes null.
    """
    value, flaws = json_value(sample.value)
    return {
        "endpoint": endpoint,
        "id": address,
        "value": value,
        "type": sample.type or None,
        "quality": sample.quality.name.lower(),
        "status": f"{status}; {_flaw_text(flaws)}" if flaws else status,
        "stale": stale,
        "unit": unit or None,
        "source_time": _time(sample.source_ns),
        "server_time": _time(sample.server_ns),
        "receive_time": _time(sample.receive_ns),
        "why": why or None,
        "gap": gap or None,
    }


def json_value(value: Value) -> tuple[Json, list[str]]:
    """The value as JSON, and what JSON cannot say of it.

    Integers beyond ±2^53 become text, NaN and infinities null, bytes base64, arrays and structures the same part by part.

    Returns:
        The value, and for each part that became null which it is: ``value is NaN``, ``value[3] is -Infinity``.
    """
    flaws: list[str] = []
    return _json(value, "value", flaws), flaws


def _json(value: Value, name: str, flaws: list[str]) -> Json:
    match value:
        case None | bool() | str():
            return value
        case int():
            return value if abs(value) <= SAFE_INTEGER else str(value)
        case float():
            if math.isfinite(value):
                return value
            flaws.append(f"{name} is {'NaN' if math.isnan(value) else 'Infinity' if value > 0 else '-Infinity'}")
            return None
        case bytes():
            return base64.b64encode(value).decode("ascii")
        case list():
            return [_json(part, f"{name}[{place}]", flaws) for place, part in enumerate(value)]
        case dict():
            return {str(key): _json(part, f"{name}.{key}", flaws) for key, part in value.items()}
        case _:
            return str(value)


def _flaw_text(flaws: Iterable[str]) -> str:
    named = list(flaws)
    more = len(named) - FLAWS_NAMED
    return ", ".join(named[:FLAWS_NAMED]) + (f" and {more} more" if more > 0 else "")


def _time(time_ns: int | None) -> str | None:
    return None if time_ns is None else rfc3339(time_ns)
