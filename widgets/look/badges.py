"""State as a pill: always an icon and a word beside the colour."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec
from PySide6.QtCore import QAbstractItemModel, QEvent, QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QHelpEvent, QIcon, QPainter, QPaintEvent, QPixmap, QPixmapCache
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QSizePolicy,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolTip,
    QWidget,
)

from widgets.look.icons import draw_icon
from widgets.look.theme import color, theme

Index = QModelIndex | QPersistentModelIndex

BADGE_ROLE: Final = Qt.ItemDataRole.UserRole + 0x100
"""Item role: a `Badge`, a key of `STATES`, or a sequence of them; None paints an empty cell.

Give the same words under DisplayRole too (copying, sorting, screen readers); the delegate never reads them.
"""


class State(NamedTuple):
    """How one state looks."""

    icon: str
    token: str
    label: str


STATES: Final[dict[str, State]] = {
    # live quality
    "good": State("ok", "good", "good"),
    "uncertain": State("uncertain", "warn", "uncertain"),
    "bad": State("bad", "bad", "bad"),
    "stale": State("stale", "stale", "stale"),
    "moved": State("link", "warn", "good, moved"),
    "other device": State("warning", "warn", "another device"),
    "identity changed": State("unlink", "bad", "identity changed"),
    # review
    "approved": State("approve", "good", "approved"),
    "changed": State("changed", "warn", "changed"),
    "never": State("never", "dim", "never reviewed"),
    # mapping
    "mapped": State("link", "dim", "mapped"),
    "unmapped": State("unlink", "warn", "unmapped"),
    "suggested": State("suggest", "accent", "suggested"),
    # severity of a finding
    "error": State("error", "bad", "error"),
    "warning": State("warning", "warn", "warning"),
    "info": State("info", "accent", "info"),
    # outcome of work
    "ok": State("ok", "good", "ok"),
    "off": State("minus", "dim", "off"),
}


class Badge(msgspec.Struct, frozen=True):
    """One pill.

    Attributes:
        state: A key of `STATES`; gives icon and colour.
        text: Its words; the state's own label when empty.
        detail: Shown on hover, for instance the status code in hex.
    """

    state: str
    text: str = ""
    detail: str = ""

    @property
    def words(self) -> str:
        """What stands in the pill."""
        return self.text or STATES[self.state].label


BadgeData = Badge | str | Sequence["Badge | str"] | None


def badges_of(data: object) -> list[Badge]:
    """The badges in the data of a `BADGE_ROLE`. Raises KeyError for an unknown state and TypeError for anything else."""
    if data is None or data == "":
        return []
    if isinstance(data, Badge):
        return [data] if data.state in STATES else _unknown(data.state)
    if isinstance(data, str):
        return [Badge(data)] if data in STATES else _unknown(data)
    if isinstance(data, Sequence):
        return [badge for entry in data for badge in badges_of(entry)]
    raise TypeError(f"not a badge: {data!r}")


def _unknown(state: str) -> list[Badge]:
    raise KeyError(f"unknown badge state {state!r}; known: {', '.join(STATES)}")


_MARGIN_PX: Final = 8
_GAP_PX: Final = 4


class _Geometry(NamedTuple):
    height: int
    icon: int
    pad: int
    min_width: int


def _geometry(metrics: QFontMetrics) -> _Geometry:
    height = metrics.height() + 4
    icon = max(10, metrics.ascent() + 1)
    pad = height // 2 - 2
    return _Geometry(height, icon, pad, icon + 2 * pad)


def badge_width(metrics: QFontMetrics, badge: Badge) -> int:
    """Width of the whole pill in logical pixels."""
    shape = _geometry(metrics)
    return shape.min_width + 4 + metrics.horizontalAdvance(badge.words)


def draw_badge(painter: QPainter, rect: QRect, badge: Badge) -> int:
    """Paint one pill at the left of `rect`, vertically centred; returns the width used. Too narrow: the words are elided, then left out."""
    metrics = painter.fontMetrics()
    shape = _geometry(metrics)
    width = min(badge_width(metrics, badge), rect.width())
    if width < shape.min_width:
        return 0
    room = width - shape.min_width - 4
    words = badge.words
    if metrics.horizontalAdvance(words) > room:
        words = metrics.elidedText(words, Qt.TextElideMode.ElideRight, room)
    if len(words) < 2 < len(badge.words):
        words, width = "", shape.min_width
    top = rect.y() + (rect.height() - shape.height) // 2
    painter.drawPixmap(rect.x(), top, _pill(badge.state, words, QSize(width, shape.height), painter.font(), _ratio(painter)))
    return width


def _ratio(painter: QPainter) -> float:
    return painter.device().devicePixelRatio()


def _pill(state: str, words: str, size: QSize, font: QFont, ratio: float) -> QPixmap:
    """Painted once, and kept by Qt as long as there is room: a table shows the same few again and again."""
    key = f"badge:{state}:{words}:{size.width()}x{size.height()}:{font.key()}:{theme().name}:{ratio}"
    pixmap = QPixmap()
    if QPixmapCache.find(key, pixmap):
        return pixmap
    pixmap = QPixmap(QSize(math.ceil(size.width() * ratio), math.ceil(size.height() * ratio)))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setFont(font)
    shape, icon, token = _geometry(painter.fontMetrics()), STATES[state].icon, STATES[state].token
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme().tint(token))
    painter.drawRoundedRect(QRectF(0, 0, size.width(), size.height()), size.height() / 2, size.height() / 2)
    tint = color(token)
    draw_icon(painter, QRect(shape.pad, (shape.height - shape.icon) // 2, shape.icon, shape.icon), icon, tint)
    painter.setPen(tint)
    text = QRect(shape.pad + shape.icon + 4, 0, size.width() - shape.pad - shape.icon - 4, size.height())
    painter.drawText(text, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), words)
    painter.end()
    QPixmapCache.insert(key, pixmap)
    return pixmap


class BadgeDelegate(QStyledItemDelegate):
    """Paints the pills of `BADGE_ROLE` in a column of a table or tree."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        draw_item_background(self, painter, option, index)
        badges = badges_of(index.data(BADGE_ROLE))
        if not badges:
            return
        painter.save()
        painter.setFont(option.font)
        rest = option.rect.adjusted(_MARGIN_PX - 2, 0, -2, 0)
        for badge in badges:
            used = draw_badge(painter, rest, badge)
            rest.setLeft(rest.left() + used + _GAP_PX)
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        metrics = QFontMetrics(option.font)
        badges = badges_of(index.data(BADGE_ROLE))
        width = sum(badge_width(metrics, badge) + _GAP_PX for badge in badges)
        return QSize(width + 2 * _MARGIN_PX, _geometry(metrics).height + 6)

    def helpEvent(self, event: QHelpEvent, view: QAbstractItemView, option: QStyleOptionViewItem, index: Index) -> bool:
        """The model's own tool tip, else details of the pills, else their words where they did not fit."""
        if event.type() != QEvent.Type.ToolTip or index.data(Qt.ItemDataRole.ToolTipRole):
            return super().helpEvent(event, view, option, index)
        badges = badges_of(index.data(BADGE_ROLE))
        lines = [badge.detail for badge in badges if badge.detail]
        if not lines and self.sizeHint(option, index).width() > option.rect.width():
            lines = [badge.words for badge in badges]
        show_plain_tip(event, view, "\n".join(lines))
        return bool(lines)


class BadgeLabel(QWidget):
    """The same pill as a widget of its own."""

    def __init__(self, badge: Badge | str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._badge: Badge | None = None
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.set_badge(badge or None)

    def set_badge(self, badge: Badge | str | None) -> None:
        """Show another state; None shows nothing and takes no room."""
        badges = badges_of(badge)
        self._badge = badges[0] if badges else None
        if self.parentWidget() is not None:  # shown alone it would become a window
            self.setVisible(self._badge is not None)
        self.setAccessibleName(self._badge.words if self._badge else "")
        self.setToolTip(plain_tip(self._badge.detail) if self._badge else "")
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        return QSize(badge_width(metrics, self._badge) if self._badge else 0, _geometry(metrics).height)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._badge is not None:
            painter = QPainter(self)
            draw_badge(painter, self.rect(), self._badge)
            painter.end()


_MARKED: Final = QStyle.StateFlag.State_Selected | QStyle.StateFlag.State_MouseOver | QStyle.StateFlag.State_HasFocus


def is_marked(option: QStyleOptionViewItem) -> bool:
    """Whether the style paints something under an item."""
    return bool(option.state & _MARKED)


def draw_item_background(delegate: QStyledItemDelegate, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
    """What the style paints under an item (selection, hover), with neither its text nor its icon.

    Zebra is the view's; no model of ours has a brush for an item.
    """
    if not is_marked(option):
        return
    bare = QStyleOptionViewItem(option)
    delegate.initStyleOption(bare, index)
    # The stub types the attributes of style options as read-only properties of the wrong kind; they are plain members.
    bare.text = ""
    bare.icon = QIcon()
    widget: QWidget | None = option.widget
    style: QStyle = widget.style() if widget is not None else QApplication.style()
    style.drawControl(QStyle.ControlElement.CE_ItemViewItem, bare, painter, widget)


def plain_tip(text: str) -> str:
    """Plant text for a tool tip: Qt would render it as HTML when it looks like some, so it is escaped."""
    if "<" not in text:
        return text
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\n", "<br>")
    return f"<span>{escaped}</span>"


def show_plain_tip(event: QHelpEvent, view: QAbstractItemView, text: str) -> None:
    """Show `text` as a tool tip of the item under the mouse, or hide one that is there."""
    if text:
        QToolTip.showText(event.globalPos(), plain_tip(text), view)
    else:
        QToolTip.hideText()


def set_badge(model: QAbstractItemModel, index: QModelIndex, badge: Badge | str) -> None:
    """Set a badge and its words on a model that stores what it is given (small fixed tables; live models answer `data` themselves)."""
    badges = badges_of(badge)
    model.setData(index, badge, BADGE_ROLE)
    model.setData(index, " ".join(entry.words for entry in badges), Qt.ItemDataRole.DisplayRole)
