"""What Modbus has of an address space: unit ids and four tables. Ids are ``3/`` for a unit and ``3/holding`` for a table of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from app.drivers.base import BrowseColumns
from app.drivers.modbus.address import TABLES

TABLE_TITLES: Final[dict[str, str]] = {
    "coil": "Coils (read and write, 1 bit)",
    "discrete": "Discrete inputs (read only, 1 bit)",
    "input": "Input registers (read only, 16 bit)",
    "holding": "Holding registers (read and write, 16 bit)",
}
_PLACE: Final = re.compile(r"([0-9]{1,3})/(coil|discrete|input|holding)?", re.ASCII)


class Place(NamedTuple):
    """A unit, or one table of it; ``table`` is "" for a unit."""

    unit: int
    table: str


class _Row(NamedTuple):
    parent: int
    place: Place


def is_place(node: str) -> bool:
    return place_of(node) is not None


def place_of(node: str) -> Place | None:
    """None where the id is neither that of a unit nor of a table."""
    found = _PLACE.fullmatch(node)
    return Place(int(found.group(1)), found.group(2) or "") if found and int(found.group(1)) <= 255 else None


def children(nodes: Sequence[str], units: Sequence[int]) -> BrowseColumns:
    rows: list[_Row] = []
    errors: dict[int, str] = {}
    for index, node in enumerate(nodes):
        place = place_of(node)
        if node and place is None:
            errors[index] = "there is no such unit or table, and nothing stands below a Modbus item"
            continue
        rows += [_Row(index, child) for child in _below(place, units)]
    return _columns(rows, errors)


def everything(root: str, units: Sequence[int], limit: int) -> BrowseColumns:
    """Level by level below ``root``, which has number 0 as parent; row n has number n + 1."""
    place = place_of(root)
    if root and place is None:
        return BrowseColumns(errors={0: "there is no such unit or table"})
    rows = [_Row(0, child) for child in _below(place, units)]
    if place is None:
        rows += [_Row(number + 1, table) for number, row in enumerate(rows) for table in _below(row.place, units)]
    return _columns(rows[:limit], {})


def _below(place: Place | None, units: Sequence[int]) -> list[Place]:
    if place is None:
        return [Place(unit, "") for unit in units]
    return [] if place.table else [Place(place.unit, table) for table in TABLES]


def _columns(rows: Sequence[_Row], errors: dict[int, str]) -> BrowseColumns:
    places = [row.place for row in rows]
    names = tuple(place.table or f"Unit {place.unit}" for place in places)
    return BrowseColumns(
        parent=tuple(row.parent for row in rows),
        id=tuple(f"{place.unit}/{place.table}" for place in places),
        name=names,
        browse_name=names,
        path=tuple(f"Unit {place.unit}/{place.table}".rstrip("/") for place in places),
        node_class=tuple("table" if place.table else "unit" for place in places),
        type=("",) * len(rows),
        has_children=tuple(not place.table for place in places),
        description=tuple(TABLE_TITLES.get(place.table, "") for place in places),
        errors=errors,
    )
