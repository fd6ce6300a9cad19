"""Ranges of registers or bits as text: ``3/holding:100-110, input:5``, as the setting ``forbidden`` has them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from app.drivers.modbus.plan import Extent
from app.errors import UserError

_RANGE: Final = re.compile(r"(?:([0-9]{1,3})/)?(coil|discrete|input|holding):([0-9]{1,5})(?:-([0-9]{1,5}))?", re.ASCII | re.IGNORECASE)


def parse_ranges(text: str, unit: int) -> list[Extent]:
    """Extents in their order; both ends of a range belong to it. ``unit`` is meant where none is written.

    Raises:
        UserError: Which part is no range, and an example of a right one.
    """
    return [_extent(part.strip(), unit) for part in re.split(r"[,;\n]", text) if part.strip()]


def ranges_text(extents: Iterable[Extent]) -> str:
    """Canonical: in order, those that touch as one. ``parse_ranges`` gives them back."""
    merged: list[Extent] = []
    for extent in sorted(extents):
        last = merged[-1] if merged else None
        if last is not None and (last.unit, last.table) == (extent.unit, extent.table) and extent.address <= last.end:
            merged[-1] = last._replace(length=max(last.end, extent.end) - last.address)
        else:
            merged.append(extent)
    return ", ".join(map(range_text, merged))


def range_text(extent: Extent) -> str:
    last = f"-{extent.end - 1}" if extent.length > 1 else ""
    return f"{extent.unit}/{extent.table}:{extent.address}{last}"


def _extent(text: str, unit: int) -> Extent:
    found = _RANGE.fullmatch(text)
    if found is None:
        raise _not_a_range(text, "it is not of the form [unit/]table:first-last")
    number = unit if found.group(1) is None else int(found.group(1))
    first, last = int(found.group(3)), int(found.group(4) or found.group(3))
    if number > 255 or last > 65535 or last < first:
        raise _not_a_range(text, "the unit is at most 255, the last register at most 65535 and not before the first")
    return Extent(number, found.group(2).lower(), first, last - first + 1)


def _not_a_range(text: str, why: str) -> UserError:
    return UserError("Not a range of registers", where=text, why=why, fix="Write for example 3/holding:100-110, input:5")
