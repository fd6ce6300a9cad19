"""What watching would cost a device, before it is asked for. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from app.drivers import spec_for
from app.drivers.base import EndpointReport, Load, LoadOf, Spec, WatchItem
from app.model.plant import Endpoint, Tag
from app.model.project import Project
from app.runtime.watching import endpoint_config, watch_item


class LoadEstimate(msgspec.Struct, frozen=True):
    """For one endpoint; the numbers are upper bounds, as if every value changed all the time.

    Attributes:
        busy: Share of its time in which the line, or a device that serves one request at a time, is occupied; None where unknown.
        warnings: Sentences.
    """

    items: int
    requests_per_s: float
    values_per_s: float
    bytes_per_s: float
    busy: float | None = None
    warnings: tuple[str, ...] = ()

    def __str__(self) -> str:
        """``212 items, at most 212 values/s in 13 requests/s, 8.4 kB/s, line busy 31 %``."""
        items = f"{self.items:,} item{'' if self.items == 1 else 's'}"
        parts = [f"{items}, at most {_rate(self.values_per_s)} values/s in {_rate(self.requests_per_s)} requests/s"]
        parts.append(f"{self.bytes_per_s / 1000:,.1f} kB/s")
        if self.busy is not None:
            parts.append(f"busy {self.busy:.0%} of the time")
        return ", ".join(parts)


def estimate_tags(
    project: Project,
    endpoint_id: str,
    tags: Iterable[str],
    report: EndpointReport | None = None,
    *,
    url: str = "",
    find_spec: Callable[[str], Spec] = spec_for,
) -> LoadEstimate:
    """For tags of the project (those of other endpoints are left out), at the rates of their groups.

    Args:
        project, endpoint_id, tags: What would be watched.
        report: Of the connection, where there is one: with its limits and round trip the estimate says more.
        url: Where the endpoint is reached from here; "" is its default address.
        find_spec: URL → spec of its driver.

    Raises:
        UserError: No driver for the URL, or a setting that is none.
    """
    found = (project.get(Tag, tag_id) for tag_id in tags)
    items = [watch_item(project, tag, 0) for tag in found if tag is not None and tag.endpoint == endpoint_id]
    return estimate(project, endpoint_id, items, report, url=url, find_spec=find_spec)


def estimate(
    project: Project,
    endpoint_id: str,
    items: Sequence[WatchItem],
    report: EndpointReport | None = None,
    *,
    url: str = "",
    find_spec: Callable[[str], Spec] = spec_for,
) -> LoadEstimate:
    """As ``estimate_tags``, for items with rates of their own (``find what moves``)."""
    endpoint = project.all(Endpoint)[endpoint_id]
    url = url or endpoint.addresses["default"]
    spec = find_spec(url)
    load = spec.load_of(endpoint_config(project, endpoint, url), items, report) if isinstance(spec, LoadOf) else _simply(items)
    return LoadEstimate(len(items), load.requests_per_s, load.values_per_s, load.bytes_per_s, load.busy, load.warnings)


def load_text(estimates: Iterable[tuple[str, LoadEstimate]]) -> str:
    """One line per endpoint (its name and estimate), with its warnings below; what *watch all* says first."""
    lines: list[str] = []
    for name, one in estimates:
        lines += [f"{name}: {one}", *one.warnings]
    return "\n".join(lines)


def _simply(items: Sequence[WatchItem]) -> Load:
    """Of a driver that does not tell: each value by itself, eight bytes."""
    values = sum(1000 / max(item.interval_ms, 1) for item in items)
    return Load(requests_per_s=values, values_per_s=values, bytes_per_s=8 * values)


def _rate(number: float) -> str:
    return f"{number:,.0f}" if number >= 10 else f"{number:.2g}"
