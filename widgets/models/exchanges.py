"""What went over the wires, newest last: a bounded table with a filter."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final, NamedTuple

from PySide6.QtCore import QAbstractTableModel, Qt

from app.drivers.base import Exchange
from app.model.times import rfc3339
from widgets.look import color, mono_font, plain_tip
from widgets.models.flat import ROOT, Index

COLUMNS: Final = ("Time (UTC)", "", "Endpoint", "Bytes", "Round trip", "Meaning", "Raw")
KEPT: Final = 5_000
"""Exchanges kept; older ones go. *Save* writes those that are kept."""
_RIGHT: Final = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_SHOWN_BYTES: Final = 64


class SeenExchange(NamedTuple):
    endpoint: str
    exchange: Exchange


class ExchangesModel(QAbstractTableModel):
    """``dropped`` counts what connectors did not tell because there was too much of it."""

    def __init__(self) -> None:
        super().__init__()
        self._kept: deque[SeenExchange] = deque(maxlen=KEPT)
        self.rows: list[SeenExchange] = []
        self.dropped = 0
        self._trouble_only, self._query, self._endpoint = False, "", ""

    def add(self, endpoint: str, exchanges: Sequence[Exchange], dropped: int = 0) -> None:
        self.dropped += dropped
        fresh = [SeenExchange(endpoint, exchange) for exchange in exchanges]
        self._kept.extend(fresh)
        shown = [one for one in fresh if self._passes(one)]
        if not shown:
            return
        excess = len(self.rows) + len(shown) - KEPT
        if excess > 0:  # a tenth more goes, so that the view is not moved with each batch
            excess = min(max(excess, KEPT // 10), len(self.rows))
            self.beginRemoveRows(ROOT, 0, excess - 1)
            del self.rows[:excess]
            self.endRemoveRows()
        shown = shown[-KEPT:]
        self.beginInsertRows(ROOT, len(self.rows), len(self.rows) + len(shown) - 1)
        self.rows += shown
        self.endInsertRows()

    def show_only(self, *, trouble: bool, query: str, endpoint: str = "") -> None:
        """``endpoint`` by its name, "" for all."""
        self._trouble_only, self._query, self._endpoint = trouble, query.casefold(), endpoint
        self.beginResetModel()
        self.rows = [one for one in self._kept if self._passes(one)]
        self.endResetModel()

    def clear(self) -> None:
        self._kept.clear()
        self.dropped = 0
        self.show_only(trouble=self._trouble_only, query=self._query, endpoint=self._endpoint)

    def text(self, rows: Sequence[int] | None = None) -> str:
        """Lines with tabs between the columns; of all rows shown when None."""
        chosen = self.rows if rows is None else [self.rows[row] for row in rows]
        return "\n".join("\t".join((*_cells(one)[:6], one.exchange.data.hex(" "))) for one in chosen)

    def _passes(self, one: SeenExchange) -> bool:
        if (self._trouble_only and not one.exchange.trouble) or self._endpoint not in ("", one.endpoint):
            return False
        return not self._query or self._query in f"{one.endpoint} {_meaning(one.exchange)} {one.exchange.data.hex(' ')}".casefold()

    def rowCount(self, parent: Index = ROOT) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = ROOT) -> int:
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        one = self.rows[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return _cells(one)[index.column()]
            case Qt.ItemDataRole.ToolTipRole if index.column() >= 5:
                raw = f"\n{one.exchange.data.hex(' ')}" if one.exchange.data else ""
                return plain_tip(_meaning(one.exchange) + raw)
            case Qt.ItemDataRole.ForegroundRole if one.exchange.trouble and index.column() == 5:
                return color("bad")
            case Qt.ItemDataRole.ForegroundRole if index.column() != 5:
                return color("dim")
            case Qt.ItemDataRole.FontRole if index.column() == 6:
                return mono_font()
            case Qt.ItemDataRole.TextAlignmentRole if index.column() in (3, 4):
                return _RIGHT
        return None


def _cells(one: SeenExchange) -> tuple[str, ...]:
    exchange = one.exchange
    at = rfc3339(exchange.at_ns // 1_000_000 * 1_000_000)[11:-1]
    taken = f"{exchange.round_trip_s * 1000:.1f} ms" if exchange.round_trip_s else ""
    raw = exchange.data[:_SHOWN_BYTES].hex(" ") + (" …" if len(exchange.data) > _SHOWN_BYTES else "")
    return at, "Tx" if exchange.sent else "Rx", one.endpoint, f"{exchange.size:,}", taken, _meaning(exchange), raw


def _meaning(exchange: Exchange) -> str:
    return f"{exchange.text}: {exchange.trouble}" if exchange.trouble else exchange.text
