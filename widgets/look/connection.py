"""The state of one connection, as a dot and as a chip for the status bar."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from widgets.look.badges import plain_tip
from widgets.look.theme import color, value_font

ConnectionState = Literal["connected", "connecting", "waiting", "lost", "paused", "off", "snapshot"]


_WIDEST_CHARS: Final = 120
"""A long reason does not make a chip wider than this; the tool tip has it whole."""
_REASON_CHARS: Final = 28
"""Less of a reason than this tells nothing."""


class _Dot(NamedTuple):
    shape: Literal["full", "dashed", "ring", "cross", "bars", "frame"]
    token: str
    words: str


_DOTS: Final[dict[ConnectionState, _Dot]] = {
    "connected": _Dot("full", "good", "connected"),
    "connecting": _Dot("dashed", "accent", "connecting"),
    "waiting": _Dot("dashed", "warn", "waiting to retry"),
    "lost": _Dot("cross", "bad", "lost"),
    "paused": _Dot("bars", "dim", "paused"),
    "off": _Dot("ring", "dim", "not connected"),
    "snapshot": _Dot("frame", "stale", "a snapshot, not live"),
}


def draw_dot(painter: QPainter, box: QRectF, state: ConnectionState) -> None:
    """Shape and colour both tell the state."""
    dot = _DOTS[state]
    tint = color(dot.token)
    side = min(box.width(), box.height())
    middle = box.center()
    radius = side / 2 - 1
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(tint if dot.shape == "full" else Qt.BrushStyle.NoBrush)
    pen = QPen(tint, 1.5)
    if dot.shape == "dashed":
        pen.setDashPattern([1.5, 1.2])
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    painter.setPen(Qt.PenStyle.NoPen if dot.shape == "full" else pen)
    if dot.shape == "bars":
        for dx in (-radius * 0.45, radius * 0.45):
            painter.drawLine(QPointF(middle.x() + dx, middle.y() - radius * 0.8), QPointF(middle.x() + dx, middle.y() + radius * 0.8))
        return
    if dot.shape == "frame":
        side_px = radius * 1.5
        painter.drawRect(QRectF(middle.x() - side_px / 2, middle.y() - side_px / 2, side_px, side_px))
        return
    if dot.shape == "cross":
        arm = radius * 0.75
        painter.drawLine(middle - QPointF(arm, arm), middle + QPointF(arm, arm))
        painter.drawLine(middle - QPointF(arm, -arm), middle + QPointF(arm, -arm))
        return
    painter.drawEllipse(middle, radius if dot.shape == "full" else radius - 0.5, radius if dot.shape == "full" else radius - 0.5)


class StatusDot(QWidget):
    """The dot alone, as large as a capital letter."""

    def __init__(self, state: ConnectionState = "off", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.set_state(state)

    def set_state(self, state: ConnectionState) -> None:
        """Show another state. Raises KeyError for an unknown one."""
        self.setAccessibleName(_DOTS[state].words)
        self._state = state
        self.update()

    def sizeHint(self) -> QSize:
        side = max(10, self.fontMetrics().ascent())
        return QSize(side, side)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        draw_dot(painter, QRectF(self.rect()), self._state)
        painter.end()


class ConnectionChip(QAbstractButton):
    """Dot, endpoint name and what there is to say ("4,812/s · 212 items", "retry in 3 s"); its short form where there is no room."""

    def __init__(self, name: str, state: ConnectionState = "off", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self._detail = self._short = ""
        self._state = state
        self._widest_px = 0
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.set_state(state)

    @property
    def name(self) -> str:
        return self._name

    @property
    def state(self) -> ConnectionState:
        return self._state

    def set_state(self, state: ConnectionState, detail: str = "", *, short: str = "", tip: str = "") -> None:
        """Show another state. Raises KeyError for an unknown one.

        Args:
            state: Gives dot and colour.
            detail: All that there is to say in one line, as plain text.
            short: What is said of it where there is no room; the beginning of ``detail`` when empty.
            tip: Shown on hover below the name; ``detail`` when empty.
        """
        words = detail or ("" if state == "connected" else _DOTS[state].words)
        self._set_tip(tip or words)
        changed_state = state != self._state
        if not changed_state and (words, short) == (self._detail, self._short) and self.text():
            return
        self._state, self._detail, self._short = state, words, short
        self.setText(f"{self._name}  {words}".rstrip())
        self.setAccessibleName(f"{self._name}: {_DOTS[state].words}" + (f", {detail}" if detail else ""))
        # A counting number must not push its neighbours to and fro: within one state the chip only grows.
        self._widest_px = 0 if changed_state else self._widest_px
        if self._needed_px(self.text()) > self._widest_px or changed_state:
            self._widest_px = max(self._widest_px, self._needed_px(self.text()))
            self.updateGeometry()
        self.update()

    def _set_tip(self, words: str) -> None:
        text = plain_tip(f"{self._name}\n{words}".rstrip())
        if text != self.toolTip():
            self.setToolTip(text)
            self.setAccessibleDescription(words)

    def _dot_px(self) -> int:
        return max(10, self.fontMetrics().ascent())

    def _needed_px(self, text: str) -> int:
        return QFontMetrics(value_font(self.font())).horizontalAdvance(text) + self._dot_px() + 18

    def _short_text(self) -> str:
        return f"{self._name}  {self._short}".rstrip() if self._short else self._name

    def short_px(self) -> int:
        """Width at which name and short form can be read."""
        return min(self._needed_px(self._short_text()), self.sizeHint().width())

    def width_in(self, room_px: int) -> int:
        """How much of this room it makes use of: that of the short form, or of enough words beyond it to be worth it."""
        whole_px, short_px = self.sizeHint().width(), self.short_px()
        if room_px >= whole_px:
            return whole_px
        return room_px if self._reads_on(room_px - short_px) else short_px

    def _reads_on(self, rest_px: int) -> bool:
        """Of numbers all or none is said: one that is cut would read as another."""
        return self._state in ("waiting", "lost") and rest_px >= _REASON_CHARS * self.fontMetrics().averageCharWidth()

    def sizeHint(self) -> QSize:
        most_px = self._dot_px() + 18 + _WIDEST_CHARS * self.fontMetrics().averageCharWidth()
        return QSize(min(max(self._needed_px(self.text()), self._widest_px), most_px), self.fontMetrics().height() + 8)

    def minimumSizeHint(self) -> QSize:
        return QSize(self._dot_px() + 18 + 8 * self.fontMetrics().averageCharWidth(), self.fontMetrics().height() + 8)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        if self.underMouse():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color("chip"))
            painter.drawRoundedRect(box, 5, 5)
        if self.hasFocus():
            painter.setPen(QPen(color("accent"), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box, 5, 5)
        side = self._dot_px()
        draw_dot(painter, QRectF(6, (self.height() - side) / 2, side, side), self._state)
        painter.setFont(value_font(self.font()))
        painter.setPen(color(_DOTS[self._state].token if self._state != "off" else "dim"))
        room = QRect(side + 12, 0, self.width() - side - 16, self.height())
        shown = painter.fontMetrics().elidedText(
            self._fitting(painter.fontMetrics(), room.width()), Qt.TextElideMode.ElideRight, room.width()
        )
        painter.drawText(room, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), shown)
        painter.end()

    def _fitting(self, metrics: QFontMetrics, room_px: int) -> str:
        whole, short = self.text(), self._short_text()
        if metrics.horizontalAdvance(whole) <= room_px or not self._short:
            return whole
        return whole if self._reads_on(room_px - metrics.horizontalAdvance(short)) else short
