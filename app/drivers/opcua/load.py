"""What a subscription costs: values and bytes when everything changes all the time, and the limits that the server states."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from app.drivers.base import EndpointConfig, EndpointReport, Load, WatchItem

VALUE_BYTES: Final = {"bool": 1, "int8": 1, "uint8": 1, "int16": 2, "uint16": 2, "int32": 4, "uint32": 4, "enum": 4, "float32": 4}
"""The others count as 8, text as ``TEXT_BYTES``."""
TEXT_BYTES: Final = 24
NOTIFIED: Final = 4 + 1 + 1 + 8 + 8
"""Bytes of a MonitoredItemNotification beside the value: handle, masks, both times (OPC 10000-4 §7.25.2, 10000-6 §5.2.2.17)."""
PUBLISHED: Final = 87 + 98
"""Bytes of a PublishRequest that acknowledges one notification and of an empty PublishResponse, with the headers of an unsecured
channel (OPC 10000-4 §5.14.5, 10000-6 §6.7.2)."""

MANY_CALLS: Final = 20
"""So many requests until all is watched take long enough to be told."""


def load_of(config: EndpointConfig, publishing_ms: int, items: Sequence[WatchItem], report: EndpointReport | None) -> Load:
    limits = dict(report.limits) if report is not None else {}
    fastest_ms = limits.get("MinSupportedSampleRate", 0)
    per_s = [1000 / max(item.interval_ms, fastest_ms, 1) for item in items]
    values = sum(per_s)
    publishing_ms = int(config.settings.get("publishing_interval_ms", publishing_ms))
    publishes = min(1000 / max(publishing_ms, 1), values)
    data = sum(rate * (NOTIFIED + _bytes_of(item.type)) for rate, item in zip(per_s, items, strict=True)) + publishes * PUBLISHED
    return Load(
        requests_per_s=publishes, values_per_s=values, bytes_per_s=data, warnings=tuple(_warnings(items, fastest_ms, limits, report))
    )


def _bytes_of(type_: str) -> int:
    return TEXT_BYTES if type_ in ("string", "bytes", "struct") or type_.endswith("[]") else VALUE_BYTES.get(type_, 8)


def _warnings(items: Sequence[WatchItem], fastest_ms: int, limits: dict[str, int], report: EndpointReport | None) -> list[str]:
    warnings: list[str] = []
    for name, text in (("MaxMonitoredItems", "in all"), ("MaxMonitoredItemsPerSubscription", "in one subscription")):
        allowed = limits.get(name, 0)
        if allowed and len(items) > allowed:
            warnings.append(f"{len(items):,} items are more than the {allowed:,} that the server watches {text} ({name}).")
    if fastest_ms and (fast := sum(item.interval_ms < fastest_ms for item in items)):
        warnings.append(f"{fast:,} items are asked for faster than every {fastest_ms} ms, the fastest that the server samples.")
    found = report.found.get("monitor", 0) if report is not None else 0
    per_call = min(filter(None, (found, limits.get("MaxMonitoredItemsPerCall", 0))), default=0)
    if per_call and len(items) > per_call * MANY_CALLS:
        calls = -(-len(items) // per_call)
        warnings.append(
            f"The server takes {per_call:,} items at once: {calls:,} requests until all are watched (MaxMonitoredItemsPerCall)."
        )
    return warnings
