"""Rows of a device that follows SunSpec, as rows of a list: the device describes itself, so there is no file and nothing to ask."""

from __future__ import annotations

from collections.abc import Sequence

from app.drivers.modbus.address import parse
from app.drivers.modbus.sunspec import SunSpecRow
from app.edits.tags import TagDraft
from app.taglists.base import TagList, TagRow
from app.taglists.numbering import Numbering
from app.taglists.table import Skipped

ABSENT = "not implemented"


def sunspec_list(rows: Sequence[SunSpecRow], unit: int | None, *, with_absent: bool = False) -> TagList:
    """What the device has, ready for ``compare``.

    Args:
        rows: Of ``app.drivers.modbus.sunspec.sunspec_rows``.
        unit: Unit id for the addresses, None leaves it to the endpoint's URL.
        with_absent: Also points that the device says it does not have; else they are in ``skipped``.
    """
    found: list[TagRow] = []
    skipped: list[Skipped] = []
    for row in rows:
        place = f"model {row.model}, register {row.address}"
        if ABSENT in row.note and not with_absent:
            skipped.append(Skipped(place, row.name, row.note))
            continue
        found.append(TagRow(row.address, _draft(row, unit), marks=(row.note,) if row.note else (), place=place, order="ABCD"))
    stated = frozenset({"name", "address", "type", "order", "gain", "unit", "enum", "access", "description"})
    return TagList(
        tuple(found), skipped=tuple(skipped), numbering=Numbering(base=0, why="the device says where its models are"), stated=stated
    )


def _draft(row: SunSpecRow, unit: int | None) -> TagDraft:
    place = f"{row.table}:{row.address}:{row.type}" if unit is None else f"{unit}/{row.table}:{row.address}:{row.type}"
    item = parse(place)
    address = parse(f"{place}:ABCD") if item.count > 1 and item.type != "string" else item
    return TagDraft(
        address=str(address), name=row.name, type=item.value_type, gain=row.gain, unit=row.unit, enum=dict(row.enum), access=row.access,
        description=row.description,
    )  # fmt: skip
