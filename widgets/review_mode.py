"""Review: what is approved, what changed since, what nobody has looked at."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PySide6.QtCore import QItemSelection, QItemSelectionModel, QPoint, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QShowEvent
from PySide6.QtWidgets import QFileDialog, QMenu, QStackedWidget, QTableView, QVBoxLayout, QWidget

from app.edits import Edit
from app.projectfile.durable import replace_file
from app.review.page import render_page
from widgets.cell_editors import PathDelegate
from widgets.dialogs import revoke_edit, show_approve, show_comment
from widgets.files import ask_for_file
from widgets.keys import on_key
from widgets.look import BadgeDelegate, Card, ChipBar, EmptyState, SearchField, button, calm_table, icon
from widgets.models.review_table import COLUMNS, FILTERS, STATE, ReviewRow, ReviewTableModel
from widgets.review_states import states_of
from widgets.review_strip import ReviewStrip
from widgets.workbench import Workbench

REBUILD_MS: Final = 50
"""Several edits in a row (undo held down) become one rebuild."""


class ReviewMode(QWidget):
    """Rebuilt after edits, while visible; else when it is shown again."""

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self._workbench = workbench
        self._states = states_of(workbench)
        self.model = ReviewTableModel(workbench, self._states)
        self._keeping = False
        self._build()
        self._connect()
        self._on_rows_changed()

    def _build(self) -> None:
        self.view = QTableView()
        calm_table(self.view, "Mappings and deliveries to review")
        self.view.setModel(self.model)
        self.view.setSortingEnabled(True)
        self.view.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.view.horizontalHeader().setSortIndicatorClearable(True)
        self.view.setItemDelegateForColumn(STATE, BadgeDelegate(self.view))
        self.view.setItemDelegateForColumn(0, PathDelegate(self.view))
        self.view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        width = self.view.fontMetrics().averageCharWidth()
        for number, column in enumerate(COLUMNS):
            self.view.setColumnWidth(number, column.width * width + 16)
        self.chips = ChipBar(FILTERS)
        self.search = SearchField("Filter…", "filter")
        self.page = button("Review page…", "export", tip="One HTML file that opens in any browser, without this program")
        self.approve = button("Approve…", "approve", kind="primary")
        self.search.setMaximumWidth(260)
        self.chips.add_right(self.search)
        self._empty = EmptyState("review", "Nothing to review yet", "Mappings appear here as soon as attributes are fed by tags.")
        self._empty.add_button("Go to Map", "map").clicked.connect(lambda: self._workbench.mode_asked.emit("map"))
        self._nothing = EmptyState("filter", "Nothing matches", "Choose All to see everything that is reviewed.")
        self._pages = QStackedWidget()
        for page in (self.view, self._empty, self._nothing):
            self._pages.addWidget(page)
        self.strip = ReviewStrip(self._workbench)
        card = Card("Mappings and deliveries", self._pages)
        card.add_right(self.page)
        card.add_right(self.approve)
        card.body.insertWidget(1, self.chips)
        card.add(self.strip)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(card)

    def _connect(self) -> None:
        workbench = self._workbench
        self._rebuild = QTimer(self, singleShot=True, interval=REBUILD_MS)
        self._rebuild.timeout.connect(self._on_rebuild)
        self.chips.chosen.connect(lambda key: self.model.show_only(key, self.search.text().strip()))
        self.search.query.connect(lambda text: self.model.show_only(self.chips.current, text))
        self.approve.clicked.connect(self.approve_selected)
        self.page.clicked.connect(self.write_page)
        self.strip.comment_asked.connect(self.comment_on_selected)
        self.strip.revoke_asked.connect(self.revoke_selected)
        self.model.rows_changed.connect(self._on_rows_changed)
        self.view.selectionModel().selectionChanged.connect(lambda *_: self._on_selected())
        self.view.customContextMenuRequested.connect(self._on_menu)
        workbench.edited.connect(self._on_edited)
        workbench.project_replaced.connect(self._on_project_replaced)
        self._states.changed.connect(self._rebuild.start)
        for keys, slot in (("Ctrl+C", self._copy), ("Ctrl+F", self.search.setFocus), ("Return", self.approve_selected)):
            on_key(self.view, keys, slot)

    # Rows

    def _on_edited(self, edit: Edit) -> None:
        self.model.forget(edit)
        self._rebuild.start()

    def _on_project_replaced(self) -> None:
        self.model.forget(None)
        self._on_rebuild()

    def _on_rebuild(self) -> None:
        """With the same rows selected, as far as they are still shown."""
        if not self.isVisible():
            return
        kept = [row.id for row in self.selected()]
        self._keeping = True
        self.model.rebuild()
        selection = QItemSelection()
        for number, row in enumerate(self.model.rows):
            if row.id in kept:
                selection.select(self.model.index(number, 0), self.model.index(number, len(COLUMNS) - 1))
        self.view.selectionModel().select(selection, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        self._keeping = False
        self._refresh_strip()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._rebuild.start()

    def _on_rows_changed(self) -> None:
        counts = self.model.counts()
        for key, count in counts.items():
            self.chips.set_count(key, count)
        self._pages.setCurrentIndex(0 if self.model.rows else 2 if counts["all"] else 1)
        self._refresh_strip()

    # Selection

    def selected(self) -> list[ReviewRow]:
        """In the order shown."""
        rows = sorted(index.row() for index in self.view.selectionModel().selectedRows())
        return [self.model.rows[row] for row in rows if row < len(self.model.rows)]

    def _on_selected(self) -> None:
        if self._keeping:
            return
        rows = self.selected()
        if targets := [row.target for row in rows if row.target]:
            self._workbench.select("attribute", targets)
        self._refresh_strip()

    def _refresh_strip(self) -> None:
        rows = self.selected()
        one = rows[0] if len(rows) == 1 else None
        self.strip.show_row(one, self._states.state(one.id) if one else "never reviewed")
        waiting = [row for row in rows if self._states.state(row.id) != "approved"]
        self.approve.setText(f"Approve {len(waiting)}…" if len(waiting) > 1 else "Approve…")
        self.approve.setEnabled(bool(waiting))

    # Actions

    def approve_selected(self) -> None:
        rows = self.selected()
        if rows:
            show_approve(self.window(), self._workbench, [row.id for row in rows], [row.words for row in rows])

    def revoke_selected(self) -> None:
        ids = [row.id for row in self.selected()]
        self._workbench.attempt(lambda: revoke_edit(self._workbench.project, ids))

    def comment_on_selected(self) -> None:
        rows = self.selected()
        if len(rows) == 1:
            show_comment(self.window(), self._workbench, rows[0].id, rows[0].words)

    def write_page(self) -> QFileDialog:
        """Ask for a file, and write the page there."""
        return write_page(self, self._workbench)

    def _copy(self) -> None:
        rows = sorted(index.row() for index in self.view.selectionModel().selectedRows())
        if rows:
            QGuiApplication.clipboard().setText(self.model.text(rows))

    def _on_menu(self, at: QPoint) -> None:
        rows = self.selected()
        if not rows:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        approve = menu.addAction(icon("approve"), "Approve…\tReturn")
        approve.setEnabled(self.approve.isEnabled())
        approve.triggered.connect(self.approve_selected)
        revoke = menu.addAction("Revoke approval")
        revoke.setEnabled(any(self._workbench.project.approvals_about(row.id) for row in rows))
        revoke.triggered.connect(self.revoke_selected)
        comment = menu.addAction(icon("comment"), "Comment…")
        comment.setEnabled(len(rows) == 1)
        comment.triggered.connect(self.comment_on_selected)
        menu.addSeparator()
        menu.addAction(icon("map"), "Show in Map").triggered.connect(lambda: self._workbench.mode_asked.emit("map"))
        menu.addAction(icon("copy"), "Copy rows\tCtrl+C").triggered.connect(self._copy)
        menu.popup(self.view.viewport().mapToGlobal(at))


def write_page(parent: QWidget, workbench: Workbench) -> QFileDialog:
    """One self-contained HTML page of the project, into a file that is asked for."""

    def write(path: Path) -> None:
        replace_file(path, render_page(workbench.project, workbench.path.name if workbench.path else ""))
        workbench.said.emit(f"Review page written to {path}")

    name = f"{workbench.project.info.name or 'project'}-review.html"
    return ask_for_file(parent, workbench, "Write review page", "HTML page (*.html)", write, save_as=name)
