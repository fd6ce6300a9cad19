"""Edits that keep what a scan found: units, registers, and what must not be asked for again."""

from __future__ import annotations

from collections.abc import Iterable

from app.drivers.modbus.address import BIT_TABLES, parse
from app.drivers.modbus.ranges import parse_ranges, ranges_text
from app.drivers.modbus.tag_edits import order_of_unit, unit_of, with_order
from app.drivers.modbus.url import ModbusUrl
from app.edits.edit import Edit
from app.edits.endpoints import set_settings, set_unit
from app.edits.tags import TagDraft
from app.model.plant import Endpoint
from app.model.project import Project


def add_units(project: Project, endpoint: str, numbers: Iterable[int]) -> Edit:
    """Units that the project does not have yet; those that it has stay as they are. Empty where all are known."""
    fresh = [number for number in dict.fromkeys(numbers) if unit_of(project, endpoint, number) is None]
    name = f"Add unit {fresh[0]}" if len(fresh) == 1 else f"Add {len(fresh)} units"
    edit = Edit("", ())
    for number in fresh:
        edit = edit.then(set_unit(project, endpoint, number))
    return Edit(f"{name} to {project.all(Endpoint)[endpoint].name}", edit.changes)


def remember_forbidden(project: Project, endpoint: str, ranges: Iterable[str]) -> Edit:
    """Add ranges to the setting ``forbidden``; empty where it holds them. It counts from the next connection on.

    Raises:
        UserError: One of them, or what the setting holds, is no range.
    """
    held = project.all(Endpoint)[endpoint]
    unit = ModbusUrl(held.addresses["default"]).unit
    before = str(held.settings.get("forbidden", ""))
    known = parse_ranges(before, unit)
    wanted = ranges_text([*known, *(extent for text in ranges for extent in parse_ranges(text, unit))])
    if wanted == ranges_text(known):
        return Edit(f"Remember forbidden ranges of {held.name}", ())
    edit = set_settings(project, endpoint, {**held.settings, "forbidden": wanted})
    return Edit(f"Remember forbidden ranges of {held.name}", edit.changes)


def word_addresses(project: Project, endpoint: str, unit: int, table: str, places: Iterable[int]) -> list[str]:
    """Canonical addresses of single registers as the words that the device sends, whatever the order of the unit; or of bits."""
    default = order_of_unit(project, endpoint, unit)
    found = [parse(f"{unit}/{table}:{place}") for place in places]
    return [str(one if table in BIT_TABLES else with_order(one, "ABCD", default)) for one in found]


def word_drafts(project: Project, endpoint: str, addresses: Iterable[str]) -> list[TagDraft]:
    """Tags of these addresses, named as the register grid names them; those that exist are left out."""
    fresh = [parse(address) for address in addresses if not project.tags_at(endpoint, address)]
    return [TagDraft(address=str(one), name=f"{one.unit}/{one.table} {one.address}", type=one.value_type) for one in fresh]
