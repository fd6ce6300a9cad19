"""Import a list of tags, whatever its form: what was recognised, row by row, with what is wrong; corrected here; then one edit.

One dialog for CSV, workbooks, web pages, text from PDFs and the clipboard, for every driver; reached from the menu, by dropping a file on
the window, and by pasting rows into the tag table.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QDialog, QDialogButtonBox, QGridLayout, QSpinBox, QTableView, QVBoxLayout, QWidget

from app.drivers import spec_for
from app.errors import UserError
from app.model.plant import Group
from app.taglists import suffixes
from app.taglists.base import Context, TagList
from app.taglists.compare import Comparison, compare, edit_of
from app.taglists.corrections import remember, remembered
from app.taglists.probing import telling_rows
from app.taglists.reading import Source, no_addresses
from widgets.dialogs.import_tags_base import BaseQuestion
from widgets.dialogs.import_tags_reading import ListReader
from widgets.dialogs.import_tags_rows import FIXED, RESULT, MeaningHeader, RowsModel, entries, unread, widths
from widgets.files import ask_for_file
from widgets.look import BadgeDelegate, ChipBar, MessageBar, calm_table, label, set_kind
from widgets.node_tags import with_namespaces
from widgets.workbench import Workbench

STYLES: Final = (
    ("as found out", ""), ("Modicon: 40001, 30001", "modicon"), ("plain numbers", "plain"), ("hexadecimal", "hex"),
)  # fmt: skip
TABLES: Final = (("holding registers", "holding"), ("input registers", "input"), ("coils", "coil"), ("discrete inputs", "discrete"))
CHIPS: Final = (
    ("", "All"), ("new", "New"), ("changed", "Changed"), ("same", "As they are"), ("bad", "Problems"), ("look", "Look"),
    ("skipped", "Skipped"), ("gone", "Not in list"),
)  # fmt: skip
NO_UNIT: Final = -1


class ImportTagsDialog(QDialog):
    """Reads the same bytes again whenever anything is corrected, so that what is shown is what would go in."""

    def __init__(self, workbench: Workbench, data: bytes, source: str, parent: QWidget | None) -> None:
        super().__init__(parent)
        self._workbench, self._data, self._name = workbench, data, source
        self._source: Source | None = None
        self._table = 0
        self._base: int | None = None
        self._list = TagList(())
        self._found: Comparison | None = None
        self.setWindowTitle(f"Import tags from {source or 'the clipboard'}")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(1240, 700)
        self._build()
        self._connect()
        self._reader.open(data, source)

    # Building

    def _build(self) -> None:
        self._build_choices()
        self.base = BaseQuestion(self._workbench)
        self.base.hide()
        self.model = RowsModel()
        self.view = QTableView()
        self.header = MeaningHeader(self.view)
        calm_table(self.view, "Rows of the list")
        self.view.setHorizontalHeader(self.header)
        self.view.setModel(self.model)
        self.view.setItemDelegateForColumn(RESULT, BadgeDelegate(self.view))
        self.chips = ChipBar(CHIPS[:1])
        self.detail = label("", wrap=True, selectable=True)
        self.detail.hide()
        self.message = MessageBar()
        self.message.hide()
        self.summary = label("", wrap=True)
        self.notes = label("", "dim", wrap=True)
        self.update_changed = QCheckBox("Change tags as the list says")
        self.update_changed.setChecked(True)
        self.remove_gone = QCheckBox("Remove tags that the list no longer holds")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.go = buttons.addButton("Import", QDialogButtonBox.ButtonRole.AcceptRole)
        set_kind(self.go, "primary")
        self.chips.add_right(self.update_changed)
        self.chips.add_right(self.remove_gone)
        self._reader = ListReader(self)
        layout = QVBoxLayout(self)
        layout.setSpacing(8)
        layout.addLayout(self._grid)
        layout.addWidget(self.message)
        layout.addWidget(self.base)
        layout.addWidget(self.chips)
        layout.addWidget(self.view, 1)
        layout.addWidget(self.detail)
        layout.addWidget(self.notes)
        layout.addWidget(self.summary)
        layout.addWidget(buttons)
        buttons.accepted.connect(self._on_import)
        buttons.rejected.connect(self.reject)

    def _build_choices(self) -> None:
        self.endpoint = QComboBox()
        for endpoint in sorted(self._workbench.endpoints().values(), key=lambda endpoint: endpoint.name.casefold()):
            self.endpoint.addItem(endpoint.name, endpoint.id)
        self.endpoint.setCurrentIndex(max(self.endpoint.findData(self._workbench.selection.endpoint), 0))
        self.group = QComboBox()
        self.group.addItem("no group, 1000 ms", "")
        for group in self._workbench.project.all(Group).values():
            self.group.addItem(f"{group.name}, {group.interval_ms} ms", group.id)
        self.unit = QSpinBox(minimum=NO_UNIT, maximum=255, value=NO_UNIT)
        self.unit.setSpecialValueText("as the endpoint says")
        self.unit.setAlignment(Qt.AlignmentFlag.AlignLeft)
        self.sheet = QComboBox()
        self.notation = QComboBox()
        for title, key in STYLES:
            self.notation.addItem(title, key)
        self.register_table = QComboBox()
        for title, key in TABLES:
            self.register_table.addItem(title, key)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(8)
        named = (
            ("Endpoint", self.endpoint), ("Unit id", self.unit), ("Group", self.group), ("Addresses are", self.notation),
            ("Where no table is named", self.register_table), ("Sheet", self.sheet),
        )  # fmt: skip
        self._labels = {}
        for at, (title, widget) in enumerate(named):
            row, column = divmod(at, 3)
            text = label(title, "dim")
            text.setBuddy(widget)
            widget.setAccessibleName(title)
            self._labels[widget] = text
            self._grid.addWidget(text, row, 2 * column)
            self._grid.addWidget(widget, row, 2 * column + 1)
            self._grid.setColumnStretch(2 * column + 1, 1)

    def _connect(self) -> None:
        self._reader.opened.connect(self._on_opened)
        self._reader.read.connect(self._on_read)
        self._reader.failed.connect(self._on_failed)
        self._reader.went_on.connect(lambda done, count: self.summary.setText(f"Reading row {done:,} of {count:,} …"))
        self.endpoint.currentIndexChanged.connect(lambda _: self._on_endpoint())
        for choice in (self.notation, self.register_table):
            choice.currentIndexChanged.connect(lambda _: self._read())
        self.unit.valueChanged.connect(lambda _: self._read())
        self.sheet.currentIndexChanged.connect(self._on_sheet)
        self.header.corrected.connect(self._on_corrected)
        self.base.chosen.connect(self._on_base)
        self.chips.chosen.connect(self.model.filter)
        for box in (self.update_changed, self.remove_gone):
            box.toggled.connect(lambda _: self._summarise())
        self.view.selectionModel().currentRowChanged.connect(lambda current, _: self._on_row(current.row()))
        self.model.modelReset.connect(lambda: self._on_row(-1))
        self.message.dismissed.connect(self.message.hide)
        self.finished.connect(lambda _: self._stop())

    # Reading

    def _on_opened(self, source: Source) -> None:
        if source.form.layout is None:
            layouts = tuple(remembered(self._workbench.workspace, layout) for layout in source.layouts)
            source = replace(source, layouts=layouts)
        self._source = source
        self._table = source.usable[0] if source.usable else 0
        self.sheet.blockSignals(True)
        self.sheet.clear()
        for at, table in enumerate(source.tables):
            self.sheet.addItem(table.title or source.form.title, at)
        self.sheet.setCurrentIndex(self._table)
        self.sheet.blockSignals(False)
        for widget in (self.sheet, self._labels[self.sheet]):
            widget.setVisible(len(source.tables) > 1)
        self._on_endpoint()

    def _on_endpoint(self) -> None:
        self._base = None
        is_modbus = self._is_modbus()
        for widget in (self.unit, self.notation, self.register_table):
            widget.setVisible(is_modbus)
            self._labels[widget].setVisible(is_modbus)
        self._read()

    def _is_modbus(self) -> bool:
        held = self._workbench.endpoint(str(self.endpoint.currentData() or ""))
        return held is not None and spec_for(held.addresses["default"]).key == "modbus"

    def _context(self) -> Context | None:
        held = self._workbench.endpoint(str(self.endpoint.currentData() or ""))
        if held is None:
            return None
        unit = self.unit.value()
        return Context(
            spec_for(held.addresses["default"]), held.namespaces, notation=str(self.notation.currentData()) if self._is_modbus() else "",
            base=self._base, unit=None if unit == NO_UNIT else unit, table=str(self.register_table.currentData()),
        )  # fmt: skip

    def _read(self) -> None:
        context = self._context()
        if self._source is None or context is None:
            return
        layout = self._source.layouts[self._table]
        self.message.hide()
        if layout.column("address") < 0:
            self._on_failed(no_addresses(self._source))
            self._on_read(TagList(()))
            return
        self.go.setEnabled(False)
        self._reader.interpret(self._source, self._table, context)

    def _on_read(self, list_: TagList) -> None:
        assert self._source is not None
        endpoint = str(self.endpoint.currentData() or "")
        self._list = list_
        try:
            self._found = compare(self._workbench.project, endpoint, list_.rows, list_.stated) if list_.rows else None
        except UserError as error:
            self._on_failed(error)
            self._found = None
        layout, table = self._source.layouts[self._table], self._source.tables[self._table]
        rows = entries(table, list_, self._found) if list_.rows or list_.skipped else unread(table)
        first = self.model.columnCount() != len(FIXED) + len(layout.headings)
        self.model.set_entries(rows, layout.headings)
        self.header.set_layout(layout, fixed=self._source.form.layout is not None)
        if first:
            for column, width in enumerate(widths(self.view, self.model)):
                self.view.setColumnWidth(column, width)
        self._ask_base(endpoint)
        self._summarise()

    def _ask_base(self, endpoint: str) -> None:
        """The question is shown for register lists whose addresses are not in our own form."""
        numbering = self._list.numbering
        asked = self._is_modbus() and bool(self._list.rows) and "form of this program" not in numbering.why and bool(numbering.why)
        self.base.setVisible(asked)
        if asked:
            self.base.ask(endpoint, numbering, telling_rows(self._list.good, numbering))
        else:
            self.base.stop()

    def _on_row(self, row: int) -> None:
        """The whole of what is wrong with the row under the cursor: its column may be too narrow for it."""
        entry = self.model.entries[row] if 0 <= row < len(self.model.entries) else None
        self.detail.setText(f"{entry.place}: {entry.detail}" if entry is not None and entry.detail else "")
        self.detail.setVisible(bool(self.detail.text()))

    # What a person does

    def _on_sheet(self, at: int) -> None:
        self._table, self._base = at, None
        self._read()

    def _on_corrected(self, column: int, meaning: str) -> None:
        if self._source is None:
            return
        layout = self._source.layouts[self._table].with_meaning(column, meaning)  # type: ignore[arg-type]  # the data of a choice of meanings
        self._source = self._source.with_layout(self._table, layout)
        remember(self._workbench.workspace, layout)
        self._read()

    def _on_base(self, base: int) -> None:
        self._base = base
        self._read()

    def _on_failed(self, error: UserError) -> None:
        self.message.show_error(error)
        self.message.show()
        self._summarise()

    def _summarise(self) -> None:
        counts = self.model.counts()
        self.chips.set_chips([(key, title) for key, title in CHIPS if not key or counts[key]])
        for key, _ in CHIPS:
            if not key or counts[key]:
                self.chips.set_count(key, counts[key])
        self.model.filter(self.chips.current)
        new, changed = counts["new"], counts["changed"] if self.update_changed.isChecked() else 0
        gone = counts["gone"] if self.remove_gone.isChecked() else 0
        rows = len(self._list.rows)
        parts = [f"{new:,} of {rows:,} rows will be added"]
        parts += [f"{changed:,} {_tags(changed)} will be changed"] if changed else []
        parts += [f"{counts['same']:,} are there already"] if counts["same"] else []
        parts += [f"{gone:,} {_tags(gone)} will be removed"] if gone else []
        parts += [f"{counts['bad']:,} {'has a problem' if counts['bad'] == 1 else 'have problems'}"] if counts["bad"] else []
        is_open = self._list.numbering.is_open and self._is_modbus()
        self.summary.setText((", ".join(parts) + ("" if not is_open else ". Say first where counting begins")) if rows else "")
        self._show_notes()
        self.update_changed.setVisible(counts["changed"] > 0)
        self.remove_gone.setVisible(counts["gone"] > 0)
        self.go.setText(f"Import {new:,}" if new else "Update" if changed or gone else "Import")
        self.go.setEnabled(bool(new + changed + gone) and not is_open and not self._reader.busy)

    def _show_notes(self) -> None:
        parts = list(self._list.notes)
        if self._list.ignored:
            parts.append(f"Columns not used: {', '.join(self._list.ignored)}")
        if self._found is not None:
            parts += [f"Unit {number} gets the byte order {order}, which all its rows have" for number, order in self._found.orders]
        if self._source is not None and len(self._source.usable) > 1:
            parts.append(f"{len(self._source.usable)} sheets hold addresses; each is imported by itself")
        self.notes.setText(".  ".join(parts))
        self.notes.setVisible(bool(parts))

    def _on_import(self) -> None:
        if self._found is None:
            return
        endpoint = str(self.endpoint.currentData())
        try:
            found = compare(self._workbench.project, endpoint, self._list.rows, self._list.stated)  # it may have changed since
            edit = edit_of(
                self._workbench.project, found, group=str(self.group.currentData()), update=self.update_changed.isChecked(),
                remove_gone=self.remove_gone.isChecked(),
            )  # fmt: skip
        except UserError as error:
            self._on_failed(error)
            return
        if not edit.changes:
            self.message.show_message("Every row is in the project already", "info")
            self.message.show()
            return
        self._workbench.do(with_namespaces(self._workbench, endpoint, edit))
        self._workbench.said.emit(edit.name)
        self.accept()

    def _stop(self) -> None:
        self._reader.stop()
        self.base.stop()


def _tags(count: int) -> str:
    return "tag" if count == 1 else "tags"


def _show(parent: QWidget | None, workbench: Workbench, data: bytes, source: str) -> ImportTagsDialog | None:
    if not workbench.endpoints():
        why = "tags belong to an endpoint, and the project has none"
        workbench.failed.emit(UserError("Nothing imported", where=source or "clipboard", why=why, fix="Add the endpoint first"))
        return None
    dialog = ImportTagsDialog(workbench, data, source, parent)
    dialog.open()
    return dialog


def show_import_tags(parent: QWidget, workbench: Workbench) -> None:
    """Ask for a file, then show its rows."""
    patterns = " ".join(f"*{suffix}" for suffix in suffixes())
    ask_for_file(
        parent, workbench, "Import tags", f"Lists ({patterns});;All files (*)", lambda path: show_import_file(parent, workbench, path)
    )


def show_import_file(parent: QWidget, workbench: Workbench, path: Path) -> ImportTagsDialog | None:
    """The rows of a file that was chosen or dropped; what cannot be read is said in the window."""
    try:
        data = path.read_bytes()
    except OSError as error:
        why = error.strerror or str(error)
        workbench.failed.emit(UserError("Cannot read the list", where=str(path), why=why, fix="Check the file"))
        return None
    return _show(parent, workbench, data, path.name)


def show_paste_tags(parent: QWidget, workbench: Workbench, text: str, html: str = "") -> ImportTagsDialog | None:
    """Rows copied from a spreadsheet (tab-separated), a web page, a PDF, or CSV text. ``html`` counts where the text has lost the cells."""
    if "<table" in html.lower() and "\t" not in text:
        return _show(parent, workbench, html.encode(), "")
    return _show(parent, workbench, text.encode(), "") if text.strip() else None
