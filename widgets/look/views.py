"""Tables and trees in the common dress."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QTableView, QTreeView

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


def _calm(view: QAbstractItemView, accessible_name: str) -> None:
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
