"""Interpretations of the registers of one tag, ranked, as a table."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt

from app.drivers.modbus.address import Address, point_in_notation
from app.drivers.modbus.plausibility import Interpretation
from widgets.look import BADGE_ROLE, Badge, color, plain_tip
from widgets.models.flat import FlatModel, Index
from widgets.reading_text import plain

_BADGES: Final = {"high": "ok", "fair": "uncertain", "low": "off"}
ADDRESS, VALUE = 2, 3


class InterpretationsModel(FlatModel[Interpretation]):
    """Best first.

    Attributes:
        address: Where the tag reads now.
        notation: How addresses are written.
        offset: Of the tag; interpretations know its gain alone.
    """

    COLUMNS = ("Sure", "Reading", "Address", "Value", "Why")

    def __init__(self) -> None:
        super().__init__()
        self.address = Address(None, "holding", 0)
        self.notation = ""
        self.offset = 0.0

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row, column = self.rows[index.row()], index.column()
        if role == BADGE_ROLE and column == 0:
            return Badge(_BADGES[row.confidence], _share(row), detail=f"{row.confidence} confidence")
        if role == Qt.ItemDataRole.DisplayRole:
            return (_share(row), self.reading(row), self.place(row), self.value(row), "; ".join(row.reasons[:3]))[column]
        if role == Qt.ItemDataRole.ToolTipRole:
            same = f"\nThe same value as {', '.join(row.same)}" if row.same else ""
            return plain_tip("\n".join(row.reasons) + same)
        if role == Qt.ItemDataRole.ForegroundRole and row.current and column == 1:
            return color("accent")
        if role == Qt.ItemDataRole.TextAlignmentRole and column == VALUE:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def reading(self, row: Interpretation) -> str:
        """``float32 CDAB``, ``int16 × 0.1``; the present one says so."""
        order = "" if row.registers == 1 and row.order == "ABCD" else f" {row.order}"
        scale = "" if row.gain == 1.0 else f" × {row.gain:g}"
        return f"{row.type}{order}{scale}" + (" (now)" if row.current else "")

    def place(self, row: Interpretation) -> str:
        at = self.address.address + row.offset
        if not 0 <= at <= 65535:
            return ""
        return point_in_notation(Address(None, self.address.table, at), self.notation).rpartition(":")[2]

    def value(self, row: Interpretation) -> str:
        return "" if row.value is None else plain(row.value + self.offset)


def _share(row: Interpretation) -> str:
    return "< 1 %" if row.share < 0.01 else f"{100 * row.share:.0f} %"
