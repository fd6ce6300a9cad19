"""Surfaces: the card that holds a panel's content, and what an empty panel says instead."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QRect, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from widgets.look.buttons import button
from widgets.look.icons import draw_icon
from widgets.look.labels import ElidedLabel, label
from widgets.look.theme import color, scaled_font, set_look


class Card(QFrame):
    """A titled surface: title and count at the left, widgets at the right, the body below.

    Args:
        title: "" leaves the whole title line out until something is put there.
        body: The first widget of the body; more by `add`.
        flush: The body reaches the card's edges (tables that fill it).
    """

    def __init__(self, title: str = "", body: QWidget | None = None, *, flush: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_look(self, look="card")
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(1, 8, 1, 1) if flush else self._column.setContentsMargins(12, 8, 12, 10)
        self._column.setSpacing(8)
        self._title = ElidedLabel(title, "title")
        self._count = label("", "dim")
        self._head = QWidget()
        self._head.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._line = QHBoxLayout(self._head)
        self._line.setContentsMargins(12 if flush else 0, 0, 8 if flush else 0, 0)
        self._line.setSpacing(8)
        self._line.addWidget(self._title)
        self._line.addWidget(self._count)
        self._line.addStretch(1)
        if not title:
            self._head.hide()
        self._count.hide()
        self._column.addWidget(self._head)
        self.setAccessibleName(title)
        if body is not None:
            self.add(body, 1)

    def set_title(self, title: str) -> None:
        """Plain text; may come from the plant."""
        self._title.setText(title)
        self._head.setVisible(True)
        self.setAccessibleName(title)

    def set_count(self, count: int | None, of: int | None = None, *, doing: str = "") -> None:
        """The number beside the title, "12 of 412" with `of`; None hides it. ``doing``: what is going on with them, "sorting…"."""
        self._count.setVisible(count is not None)
        if count is not None:
            number = f"{count:,}" if of is None else f"{count:,} of {of:,}"
            self._count.setText(f"{number} · {doing}" if doing else number)

    def add_right(self, widget: QWidget) -> None:
        """Put a button, label or chip at the right end of the title line."""
        self._line.addWidget(widget)
        self._head.setVisible(True)

    def add(self, widget: QWidget, stretch: int = 0) -> None:
        """Append to the body."""
        self._column.addWidget(widget, stretch)

    @property
    def body(self) -> QVBoxLayout:
        """The column that holds the title line and the body, for nested layouts."""
        return self._column


_EMPTY_ICON_PX: Final = 40
_EMPTY_WIDTH_PX: Final = 420


class EmptyState(QWidget):
    """What an empty place says: an icon, a sentence, why or what next, and the next step as a button."""

    def __init__(self, icon_name: str, sentence: str, hint: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._picture = _Picture(icon_name)
        self._sentence = _centred(sentence, "title")
        self._hint = _centred(hint, "dim")
        if not hint:
            self._hint.hide()
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(8)
        self._buttons.addStretch(1)
        self._buttons.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 24)
        column.setSpacing(8)
        column.addStretch(2)
        column.addWidget(self._picture, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addSpacing(4)
        column.addWidget(self._sentence)
        column.addWidget(self._hint)
        column.addSpacing(8)
        column.addLayout(self._buttons)
        column.addStretch(3)
        self.setAccessibleName(sentence)
        self._set_fonts()

    def minimumSizeHint(self) -> QSize:
        """Small: an empty page must not keep the window from getting small."""
        return QSize(120, 60)

    def set_words(self, sentence: str, hint: str = "") -> None:
        """Say something else, for instance after a filter found nothing."""
        self._sentence.setText(sentence)
        self._hint.setText(hint)
        self._hint.setVisible(bool(hint))
        self.setAccessibleName(sentence)

    def add_button(self, text: str, icon_name: str = "", *, primary: bool = True) -> QPushButton:
        """The next step; connect its `clicked`. The first one should be primary, others not."""
        made = button(text, icon_name, kind="primary" if primary else "")
        self._buttons.insertWidget(self._buttons.count() - 1, made)
        return made

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.FontChange:
            self._set_fonts()
        super().changeEvent(event)

    def _set_fonts(self) -> None:
        self._sentence.setFont(scaled_font(self.font(), 1.15))


class _Picture(QWidget):
    def __init__(self, icon_name: str) -> None:
        super().__init__()
        self._icon_name = icon_name
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(2 * _EMPTY_ICON_PX, 2 * _EMPTY_ICON_PX)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color("accent_bg"))
        side = min(self.width(), self.height())  # where there is no room it gets smaller, not flat
        circle = QRect((self.width() - side) // 2, (self.height() - side) // 2, side, side)
        painter.drawEllipse(circle)
        inset = side // 4
        draw_icon(painter, circle.adjusted(inset, inset, -inset, -inset), self._icon_name, color("accent"))
        painter.end()


def _centred(text: str, look: str) -> QLabel:
    made = label(text, look, wrap=True)
    made.setAlignment(Qt.AlignmentFlag.AlignHCenter)
    return made
