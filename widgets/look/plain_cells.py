"""Cells that are one line of text, for tables that are painted many times a second."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

from widgets.look.badges import Index, is_marked

TEXT_MARGIN_PX: Final = 8
"""What the style keeps free at both sides: its own margin, and the padding of ``look.qss``."""
_PLAIN: Final = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine)


_DIGITS: Final = str.maketrans("123456789", "000000000")
_KNOWN_WIDTHS: Final = 2_000


class TextWidths:
    """How wide texts are in one font; worked out once for all that differ in their digits only, as times and most values do.

    Digits are of one width in ``value_font``, and in nearly every other; where they are not, a text is some pixels wider or narrower.
    """

    def __init__(self, metrics: QFontMetrics) -> None:
        self._metrics = metrics
        self._widths: dict[str, int] = {}

    def of(self, text: str) -> int:
        shape = text.translate(_DIGITS)
        width = self._widths.get(shape)
        if width is None:
            if len(self._widths) > _KNOWN_WIDTHS:
                self._widths.clear()
            width = self._widths[shape] = self._metrics.horizontalAdvance(shape)
        return width


class PlainDelegate(QStyledItemDelegate):
    """Looks as every other cell does; asks the model for the text alone, where Qt's own asks for seven things.

    A cell that is selected, under the mouse, or too narrow is painted by Qt. Not for models with icons, colours or check boxes.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._widths: tuple[str, TextWidths] | None = None

    def _width_of(self, font: QFont, text: str) -> int:
        key = font.key()
        if self._widths is None or self._widths[0] != key:
            self._widths = key, TextWidths(QFontMetrics(font))
        return self._widths[1].of(text)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        if is_marked(option):
            super().paint(painter, option, index)
            return
        text = index.data(Qt.ItemDataRole.DisplayRole)
        if not text:
            return
        room = option.rect.adjusted(TEXT_MARGIN_PX, 0, -TEXT_MARGIN_PX, 0)
        font = option.font
        if self._width_of(font, text) > room.width():
            super().paint(painter, option, index)
            return
        painter.setFont(font)
        painter.setPen(option.palette.text().color())
        painter.drawText(room, _PLAIN, text)
