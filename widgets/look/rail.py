"""The mode rail: the job from left to right, drawn from top to bottom, with what is still open in each step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from PySide6.QtCore import QEvent, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QFont, QFontMetrics, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QFrame, QSizePolicy, QVBoxLayout, QWidget

from widgets.look.icons import draw_icon
from widgets.look.theme import color, scaled_font, set_look

_ICON_PX: Final = 22
_SIDE_PX: Final = 8
_STEP_KEYS: Final = frozenset({Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Home, Qt.Key.Key_End})
_KEYBOARD_REASONS: Final = frozenset({Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason, Qt.FocusReason.ShortcutFocusReason})


class RailMode(NamedTuple):
    """One entry: key for signals, title for people, icon name, and a sentence for the tool tip."""

    key: str
    title: str
    icon: str
    tip: str = ""


class Rail(QFrame):
    """Modes to choose from. Tab reaches the current one; Up, Down, Home and End go on from there and choose."""

    chosen = Signal(str)
    """The key of the mode that the user chose; not emitted by `choose`."""

    def __init__(self, modes: Sequence[RailMode] = (), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_look(self, look="rail")
        self.setAccessibleName("Modes")
        self._buttons: dict[str, _RailButton] = {}
        self._group = QButtonGroup(self)
        self._group.setExclusive(True)
        self._group.buttonClicked.connect(self._on_button_clicked)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 12, 0, 8)
        self._column.setSpacing(8)
        self._column.addStretch()
        for mode in modes:
            self.add_mode(mode)

    def add_mode(self, mode: RailMode) -> None:
        """Append a mode; the first one is checked."""
        button = _RailButton(mode, self)
        self._buttons[mode.key] = button
        self._group.addButton(button)
        self._column.insertWidget(self._column.count() - 1, button)
        if len(self._buttons) == 1:
            button.setChecked(True)

    def add_widget(self, widget: QWidget) -> None:
        """Put something at the lower end."""
        self._column.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)

    def choose(self, key: str) -> None:
        """Show `key` as the current mode. Raises KeyError for an unknown one."""
        self._buttons[key].setChecked(True)

    @property
    def current(self) -> str:
        """The key of the current mode, "" without modes."""
        return next((key for key, button in self._buttons.items() if button.isChecked()), "")

    def set_count(self, key: str, count: int, meaning: str = "open") -> None:
        """Show how much is open in a mode; 0 shows nothing. `meaning` is read to those who cannot see, as in "12 unmapped"."""
        self._buttons[key].set_count(count, meaning)

    def button(self, key: str) -> QAbstractButton:
        """The button of a mode, for shortcuts and tests."""
        return self._buttons[key]

    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys = [key for key, button in self._buttons.items() if button.isEnabled()]
        if event.key() not in _STEP_KEYS or self.current not in keys:
            super().keyPressEvent(event)
            return
        at = keys.index(self.current)
        wanted = {Qt.Key.Key_Up: at - 1, Qt.Key.Key_Down: at + 1, Qt.Key.Key_Home: 0}.get(Qt.Key(event.key()), len(keys) - 1)
        target = self._buttons[keys[min(max(wanted, 0), len(keys) - 1)]]
        if not target.isChecked():
            target.setFocus(Qt.FocusReason.TabFocusReason)
            target.click()

    def _on_button_clicked(self, button: QAbstractButton) -> None:
        if isinstance(button, _RailButton):
            self.chosen.emit(button.mode.key)


class _RailButton(QAbstractButton):
    def __init__(self, mode: RailMode, parent: QWidget) -> None:
        super().__init__(parent)
        self.mode = mode
        self._count = 0
        self._by_keyboard = False
        self.setText(mode.title)
        self.setCheckable(True)
        self.setToolTip(mode.tip)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setAccessibleName(mode.title)

    def set_count(self, count: int, meaning: str) -> None:
        if count == self._count:
            return
        self._count = count
        self.setAccessibleName(f"{self.mode.title}, {count:,} {meaning}" if count else self.mode.title)
        self.update()

    def _small(self, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
        return scaled_font(self.font(), 0.9, weight)

    def sizeHint(self) -> QSize:
        metrics = QFontMetrics(self._small(QFont.Weight.DemiBold))
        width = metrics.horizontalAdvance(self.mode.title) + 2 * _SIDE_PX + 12
        return QSize(max(84, width), _ICON_PX + metrics.height() + 24)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in _STEP_KEYS:
            event.ignore()  # the rail's: Qt's own handling moves the focus without choosing
            return
        super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        # A ring after a mouse click, or when the window comes to front, would say nothing that the plate does not say.
        self._by_keyboard = event.reason() in _KEYBOARD_REASONS
        super().focusInEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.FontChange:
            self.updateGeometry()
        super().changeEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(_SIDE_PX, 0, -_SIDE_PX, 0)
        self._draw_plate(painter, box)
        ink = color("rail_text_active" if self.isChecked() or self.underMouse() else "rail_text")
        if not self.isEnabled():
            ink.setAlphaF(0.45)
        draw_icon(painter, QRect((self.width() - _ICON_PX) // 2, 9, _ICON_PX, _ICON_PX), self.mode.icon, ink)
        painter.setFont(self._small(QFont.Weight.DemiBold if self.isChecked() else QFont.Weight.Normal))
        painter.setPen(ink)
        name = QRect(0, 9 + _ICON_PX + 5, self.width(), painter.fontMetrics().height())
        painter.drawText(name, Qt.AlignmentFlag.AlignCenter, self.mode.title)
        if self._count:
            self._draw_count(painter)
        painter.end()

    def _draw_plate(self, painter: QPainter, box: QRectF) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        if self.isChecked():
            painter.setBrush(color("rail_active"))
            painter.drawRoundedRect(box, 8, 8)
            painter.setBrush(color("rail_mark"))
            painter.drawRoundedRect(QRectF(0, box.height() * 0.2, 3, box.height() * 0.6), 1.5, 1.5)
        elif self.underMouse() and self.isEnabled():
            painter.setBrush(color("rail_hover"))
            painter.drawRoundedRect(box, 8, 8)
        if self._by_keyboard and self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(color("rail_mark"), 2))
            painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), 7, 7)

    def _draw_count(self, painter: QPainter) -> None:
        text = f"{self._count:,}" if self._count < 10_000 else f"{self._count // 1000}k"
        painter.setFont(scaled_font(self.font(), 0.78, QFont.Weight.Bold))
        metrics = painter.fontMetrics()
        height = metrics.height() + 2
        width = max(height, metrics.horizontalAdvance(text) + 10)
        left = min(self.width() / 2 + 5, self.width() - width - 6)
        pill = QRectF(left, 4, width, height)
        painter.setPen(QPen(color("rail_active" if self.isChecked() else "rail"), 2))
        painter.setBrush(color("rail_count"))
        painter.drawRoundedRect(pill, height / 2, height / 2)
        painter.setPen(color("rail_count_text"))
        painter.drawText(pill, Qt.AlignmentFlag.AlignCenter, text)
