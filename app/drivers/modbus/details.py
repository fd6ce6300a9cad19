"""Everything there is to say about a unit, a table or an item."""

from __future__ import annotations

from typing import Final, Protocol

from app.drivers.base import Item, NodeAttribute, NodeDetails
from app.drivers.modbus.address import BIT_TABLES
from app.drivers.modbus.guard import RequestError
from app.drivers.modbus.marks import marks
from app.drivers.modbus.nodes import TABLE_TITLES, place_of
from app.drivers.modbus.plan import Extent
from app.drivers.modbus.readout import Defaults, Readout, Wanted
from app.drivers.modbus.registers import Words, interpretations
from app.drivers.modbus.spec import SPEC
from app.errors import UserError

WRITABLE: Final = frozenset({"coil", "holding"})


class Source(Protocol):
    async def words(self, extent: Extent) -> Words:
        """Raises ``RequestError``."""
        ...


async def place_details(node: str, defaults: Defaults) -> NodeDetails:
    place = place_of(node)
    assert place is not None
    order = (defaults.orders or {}).get(place.unit, "ABCD")
    attributes = [NodeAttribute(name="Unit id", text=str(place.unit)), NodeAttribute(name="Default order", text=order)]
    if not place.table:
        return NodeDetails(id=node, name=f"Unit {place.unit}", path=f"Unit {place.unit}", node_class="unit", attributes=tuple(attributes))
    return NodeDetails(
        id=node,
        name=place.table,
        path=f"Unit {place.unit}/{place.table}",
        node_class="table",
        access="rw" if place.table in WRITABLE else "r",
        description=TABLE_TITLES[place.table],
        attributes=tuple(attributes),
    )


async def item_details(node: str, defaults: Defaults, source: Source) -> NodeDetails:
    try:
        wanted = defaults.wanted(Item(address=node), 0)
    except UserError as error:
        return NodeDetails(id=node, error=f"{error.what}: {error.why}")
    attributes = [NodeAttribute(name=name, text=text) for name, text in SPEC.describe(node).items()]
    refused = ""
    try:
        words = await source.words(wanted.extent)
    except RequestError as failed:
        refused = f"{SPEC.status_text(failed.status)}: {failed.why}"
    else:
        attributes += await _now(wanted, words, source)
    return NodeDetails(
        id=str(wanted.address),
        name=wanted.address.point,
        path=f"Unit {wanted.extent.unit}/{wanted.extent.table}",
        node_class="variable",
        type=wanted.address.value_type,
        access="rw" if wanted.extent.table in WRITABLE else "r",
        attributes=tuple(attributes),
        error=refused,
    )


async def _now(wanted: Wanted, words: Words, source: Source) -> list[NodeAttribute]:
    """What it holds now, as its own type and as every other."""
    sample = Readout([wanted], wanted.extent.address).good(words, 0).sample(0)
    text = "" if sample.value is None else str(sample.value)
    mark = "; ".join(marks(words.tolist(), wanted.address.type, wanted.order))
    rows = [
        NodeAttribute(name="Value", text=text, status=mark or SPEC.status_text(sample.status)),
        NodeAttribute(name="Order in use", text=wanted.order),
    ]
    if wanted.extent.table in BIT_TABLES:
        return rows
    first, *_ = interpretations(await _pair(wanted.extent, words, source), wanted.extent.address)
    rows.append(NodeAttribute(name="Raw words", text=" ".join(f"0x{word:04X}" for word in words.tolist())))
    rows += [NodeAttribute(name="Bits", text=first.bits, status=first.mark), NodeAttribute(name="ASCII", text=first.text)]
    rows += [NodeAttribute(name=f"{type_} {order}", text=cell.text, status=cell.mark) for (type_, order), cell in first.readings.items()]
    return rows


async def _pair(extent: Extent, words: Words, source: Source) -> Words:
    """At least two registers, so that 32-bit readings of the first can be shown; one, where there is no second."""
    if len(words) >= 2 or extent.end > 65535:
        return words
    try:
        return await source.words(extent._replace(length=2))
    except RequestError:
        return words
