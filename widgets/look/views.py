"""Tables and trees in the common dress."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QTableView, QTreeView, QWidget

from widgets.look.theme import row_px


def calm_table(view: QTableView, accessible_name: str) -> None:
    """Whole rows, no grid, zebra, pixel scrolling, movable columns, left-aligned header, rows as high as the system font wants."""
    _calm(view, accessible_name)
    view.setShowGrid(False)
    view.setWordWrap(False)
    view.setCornerButtonEnabled(False)
    view.setTabKeyNavigation(False)
    rows = view.verticalHeader()
    rows.hide()
    rows.setMinimumSectionSize(0)
    rows.setDefaultSectionSize(row_px())
    rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
    _calm_header(view.horizontalHeader())


def calm_tree(view: QTreeView, accessible_name: str) -> None:
    """The same for a tree; rows are of one height, which is what keeps large trees fast."""
    _calm(view, accessible_name)
    view.setUniformRowHeights(True)
    view.setIndentation(13)
    view.setAnimated(False)
    view.setAllColumnsShowFocus(True)
    _calm_header(view.header())


class ColumnFit(QObject):
    """Spreads the columns of a view over its width, by weight and not below a least width, until the person drags one.

    So that at 1366 pixels the last column is not somewhere to the right of the screen.
    """

    def __init__(self, view: QTableView | QTreeView, weights: Sequence[tuple[int, int]]) -> None:
        """``weights``: (weight, least width in average characters) of each column; a hidden column takes nothing."""
        super().__init__(view)
        self._view, self._weights = view, weights
        self._header = view.header() if isinstance(view, QTreeView) else view.horizontalHeader()
        self._own = self._free = False
        self._header.setStretchLastSection(False)
        self._header.sectionResized.connect(self._on_resized)
        view.viewport().installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self.fit()
        return False

    def fit(self) -> None:
        if self._free:
            return
        unit = self._view.fontMetrics().averageCharWidth()
        shown = [column for column in range(len(self._weights)) if not self._view.isColumnHidden(column)]
        least = {column: self._weights[column][1] * unit + 12 for column in shown}
        spare = max(0, self._view.viewport().width() - sum(least.values()))
        total = sum(self._weights[column][0] for column in shown) or 1
        self._own = True
        for column in shown:
            self._view.setColumnWidth(column, least[column] + spare * self._weights[column][0] // total)
        self._own = False

    def _on_resized(self) -> None:
        self._free = self._free or not self._own


def own_viewport(view: QAbstractItemView) -> None:
    """A viewport that Python has made. For the first of Qt's own that is asked for, PySide6 6.11 looks through every class of widgets."""
    viewport = QWidget()
    viewport.setBackgroundRole(QPalette.ColorRole.Base)
    viewport.setAutoFillBackground(True)
    view.setViewport(viewport)


def _calm(view: QAbstractItemView, accessible_name: str) -> None:
    own_viewport(view)
    view.setAccessibleName(accessible_name)
    view.setFrameShape(QFrame.Shape.NoFrame)
    view.setAlternatingRowColors(True)
    view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
    view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    view.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)


def _calm_header(header: QHeaderView) -> None:
    header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    header.setHighlightSections(False)
    header.setSectionsMovable(True)
    header.setStretchLastSection(True)
    header.setMinimumSectionSize(32)
