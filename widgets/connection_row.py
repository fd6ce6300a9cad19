"""The connections of a project in one line: as many chips as there is room for, those in trouble first; the rest in a menu."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QIcon, QPainter, QPaintEvent, QPixmap, QResizeEvent
from PySide6.QtWidgets import QMenu, QSizePolicy, QToolButton, QWidget

from widgets.connection_text import Shown
from widgets.look import ConnectionChip, ConnectionState
from widgets.look.connection import draw_dot

_GAP_PX: Final = 12
_ORDER: Final[tuple[ConnectionState, ...]] = ("lost", "waiting", "connecting", "snapshot", "connected", "paused", "off")
"""Worst first."""


class ConnectionRow(QWidget):
    """Chips in the order of the project; lays them out itself, as no layout leaves out what does not fit.

    Signals:
        chosen: Id of the endpoint whose chip or menu entry was pressed.
    """

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.chips: dict[str, ConnectionChip] = {}
        self._shown: dict[str, Shown] = {}
        self._more = _MoreButton(self)
        self._menu = QMenu(self._more)
        self._menu.aboutToShow.connect(self._fill_menu)
        self._more.setMenu(self._menu)
        self._more.hide()
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def set_endpoints(self, names: Mapping[str, str]) -> None:
        """Id → name. Chips are made anew when one of them is another than before."""
        if {id_: chip.name for id_, chip in self.chips.items()} == dict(names):
            return
        for chip in self.chips.values():
            chip.hide()  # at once: what is deleted later would be painted below the new ones
            chip.deleteLater()
        self._shown.clear()
        self.chips = {id_: self._chip(id_, name) for id_, name in names.items()}
        self._arrange()

    def _chip(self, endpoint: str, name: str) -> ConnectionChip:
        chip = ConnectionChip(name, parent=self)
        chip.setProperty("name", name)
        chip.clicked.connect(lambda: self.chosen.emit(endpoint))
        return chip

    def show_state(self, endpoint: str, shown: Shown) -> None:
        before = self._shown.get(endpoint)
        if shown == before:
            return
        self._shown[endpoint] = shown
        self.chips[endpoint].set_state(shown.dot, shown.words, short=shown.short, tip=shown.tip)
        if before is None or before.dot != shown.dot:
            self._arrange()

    @property
    def hidden_endpoints(self) -> list[str]:
        """Those that are in the menu, in the order of the project."""
        return [id_ for id_, chip in self.chips.items() if chip.isHidden()]

    def sizeHint(self) -> QSize:
        width = sum(chip.sizeHint().width() + _GAP_PX for chip in self.chips.values())
        return QSize(width, max((chip.sizeHint().height() for chip in self.chips.values()), default=self.fontMetrics().height() + 8))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._more.sizeHint().width() if self.chips else 0, self.sizeHint().height())

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self._arrange()
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        fitting = self._fitting()
        widths = self._widths(fitting)
        x = 0
        for endpoint, chip in self.chips.items():
            chip.setVisible(endpoint in widths)
            if endpoint in widths:
                chip.setGeometry(x, 0, widths[endpoint], self.height())
                x += widths[endpoint] + _GAP_PX
        left = [id_ for id_ in self.chips if id_ not in widths]
        self._more.setVisible(bool(left))
        if left:
            self._more.tell(self._dots(left))
            self._more.setGeometry(x, 0, min(self._more.sizeHint().width(), max(0, self.width() - x)), self.height())

    def _fitting(self) -> list[str]:
        """Whose short forms have room beside one another; those in trouble before the others."""
        by_need = sorted(self.chips, key=lambda id_: _ORDER.index(self.chips[id_].state) > 1)
        room_px = self.width()
        if sum(chip.short_px() + _GAP_PX for chip in self.chips.values()) - _GAP_PX > room_px:
            room_px -= self._more.widest_px(len(self.chips)) + _GAP_PX
        fitting: list[str] = []
        for endpoint in by_need:
            room_px -= self.chips[endpoint].short_px()
            if room_px < 0:
                break
            room_px -= _GAP_PX
            fitting.append(endpoint)
        return fitting

    def _widths(self, endpoints: Sequence[str]) -> dict[str, int]:
        """The short width for each, and what is left for their whole words: for those in trouble first."""
        widths = {id_: self.chips[id_].short_px() for id_ in endpoints}
        taken_px = sum(widths.values()) + _GAP_PX * (len(widths) - 1)
        if len(endpoints) < len(self.chips):
            taken_px += self._more.widest_px(len(self.chips)) + _GAP_PX
        left_px = max(0, self.width() - taken_px)
        for endpoint in endpoints:
            wider_px = self.chips[endpoint].width_in(widths[endpoint] + left_px)
            left_px -= wider_px - widths[endpoint]
            widths[endpoint] = wider_px
        return widths

    def _dots(self, endpoints: Sequence[str]) -> list[ConnectionState]:
        return sorted((self.chips[id_].state for id_ in endpoints), key=_ORDER.index)

    def _fill_menu(self) -> None:
        self._menu.clear()
        for endpoint in self.hidden_endpoints:
            chip, shown = self.chips[endpoint], self._shown.get(endpoint)
            words = f"{chip.name}   {shown.short if shown else ''}".rstrip().replace("&", "&&")
            action = self._menu.addAction(_dot_icon(chip.state, self._more.fontMetrics().height()), words)
            action.triggered.connect(lambda _=False, id_=endpoint: self.chosen.emit(id_))


class _MoreButton(QToolButton):
    """How many are left out, with the dot of the worst of them."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._worst: ConnectionState = "off"
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAutoRaise(True)

    def tell(self, dots: Sequence[ConnectionState]) -> None:
        """``dots`` of those left out, worst first."""
        self._worst = dots[0]
        troubled = sum(1 for dot in dots if dot in ("lost", "waiting"))
        self.setText(_more_text(len(dots)))
        words = f"{len(dots)} more {'endpoint' if len(dots) == 1 else 'endpoints'}" + (f", {troubled} in trouble" if troubled else "")
        self.setAccessibleName(words)
        self.setToolTip(words)
        self.update()

    def _dot_px(self) -> int:
        return max(10, self.fontMetrics().ascent())

    def widest_px(self, count: int) -> int:
        return self._dot_px() + self.fontMetrics().horizontalAdvance(_more_text(count)) + 24

    def sizeHint(self) -> QSize:
        return QSize(self._dot_px() + self.fontMetrics().horizontalAdvance(self.text()) + 24, self.fontMetrics().height() + 8)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        look = self.palette()
        if self.underMouse() or self.hasFocus():
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(look.highlight().color() if self.hasFocus() else Qt.PenStyle.NoPen)
            painter.setBrush(look.button() if self.underMouse() else Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(self.rect().adjusted(0, 0, -1, -1), 5, 5)
        side = self._dot_px()
        draw_dot(painter, QRectF(6, (self.height() - side) / 2, side, side), self._worst)
        painter.setPen(look.buttonText().color())
        room = self.rect().adjusted(side + 11, 0, -4, 0)
        painter.drawText(room, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), self.text())
        painter.end()


def _more_text(count: int) -> str:
    return f"{count:,} more"


def _dot_icon(state: ConnectionState, side_px: int) -> QIcon:
    picture = QPixmap(side_px * 2, side_px * 2)
    picture.setDevicePixelRatio(2)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    draw_dot(painter, QRectF(0, 0, side_px, side_px), state)
    painter.end()
    return QIcon(picture)
