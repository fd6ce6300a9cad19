"""Rows of a list that share a name, an address, or registers: said on the later one, which stays usable."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from app.drivers.modbus.address import Address, parse
from app.errors import UserError
from app.taglists.base import TagRow


def marked(rows: Iterable[TagRow]) -> list[TagRow]:
    """The rows, each with what it shares with earlier ones. Marking twice adds nothing."""
    names: dict[str, TagRow] = {}
    addresses: dict[str, TagRow] = {}
    items: list[tuple[Address, int]] = []
    found = list(rows)
    shares: list[list[str]] = []
    for at, row in enumerate(found):
        marks: list[str] = []
        if row.tag is not None:
            if row.tag.name in names:
                marks.append(f"same name as {_place(names[row.tag.name])}")
            if row.tag.address in addresses:
                marks.append(f"same address as {_place(addresses[row.tag.address])}")
            elif (item := _item(row.tag.address)) is not None:
                items.append((item, at))
            names.setdefault(row.tag.name, row)
            addresses.setdefault(row.tag.address, row)
        shares.append(marks)
    for later, earlier in _overlapping(items):
        shares[later].append(f"overlaps {_place(found[earlier])}")
    return [
        replace(row, marks=tuple(dict.fromkeys((*row.marks, *marks)))) if marks else row for row, marks in zip(found, shares, strict=True)
    ]


def _place(row: TagRow) -> str:
    return row.place or f"line {row.line}"


def _item(address: str) -> Address | None:
    """The registers of a whole item; bits share a register by right."""
    try:
        found = parse(address)
    except UserError:
        return None  # of another driver, which has no registers
    return found if found.bit is None else None


def _overlapping(items: list[tuple[Address, int]]) -> list[tuple[int, int]]:
    """(later row, earlier row) of every item and the one whose registers reach into its own."""
    pairs: list[tuple[int, int]] = []
    ordered = sorted(
        items, key=lambda entry: (entry[0].unit if entry[0].unit is not None else -1, entry[0].table, entry[0].address, entry[1])
    )
    reach: tuple[tuple[int | None, str], int, int] | None = None
    for item, at in ordered:
        area = (item.unit, item.table)
        if reach is not None and reach[0] == area and item.address < reach[1]:
            pairs.append((max(at, reach[2]), min(at, reach[2])))
        if reach is None or reach[0] != area or item.address + item.count > reach[1]:
            reach = (area, item.address + item.count, at)
    return pairs
