"""Import a list of tags: every row is shown as it was understood, bad rows with their reason; the good rows go in."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QFormLayout, QTableView, QVBoxLayout, QWidget

from app.drivers import spec_for
from app.errors import UserError
from app.mapping.transform import symbol
from app.model.plant import Group
from app.taglists import formats
from app.taglists.base import Context, TagList, TagRow, edit_from_rows
from widgets.files import ask_for_file
from widgets.look import BADGE_ROLE, Badge, BadgeDelegate, MessageBar, calm_table, color, label, set_kind
from widgets.node_tags import with_namespaces
from widgets.workbench import Workbench

Index = QModelIndex | QPersistentModelIndex
_ROOT: Final = QModelIndex()
COLUMNS: Final = ("Line", "Result", "Name", "Address", "Type", "Unit", "What is wrong")
NOTATIONS: Final = (("as written: 3/holding:100", ""), ("Modicon 40001", "modicon"), ("one-based", "one-based"), ("hex", "hex"))


class RowsModel(QAbstractTableModel):
    """The rows of a list, each usable or not."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: tuple[TagRow, ...] = ()

    def set_rows(self, rows: tuple[TagRow, ...]) -> None:
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def rowCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row, column = self.rows[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._cells(row)[column]
        if role == BADGE_ROLE and column == 1:
            return Badge("error", "bad row") if row.tag is None else Badge("warning", "look") if row.marks else Badge("good", "good")
        if role == Qt.ItemDataRole.ToolTipRole and column == 6:
            return self._cells(row)[6] or None
        if role == Qt.ItemDataRole.ForegroundRole and column in (0, 6):
            return color("dim") if row.tag is not None else color("bad") if column == 6 else color("dim")
        return None

    def _cells(self, row: TagRow) -> tuple[str, ...]:
        why = "; ".join((*(problem.why for problem in row.problems), *row.marks))
        if row.tag is None:
            written = dict(row.cells)
            return (
                str(row.line),
                "bad row",
                written.get("name", ""),
                written.get("address", ""),
                written.get("type", ""),
                written.get("unit", ""),
                why,
            )
        return (str(row.line), "look" if row.marks else "good", row.tag.name, row.tag.address, row.tag.type, symbol(row.tag.unit), why)


class ImportTagsDialog(QDialog):
    """Reads the same bytes again whenever endpoint or notation changes, so that what is shown is what would go in."""

    def __init__(self, workbench: Workbench, data: bytes, source: str, parent: QWidget | None) -> None:
        super().__init__(parent)
        self._workbench, self._data, self._source = workbench, data, source
        self.setWindowTitle(f"Import tags from {source}")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(1080, 560)
        self._build()
        self._read()

    def _build(self) -> None:
        self.endpoint = QComboBox()
        self.endpoint.setAccessibleName("Endpoint")
        for endpoint in sorted(self._workbench.endpoints().values(), key=lambda endpoint: endpoint.name.casefold()):
            self.endpoint.addItem(endpoint.name, endpoint.id)
        chosen = self.endpoint.findData(self._workbench.selection.endpoint)
        self.endpoint.setCurrentIndex(max(chosen, 0))
        self.group = QComboBox()
        self.group.setAccessibleName("Group")
        self.group.addItem("no group, 1000 ms", "")
        for group in self._workbench.project.all(Group).values():
            self.group.addItem(f"{group.name}, {group.interval_ms} ms", group.id)
        self.notation = QComboBox()
        self.notation.setAccessibleName("Notation of addresses")
        for title, key in NOTATIONS:
            self.notation.addItem(title, key)
        self.model = RowsModel()
        self.view = QTableView()
        calm_table(self.view, "Rows of the list")
        self.view.setModel(self.model)
        self.view.setItemDelegateForColumn(1, BadgeDelegate(self.view))
        for column, width in enumerate((52, 100, 160, 200, 72, 60)):
            self.view.setColumnWidth(column, width)
        self.message = MessageBar()
        self.message.hide()
        self.summary = label("", "dim")
        form = QFormLayout()
        form.addRow("Endpoint", self.endpoint)
        form.addRow("Group", self.group)
        form.addRow("Addresses are", self.notation)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.go = buttons.addButton("Import", QDialogButtonBox.ButtonRole.AcceptRole)
        set_kind(self.go, "primary")
        layout = QVBoxLayout(self)
        layout.addLayout(form)
        layout.addWidget(self.message)
        layout.addWidget(self.view, 1)
        layout.addWidget(self.summary)
        layout.addWidget(buttons)
        self.endpoint.currentIndexChanged.connect(lambda _: self._read())
        self.notation.currentIndexChanged.connect(lambda _: self._read())
        buttons.accepted.connect(self._on_import)
        buttons.rejected.connect(self.reject)

    def _read(self) -> None:
        endpoint = self._workbench.endpoint(str(self.endpoint.currentData() or ""))
        if endpoint is None:
            return
        spec = spec_for(endpoint.addresses["default"])
        self.notation.setEnabled(spec.key == "modbus")
        notation = str(self.notation.currentData()) if spec.key == "modbus" else ""
        try:
            found = read_list(self._data, self._source, Context(spec, endpoint.namespaces, notation))
        except UserError as error:
            self.message.show_error(error)
            self.message.show()
            found = TagList(())
        else:
            self.message.hide()
        self.model.set_rows(found.rows)
        good, bad = len(found.good), len(found.rows) - len(found.good)
        ignored = f"   Columns not used: {', '.join(found.ignored)}." if found.ignored else ""
        self.summary.setText(f"{good:,} rows can be imported, {bad:,} cannot.{ignored}")
        self.go.setText(f"Import {good:,}")
        self.go.setEnabled(good > 0)

    def _on_import(self) -> None:
        endpoint, group = str(self.endpoint.currentData()), str(self.group.currentData())
        try:
            edit = edit_from_rows(self._workbench.project, endpoint, self.model.rows, group)
        except UserError as error:
            self.message.show_error(error)
            self.message.show()
            return
        if not edit.changes:
            self.message.show_message("Every row is in the project already", "info")
            self.message.show()
            return
        self._workbench.do(with_namespaces(self._workbench, endpoint, edit))
        self._workbench.said.emit(edit.name)
        self.accept()


def read_list(data: bytes, source: str, context: Context) -> TagList:
    """Read with the format of the file's suffix; text without one is CSV."""
    suffix = Path(source).suffix.lower()
    found = [format_ for format_ in formats().values() if suffix in format_.suffixes] or [formats()["csv"]]
    return found[0].read(data, context)


def _show(parent: QWidget | None, workbench: Workbench, data: bytes, source: str) -> ImportTagsDialog | None:
    if not workbench.endpoints():
        why = "tags belong to an endpoint, and the project has none"
        workbench.failed.emit(UserError("Nothing imported", where=source, why=why, fix="Add the endpoint first"))
        return None
    dialog = ImportTagsDialog(workbench, data, source, parent)
    dialog.open()
    return dialog


def show_import_tags(parent: QWidget, workbench: Workbench) -> None:
    """Ask for a file, then show its rows."""
    suffixes = " ".join(f"*{suffix}" for format_ in formats().values() for suffix in format_.suffixes)
    ask_for_file(
        parent,
        workbench,
        "Import tags",
        f"Tag lists ({suffixes});;All files (*)",
        lambda path: _show(parent, workbench, path.read_bytes(), path.name),
    )


def show_paste_tags(parent: QWidget, workbench: Workbench, text: str) -> ImportTagsDialog | None:
    """Rows copied from a spreadsheet (tab-separated), or CSV text."""
    return _show(parent, workbench, text.encode(), "clipboard") if text.strip() else None
