"""What went over the wires, newest last: a bounded table with a filter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final, NamedTuple

from PySide6.QtCore import Qt

from app.drivers.base import Exchange
from app.model.times import rfc3339
from widgets.look import color, mono_font, plain_tip
from widgets.models.flat import Index
from widgets.models.newest import NewestModel

_RIGHT: Final = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_SHOWN_BYTES: Final = 64


class SeenExchange(NamedTuple):
    endpoint: str
    exchange: Exchange


class ExchangesModel(NewestModel[SeenExchange]):
    """``dropped`` counts what connectors did not tell because there was too much of it."""

    COLUMNS: ClassVar = ("Time (UTC)", "", "Endpoint", "Bytes", "Round trip", "Meaning", "Raw")

    def __init__(self) -> None:
        super().__init__()
        self.dropped = 0
        self._trouble_only, self._query, self._endpoint = False, "", ""

    def see(self, endpoint: str, exchanges: Sequence[Exchange], dropped: int = 0) -> None:
        self.dropped += dropped
        self.add([SeenExchange(endpoint, exchange) for exchange in exchanges])

    def show_only(self, *, trouble: bool, query: str, endpoint: str = "") -> None:
        """``endpoint`` by its name, "" for all."""
        self._trouble_only, self._query, self._endpoint = trouble, query.casefold(), endpoint
        self.refilter()

    def clear(self) -> None:
        self.dropped = 0
        super().clear()

    def text(self, rows: Sequence[int] | None = None) -> str:
        """Lines with tabs between the columns; of all rows shown when None."""
        chosen = self.rows if rows is None else [self.rows[row] for row in rows]
        return "\n".join("\t".join((*self.cells(one)[:6], one.exchange.data.hex(" "))) for one in chosen)

    def passes(self, row: SeenExchange) -> bool:
        if (self._trouble_only and not row.exchange.trouble) or self._endpoint not in ("", row.endpoint):
            return False
        return not self._query or self._query in f"{row.endpoint} {_meaning(row.exchange)} {row.exchange.data.hex(' ')}".casefold()

    def cells(self, row: SeenExchange) -> tuple[str, ...]:
        exchange = row.exchange
        at = rfc3339(exchange.at_ns // 1_000_000 * 1_000_000)[11:-1]
        taken = f"{exchange.round_trip_s * 1000:.1f} ms" if exchange.round_trip_s else ""
        raw = exchange.data[:_SHOWN_BYTES].hex(" ") + (" …" if len(exchange.data) > _SHOWN_BYTES else "")
        return at, "Tx" if exchange.sent else "Rx", row.endpoint, f"{exchange.size:,}", taken, _meaning(exchange), raw

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        exchange = self.rows[index.row()].exchange
        match role:
            case Qt.ItemDataRole.ToolTipRole if index.column() >= 5:
                return plain_tip(_meaning(exchange) + (f"\n{exchange.data.hex(' ')}" if exchange.data else ""))
            case Qt.ItemDataRole.ForegroundRole if exchange.trouble and index.column() == 5:
                return color("bad")
            case Qt.ItemDataRole.ForegroundRole if index.column() != 5:
                return color("dim")
            case Qt.ItemDataRole.FontRole if index.column() == 6:
                return mono_font()
            case Qt.ItemDataRole.TextAlignmentRole if index.column() in (3, 4):
                return _RIGHT
        return super().data(index, role)


def _meaning(exchange: Exchange) -> str:
    return f"{exchange.text}: {exchange.trouble}" if exchange.trouble else exchange.text
