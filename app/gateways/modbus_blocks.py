"""Which Modbus requests a gateway sends: blocks per unit, table and rate, and what each yields."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from app.drivers.modbus.address import Address
from app.drivers.modbus.plan import Extent, Limits, plan
from app.gateways.feeds import Feed, excluded, order_of
from app.model.plant import Endpoint
from app.model.project import Project

DECODED: Final = frozenset({"bool", "string", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"})
"""Types that the gateways' programs make of registers; the others (BCD, modulo 10,000, clocks, …) they do not know."""
FUNCTION_CODES: Final = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}  # Modbus V1.1b3 §6.1 … 6.4


@dataclass(frozen=True, slots=True)
class RegisterItem:
    """One distinct item of a block; feeds of one address share it.

    Attributes:
        source: Id under which its samples are known.
    """

    source: str
    address: Address
    order: str


@dataclass(frozen=True, slots=True)
class PollBlock:
    """One request and its rate."""

    id: str
    extent: Extent
    interval_ms: int
    items: tuple[RegisterItem, ...]


def blocks_of(
    project: Project, endpoint: Endpoint, feeds: Sequence[Feed], *, unit: int = 1, by_order: bool = False
) -> tuple[list[PollBlock], dict[str, str]]:
    """Blocks in order of rate, unit, table and address, and mapping id → source id.

    Args:
        unit: Of the endpoint's URL.
        by_order: No block holds items of two byte orders (Telegraf states the order per request).
    """
    rates: dict[tuple[str, str], int] = {}
    items: dict[tuple[str, str], RegisterItem] = {}
    sources: dict[str, str] = {}
    for feed in feeds:
        assert isinstance(feed.address, Address)
        key = str(feed.address), order_of(project, feed)
        items.setdefault(key, RegisterItem(feed.tag.id, feed.address, key[1]))
        rates[key] = min(feed.interval_ms, rates.get(key, feed.interval_ms))
        sources[feed.mapping.id] = items[key].source
    groups: dict[tuple[int, str], list[RegisterItem]] = defaultdict(list)
    for key, item in items.items():
        groups[rates[key], item.order if by_order and item.address.table in ("holding", "input") else ""].append(item)
    limits, forbidden = limits_of(endpoint), excluded(endpoint, unit)
    blocks: list[PollBlock] = []
    for (interval_ms, order), members in sorted(groups.items(), key=lambda pair: pair[0]):
        extents = [_extent(item.address) for item in members]
        for block in plan(extents, limits, forbidden):
            name = f"{endpoint.id}.{block.extent.unit}.{block.extent.table}.{block.extent.address}.{interval_ms}" + (
                f".{order}" if order else ""
            )
            blocks.append(PollBlock(name, block.extent, interval_ms, tuple(members[index] for index in block.items)))
    return blocks, sources


def undecoded(address: Address, gateway: str) -> str:
    """Why this gateway cannot read an item, "" when it can."""
    if address.type not in DECODED:
        return f"the register type {address.type}, which {gateway} does not decode"
    if address.last_bit is not None:
        return f"bits {address.bit} to {address.last_bit} as a number, which {gateway} does not decode"
    if address.padding:
        return f"the string form {address.type_text}, which {gateway} does not know"
    return ""


def _extent(address: Address) -> Extent:
    assert address.unit is not None
    return Extent(address.unit, address.table, address.address, address.count)


def limits_of(endpoint: Endpoint) -> Limits:
    """What one request may carry, from the endpoint's settings."""
    return Limits(
        max_registers=int_setting(endpoint, "max_registers", 125),
        max_bits=int_setting(endpoint, "max_bits", 2000),
        gap=int_setting(endpoint, "gap", 10),
    )


def int_setting(endpoint: Endpoint, name: str, default: int) -> int:
    value = endpoint.settings.get(name, default)
    return int(value) if isinstance(value, int | float) else default


def seconds_setting(endpoint: Endpoint, name: str, default: float) -> float:
    value = endpoint.settings.get(name, default)
    return float(value) if isinstance(value, int | float) else default


def stale_ms(block: PollBlock, timeout_s: float, retries: int) -> int:
    """A polled value counts as stale after three missed polls and the time that a failing one takes."""
    return 3 * block.interval_ms + round(1000 * timeout_s * (retries + 1)) + 1000
