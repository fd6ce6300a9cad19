"""Value cells: right-aligned digits of one width, the unit dim beside them, stale and bad values visibly not to be trusted."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QObject, QRect, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QHelpEvent, QPainter
from PySide6.QtWidgets import QAbstractItemView, QStyledItemDelegate, QStyleOptionViewItem

from widgets.look.badges import Index, draw_item_background, show_plain_tip
from widgets.look.plain_cells import TextWidths
from widgets.look.theme import color, value_font

UNIT_ROLE: Final = Qt.ItemDataRole.UserRole + 0x101
"""Item role: the unit as text, "" or None where there is none. The value itself is the DisplayRole, formatted."""

QUALITY_ROLE: Final = Qt.ItemDataRole.UserRole + 0x102
"""Item role: "good", "uncertain", "bad", "stale", "then" of a snapshot's value, "suspect" of a good value that can hardly be one.

None counts as good.
"""

_TEXT_TOKEN: Final = {"good": "text", "uncertain": "text", "bad": "bad", "stale": "stale", "then": "stale", "suspect": "warn"}
_STRUCK: Final = frozenset({"bad", "stale"})
_MARGIN_PX: Final = 8
_UNIT_GAP_PX: Final = 6
_RIGHT: Final = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
# Group separators, decimal marks and signs of any locale; not letters, so that a text with digits in it stays a text.
_NUMBER_SIGNS: Final = frozenset("+-.,' eE\u2212\u2019\u00a0\u202f")
_LEFT: Final = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)


class ValueDelegate(QStyledItemDelegate):
    """Paints a live value from DisplayRole, `UNIT_ROLE` and `QUALITY_ROLE`.

    When the column is too narrow the unit goes first; then a text is elided, but a number becomes ###, because 1,18… reads as
    another number.

    Args:
        unit_chars: Room kept for units right of the values, in average characters, so that digits stand below each other whatever
            the units are; 0 when units have a column of their own.
    """

    def __init__(self, parent: QObject | None = None, *, unit_chars: int = 0) -> None:
        super().__init__(parent)
        self._unit_chars = unit_chars
        self._fonts: tuple[str, QFont, QFontMetrics, TextWidths] | None = None

    def _value_font(self, base: QFont) -> tuple[QFont, QFontMetrics, TextWidths]:
        """Made once for all cells of a table: to find a font takes Qt as long as to paint the cell."""
        key = base.key()
        if self._fonts is None or self._fonts[0] != key:
            font = value_font(base)
            metrics = QFontMetrics(font)
            self._fonts = key, font, metrics, TextWidths(metrics)
        return self._fonts[1:]

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        draw_item_background(self, painter, option, index)
        text = _text(index, Qt.ItemDataRole.DisplayRole)
        if not text:
            return
        unit = _text(index, UNIT_ROLE)
        quality = _text(index, QUALITY_ROLE) or "good"
        painter.save()
        font, metrics, widths = self._value_font(option.font)
        painter.setFont(font)
        cell = option.rect.adjusted(_MARGIN_PX, 0, -_MARGIN_PX, 0)
        slot = self._unit_slot(metrics, unit)
        width = widths.of(text)
        if width + slot > cell.width():
            slot = 0
        if slot and unit:
            painter.setPen(color("stale" if quality in ("stale", "then") else "dim"))
            painter.drawText(QRect(cell.right() - slot + 1 + _UNIT_GAP_PX, cell.y(), slot, cell.height()), _LEFT, unit)
        painter.setPen(color(_TEXT_TOKEN.get(quality, "text")))
        room = cell.adjusted(0, 0, -slot, 0)
        shown = text if width <= room.width() else fitted(metrics, text, room.width())
        painter.drawText(room, _RIGHT, shown)
        if quality in _STRUCK:
            _strike(painter, room, shown)
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        _, metrics, _ = self._value_font(option.font)
        width = metrics.horizontalAdvance(_text(index, Qt.ItemDataRole.DisplayRole))
        return QSize(width + self._unit_slot(metrics, _text(index, UNIT_ROLE)) + 2 * _MARGIN_PX, metrics.height() + 12)

    def helpEvent(self, event: QHelpEvent, view: QAbstractItemView, option: QStyleOptionViewItem, index: Index) -> bool:
        """The model's own tool tip, else value and unit where they did not fit."""
        if event.type() != QEvent.Type.ToolTip or index.data(Qt.ItemDataRole.ToolTipRole):
            return super().helpEvent(event, view, option, index)
        cut = self.sizeHint(option, index).width() > option.rect.width()
        words = f"{_text(index, Qt.ItemDataRole.DisplayRole)} {_text(index, UNIT_ROLE)}".strip() if cut else ""
        show_plain_tip(event, view, words)
        return bool(words)

    def _unit_slot(self, metrics: QFontMetrics, unit: str) -> int:
        kept = self._unit_chars * metrics.averageCharWidth()
        width = max(kept, metrics.horizontalAdvance(unit) if unit else 0)
        return width + _UNIT_GAP_PX if width else 0


def fitted(metrics: QFontMetrics, text: str, width: int) -> str:
    """`text` where it fits; else an elided text, or ### for a number."""
    if metrics.horizontalAdvance(text) <= width:
        return text
    if _is_number(text):
        return "#" * max(1, min(3, width // max(1, metrics.horizontalAdvance("#"))))
    return metrics.elidedText(text, Qt.TextElideMode.ElideRight, width)


def _strike(painter: QPainter, room: QRect, shown: str) -> None:
    """A line through right-aligned words, but not over a leading minus, which would vanish in it."""
    metrics = painter.fontMetrics()
    left = room.right() + 1 - metrics.horizontalAdvance(shown)
    if shown[0] in "-\u2212":
        left += metrics.horizontalAdvance(shown[0]) + 1
    height = room.y() + (room.height() + metrics.ascent() - metrics.descent()) // 2 - metrics.xHeight() // 2
    painter.drawLine(left, height, room.right(), height)


def _is_number(text: str) -> bool:
    return any(sign.isdigit() for sign in text) and all(sign.isdigit() or sign in _NUMBER_SIGNS for sign in text)


def _text(index: Index, role: int) -> str:
    data = index.data(role)
    return "" if data is None else str(data)
