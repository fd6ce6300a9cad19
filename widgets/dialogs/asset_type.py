"""Make or change an asset type: a form, a table of attributes, its components. OK is one edit, or none."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QAbstractItemDelegate,
    QAbstractItemView,
    QComboBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QTableView,
    QTableWidget,
    QTableWidgetItem,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from app.edits import Edit
from app.errors import UserError
from app.itmodels import formats
from app.itmodels.base import edit_from_model
from app.itmodels.typed_in import TypedComponent, TypedType, edit_of_type
from app.model.itmodel import AssetType
from app.model.resolve import lineage
from widgets.cell_editors import ChoiceDelegate, UnitDelegate
from widgets.dialogs.edit_dialog import EditDialog
from widgets.fields import TYPE_WORDS
from widgets.files import ask_for_file
from widgets.keys import on_key
from widgets.look import button, calm_table, label
from widgets.models.attribute_drafts import NAME, TYPE, UNIT, AttributeDraft, AttributeDraftsModel, inherited, own
from widgets.workbench import Workbench

_CHARS: Final = (26, 11, 10, 9, 9, 11, 26, 26)
_ID: Final = Qt.ItemDataRole.UserRole


class AssetTypeDialog(EditDialog):
    """Nothing of the project changes before OK."""

    def __init__(self, workbench: Workbench, asset_type: AssetType | None, parent: QWidget | None = None) -> None:
        super().__init__(workbench, "Asset type" if asset_type else "New asset type", "OK" if asset_type else "Make asset type", parent)
        self.asset_type = asset_type
        self.resize(1060, 640)
        self.model = AttributeDraftsModel(own(workbench.project, asset_type.id if asset_type else ""))
        self._build_head()
        self._tabs = QTabWidget()
        self._tabs.addTab(self._build_attributes(), "Attributes")
        self._tabs.addTab(self._build_components(), "Components")
        self.body.addWidget(self._tabs, 1)
        self.extends.currentIndexChanged.connect(lambda _: self._on_extends_changed())
        self.model.edited.connect(self._refresh_titles)
        self._on_extends_changed()
        if asset_type is None:
            self.model.add([AttributeDraft()])
        self.name.setFocus()

    # Building

    def _build_head(self) -> None:
        held = self.asset_type
        self.name = QLineEdit(held.name if held else "", placeholderText="Filler")
        self.title = QLineEdit(held.title if held else "", placeholderText="as people say it, for example Rotary filler")
        self.version = QLineEdit(held.version if held else "", placeholderText="1")
        self.description = QLineEdit(held.description if held else "")
        self.extends = QComboBox()
        self.extends.addItem("nothing", "")
        for type_ in self._other_types():
            self.extends.addItem(type_.name, type_.id)
        self.extends.setCurrentIndex(max(0, self.extends.findData(held.extends if held else "")))
        rows = (("Name", self.name), ("Title", self.title), ("Version", self.version), ("Extends", self.extends))
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        for number, (words, widget) in enumerate(rows):
            widget.setAccessibleName(words)
            grid.addWidget(label(words), number // 2, number % 2 * 2)
            grid.addWidget(widget, number // 2, number % 2 * 2 + 1)
        self.description.setAccessibleName("Description")
        grid.addWidget(label("Description"), 2, 0)
        grid.addWidget(self.description, 2, 1, 1, 3)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(3, 1)
        self.body.addLayout(grid)

    def _other_types(self) -> list[AssetType]:
        """Types that this one could extend or contain; those that inherit from it are left out."""
        project, held = self.workbench.project, self.asset_type
        types = [type_ for type_ in project.all(AssetType).values() if held is None or held not in lineage(project, type_.id)]
        return sorted(types, key=lambda type_: type_.name.casefold())

    def _build_attributes(self) -> QWidget:
        self.view = QTableView()
        calm_table(self.view, "Attributes")
        self.view.setModel(self.model)
        self.view.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.AnyKeyPressed
            | QAbstractItemView.EditTrigger.EditKeyPressed
        )
        self.view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectItems)
        self.view.setTabKeyNavigation(True)
        self.view.setItemDelegateForColumn(TYPE, ChoiceDelegate(lambda: [(word, word) for word in TYPE_WORDS], self.view))
        self.view.setItemDelegateForColumn(UNIT, UnitDelegate(self.view))
        chars = self.view.fontMetrics().averageCharWidth()
        for column, width in enumerate(_CHARS):
            self.view.setColumnWidth(column, width * chars + 16)
        add = button("Add attribute", "add")
        paste = button("Paste rows", "paste", tip="Rows of a spreadsheet: " + "name, type, unit, low, high, required, states, description")
        self.remove = button("Remove", "remove", kind="flat")
        hint = label("States are written 0=CLOSED|1=OPEN", "dim")
        add.clicked.connect(self.add_attribute)
        paste.clicked.connect(self.paste)
        self.remove.clicked.connect(self.remove_attributes)
        for keys, slot in (("Ctrl+V", self.paste), ("Del", self._clear_cells), ("Ctrl+Del", self.remove_attributes)):
            on_key(self.view, keys, slot)
        return _page(self.view, [add, paste, self.remove], hint)

    def _build_components(self) -> QWidget:
        self.parts = QTableWidget(0, 3)
        calm_table(self.parts, "Components")
        self.parts.setHorizontalHeaderLabels(["Component", "Asset type", "Description"])
        self.parts.setEditTriggers(self.view.editTriggers())
        self.parts.setItemDelegateForColumn(1, ChoiceDelegate(self._type_choices, self.parts))
        for column, width in enumerate((200, 200)):
            self.parts.setColumnWidth(column, width)
        project = self.workbench.project
        for part in project.components_of(self.asset_type.id) if self.asset_type else []:
            self._add_part(part.name, part.type, part.description, part.id)
        add = button("Add component", "add")
        remove = button("Remove", "remove", kind="flat")
        add.clicked.connect(self.add_component)
        remove.clicked.connect(self.remove_components)
        return _page(self.parts, [add, remove], label("A component is a part that is itself of an asset type: motor, of type Motor", "dim"))

    def _type_choices(self) -> list[tuple[str, str]]:
        return [(type_.name, type_.name) for type_ in self._other_types()]

    # Attributes

    def _on_extends_changed(self) -> None:
        self.model.set_inherited(inherited(self.workbench.project, str(self.extends.currentData() or "")))
        self._refresh_titles()

    def _refresh_titles(self) -> None:
        above = len(self.model.shown_inherited())
        more = f" + {above} inherited" if above else ""
        self._tabs.setTabText(0, f"Attributes  {len(self.model.rows)}{more}")
        self._tabs.setTabText(1, f"Components  {self.parts.rowCount()}")

    def add_attribute(self) -> None:
        row = self.model.add([AttributeDraft()])
        self.view.selectionModel().setCurrentIndex(self.model.index(row, NAME), QItemSelectionModel.SelectionFlag.ClearAndSelect)
        self.view.scrollTo(self.model.index(row, NAME))
        self.view.setFocus()
        self.view.edit(self.model.index(row, NAME))

    def paste(self) -> None:
        """From the selected cell on; without one, and on inherited rows, below the own ones."""
        text = QGuiApplication.clipboard().text()
        if not text.strip():
            return
        current = self.view.currentIndex()
        inside = current.isValid() and current.row() < len(self.model.rows)
        blank = len(self.model.rows) == 1 and not any(self.model.rows[0].cells.values())
        row = current.row() if inside else 0 if blank else len(self.model.rows)
        self.model.paste(text, row, current.column() if inside else NAME)

    def remove_attributes(self) -> None:
        self.model.remove([index.row() for index in self.view.selectionModel().selectedIndexes()])

    def _clear_cells(self) -> None:
        for index in self.view.selectionModel().selectedIndexes():
            if self.model.flags(index) & Qt.ItemFlag.ItemIsEditable:
                self.model.setData(index, "")

    # Components

    def add_component(self) -> None:
        row = self._add_part("", "", "", "")
        self.parts.setCurrentCell(row, 0)
        self.parts.edit(self.parts.model().index(row, 0))
        self._refresh_titles()

    def _add_part(self, name: str, type_: str, description: str, id_: str) -> int:
        row = self.parts.rowCount()
        self.parts.insertRow(row)
        found = self.workbench.project.get(AssetType, type_)
        for column, text in enumerate((name, found.name if found else "", description)):
            item = QTableWidgetItem(text)
            item.setData(_ID, id_)
            self.parts.setItem(row, column, item)
        return row

    def remove_components(self) -> None:
        for row in sorted({index.row() for index in self.parts.selectionModel().selectedIndexes()}, reverse=True):
            self.parts.removeRow(row)
        self._refresh_titles()

    def _typed_components(self) -> list[TypedComponent]:
        ids = {type_.name: type_.id for type_ in self.workbench.project.all(AssetType).values()}
        found = []
        for row in range(self.parts.rowCount()):
            cells = [self.parts.model().index(row, column) for column in range(3)]
            name, type_, description = (str(cell.data() or "") for cell in cells)
            found.append(TypedComponent(name, ids.get(type_, ""), description, str(cells[0].data(_ID) or "")))
        return found

    # The edit

    def make_edit(self) -> Edit:
        self._finish_editing()
        typed = TypedType(
            name=self.name.text(),
            title=self.title.text(),
            version=self.version.text(),
            extends=str(self.extends.currentData() or ""),
            description=self.description.text(),
            attributes=self.model.typed(),
            components=self._typed_components(),
        )
        return edit_of_type(self.workbench.project, self.asset_type.id if self.asset_type else "", typed)

    def _finish_editing(self) -> None:
        """A cell that is still being typed into counts."""
        for view in (self.view, self.parts):
            editor = view.indexWidget(view.currentIndex())
            if editor is not None:
                view.commitData(editor)
                view.closeEditor(editor, QAbstractItemDelegate.EndEditHint.NoHint)


def _page(view: QAbstractItemView, buttons: list[QWidget], hint: QWidget) -> QWidget:
    page = QWidget()
    bar = QHBoxLayout()
    for widget in buttons:
        bar.addWidget(widget)
    bar.addStretch(1)
    bar.addWidget(hint)
    column = QVBoxLayout(page)
    column.setContentsMargins(0, 8, 0, 0)
    column.addWidget(view, 1)
    column.addLayout(bar)
    return page


def show_asset_type(parent: QWidget | None, workbench: Workbench, asset_type_id: str = "") -> AssetTypeDialog | None:
    """Open the dialog on an asset type, or with "" on a new one; None when there is no such type (any more)."""
    held = workbench.project.get(AssetType, asset_type_id)
    if asset_type_id and held is None:
        return None
    dialog = AssetTypeDialog(workbench, held, parent)
    dialog.open()
    return dialog


def import_asset_types(parent: QWidget, workbench: Workbench) -> QFileDialog:
    """Choose a file of any known model format; its types come in as one edit, and what was lost on the way is shown."""
    found = formats().values()
    every = " ".join(f"*{suffix}" for format_ in found for suffix in format_.suffixes)
    filters = [f"Asset types ({every})"]
    filters += [f"{format_.title} ({' '.join(f'*{suffix}' for suffix in format_.suffixes)})" for format_ in found]

    def read(path: Path) -> None:
        import_file(workbench, path)

    return ask_for_file(parent, workbench, "Import asset types", ";;".join(filters), read)


def import_file(workbench: Workbench, path: Path) -> None:
    """Read one file by its suffix.

    Raises:
        UserError: No format has this suffix, or the file is not what its suffix says; nothing is done.
        OSError: The file cannot be read.
    """
    fitting = [format_ for format_ in formats().values() if path.name.lower().endswith(format_.suffixes)]
    if not fitting:
        known = ", ".join(suffix for format_ in formats().values() for suffix in format_.suffixes)
        raise UserError("Nothing was imported", where=str(path), why="no model format has this suffix", fix=f"Files are known by: {known}")
    model = fitting[0].read(path.read_bytes(), path.name)
    workbench.do(edit_from_model(workbench.project, model, path.name))
    types = len(model.types)
    workbench.said.emit(f"{types} asset type{'' if types == 1 else 's'} imported from {path.name}")
    if model.losses:
        shown = "\n".join(model.losses[:8]) + (f"\nand {len(model.losses) - 8} more" if len(model.losses) > 8 else "")
        what = f"Imported, but {len(model.losses)} thing{'' if len(model.losses) == 1 else 's'} could not be carried over"
        workbench.failed.emit(UserError(what, where=path.name, why=shown, fix="Look at these attributes"))
