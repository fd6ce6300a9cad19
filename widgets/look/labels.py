"""Words: labels that never render plant text as HTML, elided labels, and the divider line."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QLabel, QSizePolicy, QWidget

from widgets.look.badges import plain_tip
from widgets.look.theme import set_look


def label(text: str = "", look: str = "", *, wrap: bool = False, selectable: bool = False) -> QLabel:
    """A plain-text label.

    Args:
        text: Shown as it is, whatever it contains.
        look: "", "title", "dim", "good", "warn", "bad" or "stale".
        wrap: Several lines where it is narrow.
        selectable: The text can be selected by mouse and keyboard, and copied.
    """
    result = QLabel()
    result.setTextFormat(Qt.TextFormat.PlainText)
    result.setText(text)
    result.setWordWrap(wrap)
    if look:
        set_look(result, look=look)
    if selectable:
        result.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard)
    return result


class ElidedLabel(QLabel):
    """One line of plain text that gives way where there is no room, with the whole text on hover."""

    def __init__(
        self,
        text: str = "",
        look: str = "",
        mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._mode = mode
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        if look:
            set_look(self, look=look)
        self.setText(text)

    def setText(self, text: str) -> None:
        if text == self.text() and text:
            return
        super().setText(text)
        self._set_tip()

    def minimumSizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        return QSize(min(metrics.horizontalAdvance(self.text()), 6 * metrics.averageCharWidth()), metrics.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._set_tip()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        room = self.contentsRect()
        shown = self.fontMetrics().elidedText(self.text().replace("\n", " "), self._mode, room.width())
        # By the style, so that disabled and coloured labels look like every other.
        self.style().drawItemText(painter, room, int(self.alignment()), self.palette(), self.isEnabled(), shown, self.foregroundRole())
        painter.end()

    def _set_tip(self) -> None:
        cut = self.fontMetrics().horizontalAdvance(self.text()) > self.contentsRect().width()
        self.setToolTip(plain_tip(self.text()) if cut else "")


def divider(parent: QWidget | None = None) -> QFrame:
    """A horizontal line of one pixel."""
    line = QFrame(parent)
    line.setFixedHeight(1)
    set_look(line, look="divider")
    return line
