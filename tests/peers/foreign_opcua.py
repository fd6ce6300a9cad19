"""What an OPC UA server that others wrote must show: connected, browsed, read, watched, under every policy and token it has."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from app.drivers import open_session
from app.drivers.base import EndpointConfig, Item, Session, WatchItem
from app.errors import EndpointError
from app.model.columns import SampleColumns
from app.model.plant import Security
from app.model.values import Quality
from app.trust.store import TrustStore

PROOF = "nsu=urn:tagloom:proof;s="
VALUES: Mapping[str, tuple[str, object]] = {
    "Boolean": ("bool", True), "SByte": ("int8", -5), "Byte": ("uint8", 200), "Int16": ("int16", -30000), "UInt16": ("uint16", 60000),
    "Int32": ("int32", -2_000_000_000), "UInt32": ("uint32", 4_000_000_000), "Int64": ("int64", -6), "UInt64": ("uint64", 2**63),
    "Float": ("float32", 1.5), "Double": ("float64", -2.25e100), "String": ("string", "Größe"),
    "Guid": ("guid", "72962b91-fa75-4ae6-8d28-b404dc7daf63"), "When": ("datetime", "2026-01-02T03:04:05.678Z"),
    "Array": ("float64[]", [1.0, 2.0, 3.0]),
}  # fmt: skip
"""Of the servers in this folder: identifier below ``PROOF`` → type word and value."""


class Met(NamedTuple):
    """What was counted, for the proof's output."""

    title: str
    nodes: int
    variables: int
    good: int
    watched: int


def config(url: str, pki: Path, security: Security | None = None, secret: str = "") -> EndpointConfig:
    return EndpointConfig(name="peer", url=url, pki=str(pki), security=security or Security(), secret=secret)


async def trust_server(url: str, pki: Path, security: Security, secret: str = "") -> None:
    """What a person does at the first secured connection: it is refused with the server's certificate, which is then trusted."""
    session = open_session(config(url, pki, security, secret))
    try:
        with pytest.raises(EndpointError) as refusal:
            await session.open(20)
    finally:
        await session.close()
    assert refusal.value.code == "certificate", refusal.value
    TrustStore(pki).trust(refusal.value.evidence, accepting=("wrong host",))


async def check_values(session: Session, values: Mapping[str, tuple[str, object]] = VALUES) -> None:
    """The variables of known content are what they are, and a counter counts while it is watched."""
    columns = await session.read([Item(address=PROOF + name) for name in values])
    read = {name: columns.sample(row) for row, name in enumerate(values)}
    assert {name: (sample.type, sample.value) for name, sample in read.items()} == dict(values)
    assert {sample.quality for sample in read.values()} == {Quality.GOOD}
    assert await session.set_watch([WatchItem(handle=1, address=PROOF + "Counter", interval_ms=100)], [])
    counted: list[float] = []
    async with asyncio.timeout(20):
        async for event in session.events():
            if isinstance(event, SampleColumns):
                counted += event.number.tolist()
            if len(counted) > 5:
                break
    assert counted == sorted(counted)
    assert counted[-1] > counted[0]


async def check_everything(session: Session, title: str, *, but: str = "\0") -> Met:
    """Browse all there is; read and watch every variable: each one gives a value or the server's own reason, and no node is lost.

    Variables with ``but`` in their path are browsed only.
    """
    rows: dict[str, tuple[str, str]] = {}
    async for part in session.crawl("", 200_000):
        assert part.errors == {}
        rows.update(zip(part.id, zip(part.node_class, part.path, strict=True), strict=True))
    variables = [node for node, (kind, path) in rows.items() if kind == "variable" and but not in path]
    columns = await session.read([Item(address=node) for node in variables])
    assert len(columns) == len(variables)
    silent = [
        node
        for row, node in enumerate(variables)
        if columns.quality[row] == Quality.GOOD and columns.objects.get(row) is None and math.isnan(columns.number[row])
    ]
    assert [node for node in silent if "NaN" not in node] == [], "good, and without a value"
    details = await session.details(variables[:400])
    assert [one.id for one in details if one.error] == []
    states = await session.set_watch([WatchItem(handle=row + 10, address=node, interval_ms=500) for row, node in enumerate(variables)], [])
    watched = {state.handle for state in states if not state.refused}
    assert len(watched) > 0.9 * len(variables), [state.refused for state in states if state.refused][:5]
    heard: set[int] = set()
    async with asyncio.timeout(30):
        async for event in session.events():
            if isinstance(event, SampleColumns):
                heard.update(event.handle.tolist())
            if heard >= watched:
                break
    good = int((columns.quality == Quality.GOOD).sum())
    return Met(title, len(rows), len(variables), good, len(watched))
