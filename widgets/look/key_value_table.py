"""The grid of the details panel: what a thing is called at the left, what it is at the right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
from PySide6.QtCore import QPoint, QPointF, QRect, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QGuiApplication, QKeyEvent, QKeySequence, QPainter, QResizeEvent, QTextLayout, QTextOption
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHeaderView,
    QMenu,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from widgets.look.badges import Badge, Index, badge_width, badges_of, draw_badge, draw_item_background, plain_tip
from widgets.look.icons import icon
from widgets.look.theme import color, mono_font, value_font

_ROW_ROLE: Final = Qt.ItemDataRole.UserRole + 0x110
_MARGIN_PX: Final = 8
_HALF_GAP_PX: Final = 4


class KeyValue(msgspec.Struct, frozen=True):
    """One row.

    Attributes:
        key: What the value is called.
        value: Plain text; wraps, breaks inside long addresses.
        tip: On hover, for instance the status in hex.
        badge: Painted as a pill instead of the value, which is still what is copied.
        mono: Fixed pitch, for bytes.
        heading: A bold key without a value, above the rows that belong to it.
        wide: Key and value on one line over both columns, a long value cut in the middle; it is whole on hover and when copied.
    """

    key: str
    value: str = ""
    tip: str = ""
    badge: Badge | str | None = None
    mono: bool = False
    heading: bool = False
    wide: bool = False


class KeyValueTable(QTableWidget):
    """Rows of key and value, to be read, selected and copied, never edited.

    `set_rows` may be called at every refresh: what did not change is not touched, so a selection stays.

    Args:
        fit: As high as its rows, without a scroll bar of its own (inside a scrolling panel).
    """

    def __init__(self, parent: QWidget | None = None, *, fit: bool = False) -> None:
        super().__init__(0, 2, parent)
        self._rows: tuple[KeyValue, ...] = ()
        self._fit = fit
        self.setAccessibleName("Details")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setWordWrap(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTabKeyNavigation(False)
        self.horizontalHeader().hide()
        self.verticalHeader().hide()
        self.verticalHeader().setMinimumSectionSize(0)
        self.horizontalHeader().setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        self.setItemDelegate(_KeyValueDelegate(self))
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._on_menu_requested)
        self.horizontalHeader().sectionResized.connect(self._on_section_resized)
        if fit:
            self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def set_rows(self, rows: Sequence[KeyValue | tuple[str, str]]) -> None:
        """Show these rows."""
        new = tuple(row if isinstance(row, KeyValue) else KeyValue(*row) for row in rows)
        if new == self._rows:
            return
        old, self._rows = self._rows, new
        self.setRowCount(len(new))
        for at, row in enumerate(new):
            before = old[at] if at < len(old) else None
            if row == before:
                continue
            self._write(at, row)
            if before is None or (before.value, before.heading) != (row.value, row.heading):
                self.resizeRowToContents(at)
        if [row.heading or row.wide for row in new] != [row.heading or row.wide for row in old]:
            self._set_spans()
        if [row.key for row in new] != [row.key for row in old]:
            self._set_key_width()
            self.resizeRowsToContents()
        if self._fit:
            self._set_fitting_height()

    def rows(self) -> tuple[KeyValue, ...]:
        """What is shown."""
        return self._rows

    def value(self, key: str) -> str:
        """The value beside the first such key, "" without one."""
        return next((row.value for row in self._rows if row.key == key and not row.heading), "")

    def selected_text(self) -> str:
        """The selected rows as tab-separated lines, ready for a spreadsheet; the value alone where one row is selected."""
        chosen = [self._rows[at] for at in sorted({index.row() for index in self.selectedIndexes()})]
        if len(chosen) == 1:
            return chosen[0].value
        return "\n".join(f"{row.key}\t{row.value}" for row in chosen)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            QGuiApplication.clipboard().setText(self.selected_text())
            return
        super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._set_key_width()
            self.resizeRowsToContents()
            if self._fit:
                self._set_fitting_height()

    def _on_section_resized(self, section: int, before: int, after: int) -> None:
        """The value column is stretched after the table's own resize event: only now is it known how its texts wrap."""
        if section == 1 and before != after:
            self.resizeRowsToContents()
            if self._fit:
                self._set_fitting_height()

    def _write(self, at: int, row: KeyValue) -> None:
        key, value = self.item(at, 0), self.item(at, 1)
        if key is None or value is None:
            key, value = QTableWidgetItem(), QTableWidgetItem()
            self.setItem(at, 0, key)
            self.setItem(at, 1, value)
        for item, text in ((key, row.key), (value, row.value)):
            item.setText(text)
            item.setData(_ROW_ROLE, row)
        tip = plain_tip(row.tip or (row.value if row.wide else ""))
        value.setToolTip(tip)
        if row.wide:
            key.setToolTip(tip)

    def _set_spans(self) -> None:
        self.clearSpans()
        for at, row in enumerate(self._rows):
            if row.heading or row.wide:
                self.setSpan(at, 0, 1, 2)

    def _set_key_width(self) -> None:
        metrics = QFontMetrics(self.font())
        wanted = max((metrics.horizontalAdvance(row.key) for row in self._rows if not row.heading and not row.wide), default=0)
        self.setColumnWidth(0, min(wanted + _MARGIN_PX + 2 * _HALF_GAP_PX, max(80, self.viewport().width() * 45 // 100)))

    def _set_fitting_height(self) -> None:
        self.setFixedHeight(self.verticalHeader().length() + 2)

    def _on_menu_requested(self, at: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        index = self.indexAt(at)
        clipboard = QGuiApplication.clipboard()
        if index.isValid():
            row = self._rows[index.row()]
            one = menu.addAction(icon("copy"), "Copy value")
            one.triggered.connect(lambda: clipboard.setText(row.value))
        selected = menu.addAction("Copy selected rows")
        selected.setEnabled(self.selectionModel().hasSelection())
        selected.triggered.connect(lambda: clipboard.setText(self.selected_text()))
        everything = menu.addAction("Copy all")
        text = "\n".join(f"{row.key}\t{row.value}" for row in self._rows)
        everything.triggered.connect(lambda: clipboard.setText(text))
        menu.popup(self.viewport().mapToGlobal(at))


class _KeyValueDelegate(QStyledItemDelegate):
    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        draw_item_background(self, painter, option, index)
        row = index.data(_ROW_ROLE)
        if not isinstance(row, KeyValue):
            return
        painter.save()
        inside = _inside(option.rect, index.column())
        badges = badges_of(row.badge) if index.column() == 1 else []
        if badges:
            painter.setFont(option.font)
            draw_badge(painter, inside, badges[0])
        else:
            painter.setPen(color("text" if index.column() == 1 or row.heading else "dim"))
            text = row.value if index.column() == 1 else row.key
            font = _font(option.font, row, index.column())
            if row.wide:
                beside = _beside_or_below(row, font, inside)
                _draw_on_one_line(painter, beside, row.value, _font(option.font, row, 1))
                painter.setPen(color("dim"))
            _laid_out(text, font, inside.width()).draw(painter, QPointF(inside.topLeft() + QPoint(0, _HALF_GAP_PX)))
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        row = index.data(_ROW_ROLE)
        if not isinstance(row, KeyValue):
            return QSize(0, 0)
        view = option.widget
        width = option.rect.width()
        if isinstance(view, QTableWidget):  # the stretched column itself follows the key column an event later
            width = view.columnWidth(0) if index.column() == 0 else view.viewport().width() - view.columnWidth(0)
        text = row.value if index.column() == 1 else row.key
        if (row.heading or row.wide) and isinstance(view, QTableWidget):
            width = view.viewport().width()
        if row.wide:
            text = row.key
        elif index.column() == 1 and badges_of(row.badge):
            text = " "  # the badge stands for the words
        inside = width - _MARGIN_PX - _HALF_GAP_PX
        font = _font(option.font, row, 0 if row.wide else index.column())
        height = round(_laid_out(text, font, inside).boundingRect().height()) + 2 * _HALF_GAP_PX
        if row.wide and _goes_below(row, font, inside):
            height += QFontMetrics(font).height()
        if row.badge is not None and index.column() == 1:
            badges = badges_of(row.badge)
            width = max((badge_width(QFontMetrics(option.font), badge) for badge in badges), default=0)
        return QSize(width, height + (_HALF_GAP_PX if row.heading else 0))


def _goes_below(row: KeyValue, font: QFont, width: int) -> bool:
    """Whether a wide row needs a second line: its key leaves the value less than half of the width, and that is too little."""
    metrics = QFontMetrics(font)
    left = metrics.horizontalAdvance(f"{row.key}   ")
    return left > width // 2 and left + metrics.horizontalAdvance(row.value) > width


def _beside_or_below(row: KeyValue, font: QFont, inside: QRect) -> QRect:
    """Where the value of a wide row is written."""
    if _goes_below(row, font, inside.width()):
        under = round(_laid_out(row.key, font, inside.width()).boundingRect().height())
        return inside.adjusted(2 * _MARGIN_PX, under, 0, 0)
    return inside.adjusted(QFontMetrics(font).horizontalAdvance(f"{row.key}   "), 0, _HALF_GAP_PX - _MARGIN_PX, 0)


def _draw_on_one_line(painter: QPainter, box: QRect, text: str, font: QFont) -> None:
    painter.setPen(color("text"))
    shown = QFontMetrics(font).elidedText(text, Qt.TextElideMode.ElideMiddle, box.width())
    _laid_out(shown, font, max(box.width(), 1)).draw(painter, QPointF(box.topLeft() + QPoint(0, _HALF_GAP_PX)))


def _inside(rect: QRect, column: int) -> QRect:
    return rect.adjusted(_MARGIN_PX if column == 0 else _HALF_GAP_PX, 0, -_HALF_GAP_PX if column == 0 else -_MARGIN_PX, 0)


def _font(base: QFont, row: KeyValue, column: int) -> QFont:
    if row.heading:
        bold = QFont(base)
        bold.setWeight(QFont.Weight.DemiBold)
        return bold
    if column == 0:
        return base
    return mono_font(base) if row.mono else value_font(base)


def _laid_out(text: str, font: QFont, width: int) -> QTextLayout:
    """Lines of `text`, broken between words, and inside one only where it has to be: an address must be readable to its end."""
    layout = QTextLayout(text.replace("\n", "\u2028"), font)
    option = QTextOption()
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    layout.setTextOption(option)
    layout.beginLayout()
    top = 0.0
    while True:
        line = layout.createLine()
        if not line.isValid():
            break
        line.setLineWidth(max(1, width))
        line.setPosition(QPointF(0, top))
        top += line.height()
    layout.endLayout()
    return layout
