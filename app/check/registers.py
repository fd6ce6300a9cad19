"""REG: Modbus registers that two tags read differently."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from app.check.base import Finding, Rule
from app.check.source import tag_place
from app.drivers import spec_for
from app.drivers.modbus.address import Address, parse
from app.errors import UserError
from app.model.plant import Endpoint, Tag
from app.model.project import Project


def _modbus_tags(project: Project) -> Iterator[tuple[Tag, Address]]:
    for endpoint in project.all(Endpoint).values():
        try:
            if spec_for(endpoint.addresses["default"]).key != "modbus":
                continue
        except UserError:
            continue  # SRC-004 reports the address of the endpoint
        for tag in project.tags_of(endpoint.id):
            try:
                yield tag, parse(tag.address)
            except UserError:
                continue  # SRC-001 reports it


def _overlaps(project: Project) -> Iterator[Finding]:
    """Items that share a register without being the same item, or bits of it: mostly a wrong type, or an address that is off by one."""
    by_table: dict[tuple[str, int | None, str], list[tuple[int, int, Tag, Address]]] = defaultdict(list)
    for tag, address in _modbus_tags(project):
        if address.bit is None:
            by_table[tag.endpoint, address.unit, address.table].append((address.address, address.address + address.count, tag, address))
    for items in by_table.values():
        items.sort(key=lambda item: (item[0], item[1], item[2].id))
        furthest: tuple[int, int, Tag, Address] | None = None
        for item in items:
            if furthest is not None and item[0] < furthest[1] and (item[0], item[1]) != (furthest[0], furthest[1]):
                other = furthest[2]
                message = (
                    f"{item[3]} and {other.name} ({furthest[3]}) share registers: one of the two is read with the wrong type or address"
                )
                yield Finding("REG-001", "warning", item[2].id, tag_place(project, item[2]), message, "Compare both with the register list")
            if furthest is None or item[1] > furthest[1]:
                furthest = item


def _disagreeing_types(project: Project) -> Iterator[Finding]:
    by_place: dict[tuple[str, str], list[tuple[Tag, Address]]] = defaultdict(list)
    for tag, address in _modbus_tags(project):
        by_place[tag.endpoint, address.point].append((tag, address))
    for found in by_place.values():
        for tag, address in found[1:]:
            first = found[0][1]
            if (address.type_text, address.order) != (first.type_text, first.order):
                message = f"the same register is also read as {first.type_text} {first.order}".rstrip() + f" ({found[0][0].name})"
                yield Finding("REG-002", "warning", tag.id, tag_place(project, tag), message, "Keep the tag whose values make sense")


RULES = [
    Rule("REG-001", "overlap", "warning", "One of the tags shows part of another value.", _overlaps),
    Rule("REG-002", "read twice", "warning", "One of the tags shows nonsense that looks like a value.", _disagreeing_types),
]
