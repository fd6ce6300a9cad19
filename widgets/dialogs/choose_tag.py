"""Choose a tag by a few letters: the menu twin of dragging a tag onto an attribute."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QDialog, QDialogButtonBox, QTableView, QVBoxLayout, QWidget

from widgets.look import SearchField, ValueDelegate, calm_table
from widgets.models.tag_table import NAME, UNIT, VALUE, TagTableModel
from widgets.workbench import Workbench


class ChooseTagDialog(QDialog):
    """Lists the project's tags; Enter or a double click chooses."""

    def __init__(self, workbench: Workbench, what: str, on_chosen: Callable[[str], object], parent: QWidget | None) -> None:
        super().__init__(parent)
        self._on_chosen = on_chosen
        self.setWindowTitle(f"Map {what} to a tag")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(620, 460)
        self.model = TagTableModel(workbench)
        self.search = SearchField("Filter tags…", "filter")
        self.view = QTableView()
        calm_table(self.view, "Tags")
        self.view.setModel(self.model)
        self.view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.view.setItemDelegateForColumn(VALUE, ValueDelegate(self.view))
        for column in range(self.model.columnCount()):
            self.view.setColumnHidden(column, column not in (NAME, VALUE, UNIT, 9))
        self.view.setColumnWidth(NAME, 220)
        self.model.set_visible(0, 200)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.choose = buttons.addButton("Map", QDialogButtonBox.ButtonRole.AcceptRole)
        layout = QVBoxLayout(self)
        layout.addWidget(self.search)
        layout.addWidget(self.view, 1)
        layout.addWidget(buttons)
        self.search.query.connect(self.model.filter)
        self.view.doubleClicked.connect(lambda _: self._go())
        buttons.accepted.connect(self._go)
        buttons.rejected.connect(self.reject)

    def _go(self) -> None:
        rows = self.view.selectionModel().selectedRows()
        row = rows[0].row() if rows else (0 if self.model.rowCount() == 1 else -1)
        if row >= 0:
            tag = self.model.tags[row]
            self.accept()
            self._on_chosen(tag)


def show_choose_tag(parent: QWidget | None, workbench: Workbench, what: str, on_chosen: Callable[[str], object]) -> ChooseTagDialog:
    dialog = ChooseTagDialog(workbench, what, on_chosen, parent)
    dialog.open()
    dialog.search.setFocus()
    return dialog
