"""A value cell that shows the reason where there is no value: red, but not struck through, since it is to be read."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QStyleOptionViewItem

from widgets.look import ValueDelegate, color
from widgets.look.badges import Index, draw_item_background

REASON_ROLE: Final = Qt.ItemDataRole.UserRole + 0x120
"""True where the text of the cell is a reason and no value."""

_MARGIN_PX: Final = 8


class ReasonDelegate(ValueDelegate):
    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        if not index.data(REASON_ROLE):
            super().paint(painter, option, index)
            return
        draw_item_background(self, painter, option, index)
        painter.save()
        painter.setFont(option.font)
        painter.setPen(color("bad"))
        cell = option.rect.adjusted(_MARGIN_PX, 0, -_MARGIN_PX, 0)
        text = painter.fontMetrics().elidedText(str(index.data()), Qt.TextElideMode.ElideRight, cell.width())
        painter.drawText(cell, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), text)
        painter.restore()
