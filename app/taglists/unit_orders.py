"""Byte orders of a list: made the setting of the unit where all of its tags agree, kept as an override in the address where they do not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from msgspec import structs

from app.drivers.modbus.address import Address, parse
from app.drivers.modbus.url import DEFAULT_UNIT, ModbusUrl
from app.edits import Edit
from app.edits.endpoints import set_unit
from app.errors import UserError
from app.model.plant import Endpoint
from app.model.project import Project
from app.taglists.base import TagRow

ORDER_OF_A_NEW_UNIT: Final = "ABCD"


class Settled(NamedTuple):
    """Rows as they would go in, and unit id → order that would become the unit's."""

    rows: list[TagRow]
    orders: dict[int, str]


def settled(project: Project, endpoint: Endpoint, rows: Sequence[TagRow]) -> Settled:
    """Which orders become settings of units.

    A unit gets the order of its rows where every row of more than one register states the same one, and no tag that the project has
    already relies on another: then the tags need not say it. Everything else stays as the rows state it.
    """
    stated: dict[int, set[str]] = {}
    items: dict[int, Address] = {}
    default = _default_unit(endpoint)
    for at, row in enumerate(rows):
        item = _item(row)
        if item is None or item.count < 2 or item.type == "string":
            continue
        items[at] = item
        stated.setdefault(default if item.unit is None else item.unit, set()).add(item.order)
    present = {unit.number: unit.order for unit in project.units_of(endpoint.id)}
    orders: dict[int, str] = {}
    for number, found in stated.items():
        (order,) = found if len(found) == 1 else ("",)
        held = present.get(number, ORDER_OF_A_NEW_UNIT)
        if order and (order == held or not _relies(project, endpoint, number, default)):
            orders[number] = order
    result = list(rows)
    for at, item in items.items():
        number = default if item.unit is None else item.unit
        tag = rows[at].tag
        if number in orders and tag is not None:
            result[at] = replace(rows[at], tag=structs.replace(tag, address=str(structs.replace(item, order=""))))
    changed = {number: order for number, order in orders.items() if order != present.get(number, ORDER_OF_A_NEW_UNIT)}
    return Settled(result, changed)


def with_orders(project: Project, endpoint: Endpoint, edit: Edit, orders: dict[int, str]) -> Edit:
    """The edit, and in it the orders of units."""
    names = {unit.number: unit.name for unit in project.units_of(endpoint.id)}
    for number, order in sorted(orders.items()):
        edit = edit.then(set_unit(project, endpoint.id, number, name=names.get(number, ""), order=order), edit.name)
    return edit


def _relies(project: Project, endpoint: Endpoint, number: int, default: int) -> bool:
    """Whether a tag of the project takes its order from the unit's setting."""
    for tag in project.tags_of(endpoint.id):
        try:
            item = parse(tag.address)
        except UserError:
            continue  # a finding of its own, told by the checks
        if item.count > 1 and item.type != "string" and not item.order and (default if item.unit is None else item.unit) == number:
            return True
    return False


def _item(row: TagRow) -> Address | None:
    try:
        return parse(row.tag.address) if row.tag is not None else None
    except UserError:
        return None  # of another driver


def _default_unit(endpoint: Endpoint) -> int:
    """The unit id that addresses without one mean."""
    try:
        return ModbusUrl(endpoint.addresses["default"]).unit
    except UserError:
        return DEFAULT_UNIT
