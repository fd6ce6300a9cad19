"""Names of OPC UA StatusCodes (OPC 10000-6 Annex A.2, from ``resources/opcua_status_codes.csv``)."""

from __future__ import annotations

import csv
from functools import cache
from typing import Final

from app.model.values import Quality
from resources import FOLDER

CODE_MASK: Final = 0xFFFF0000
"""Severity and sub-code. The lower half holds flags (structure changed, limit, overflow), OPC 10000-4 §7.39."""

OVERFLOW_BITS: Final = 0x0480
"""InfoType DataValue + Overflow: the server's queue was full and values before or after this one are lost."""

BAD: Final = 0x80000000
BAD_UNEXPECTED_ERROR: Final = 0x80010000
BAD_TIMEOUT: Final = 0x800A0000
BAD_NODE_ID_UNKNOWN: Final = 0x80340000
BAD_CONFIGURATION_ERROR: Final = 0x80890000
BAD_DECODING_ERROR: Final = 0x80070000
BAD_TYPE_MISMATCH: Final = 0x80740000

_SEVERITIES: Final = ("Good", "Uncertain", "Bad", "Bad")


@cache
def status_names() -> dict[int, str]:
    with (FOLDER / "opcua_status_codes.csv").open(encoding="utf-8") as lines:
        return {int(row["code"], 16): row["name"] for row in csv.DictReader(lines)}


def status_text(status: int) -> str:
    """``Good (0x00000000)``. An unknown code keeps its severity: ``Bad (0x8FFF0000)``. Flags stay visible in the number."""
    status &= 0xFFFFFFFF
    return f"{status_names().get(status & CODE_MASK, _SEVERITIES[status >> 30])} (0x{status:08X})"


def quality_of(status: int) -> Quality:
    return Quality(min(status >> 30 & 3, Quality.BAD))


def is_overflow(status: int) -> bool:
    return status & OVERFLOW_BITS == OVERFLOW_BITS
