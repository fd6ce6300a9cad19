"""Wire: what is sent and what comes back, with its meaning; and a raw request to a Modbus device. Watches only while it is visible."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QHideEvent, QShowEvent
from PySide6.QtWidgets import QComboBox, QFileDialog, QHBoxLayout, QTableView, QVBoxLayout, QWidget

from app.drivers import spec_for
from app.errors import UserError
from app.projectfile.durable import replace_file
from app.runtime.state import Seen
from widgets.keys import on_key
from widgets.look import ChipBar, SearchField, calm_table, label, tool_button
from widgets.models.exchanges import ExchangesModel
from widgets.raw_request import RawRequestLine
from widgets.seen import is_seen
from widgets.workbench import Workbench

_ALL: Final = ""
_WIDTHS: Final = (104, 32, 130, 64, 84, 460)


class WirePanel(QWidget):
    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self._workbench = workbench
        self._traced: set[str] = set()
        self.model = ExchangesModel()
        self.view = QTableView()
        calm_table(self.view, "Wire")
        self.view.setModel(self.model)
        for column, width in enumerate(_WIDTHS):
            self.view.setColumnWidth(column, width)
        self.view.horizontalHeader().setStretchLastSection(True)
        self.endpoint = QComboBox()
        self.endpoint.setAccessibleName("Endpoint whose wire is shown")
        self.endpoint.setMinimumWidth(150)
        self.chips = ChipBar([("all", "All"), ("trouble", "Trouble")])
        self.search = SearchField("Filter the wire…", "search")
        self.pause = tool_button("pause", "Pause: show nothing new (Space)", checkable=True)
        self.note = label("", "dim")
        self.raw = RawRequestLine(workbench)
        self._build()
        self._connect()
        self._fill_endpoints()

    def _build(self) -> None:
        save = tool_button("save", "Save what is shown…")
        clear = tool_button("close", "Clear")
        save.clicked.connect(self._ask_where)
        clear.clicked.connect(self._clear)
        bar = QHBoxLayout()
        for widget in (self.endpoint, self.chips, self.note):
            bar.addWidget(widget)
        bar.addStretch(1)
        tools: tuple[QWidget, ...] = (self.search, self.pause, save, clear)
        for tool in tools:
            bar.addWidget(tool)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 4)
        layout.setSpacing(4)
        layout.addLayout(bar)
        layout.addWidget(self.view, 1)
        layout.addWidget(self.raw)

    def _connect(self) -> None:
        self.endpoint.currentIndexChanged.connect(lambda _: self._on_endpoint())
        self.chips.chosen.connect(lambda _: self._filter())
        self.search.query.connect(lambda _: self._filter())
        self.pause.toggled.connect(lambda _: self._trace())
        on_key(self.view, "Ctrl+C", self._copy)
        on_key(self.view, "Space", self.pause.click)
        self._workbench.traffic_seen.connect(self._on_seen)
        self._workbench.project_replaced.connect(self._on_replaced)
        self._workbench.staleness_ticked.connect(self._trace)  # Qt tells nobody that a dock went behind another tab
        self._workbench.edited.connect(lambda _: self._fill_endpoints())

    @property
    def chosen(self) -> str:
        """Id of the endpoint shown, "" for all."""
        return str(self.endpoint.currentData() or _ALL)

    def _fill_endpoints(self) -> None:
        wanted = [("All endpoints", _ALL), *((one.name, id_) for id_, one in self._workbench.endpoints().items())]
        if wanted == [(self.endpoint.itemText(row), self.endpoint.itemData(row)) for row in range(self.endpoint.count())]:
            return
        before = self.chosen
        self.endpoint.blockSignals(True)
        self.endpoint.clear()
        for name, id_ in wanted:
            self.endpoint.addItem(name, id_)
        self.endpoint.setCurrentIndex(max(self.endpoint.findData(before), 0))
        self.endpoint.blockSignals(False)
        self._on_endpoint()

    def _on_endpoint(self) -> None:
        held = self._workbench.endpoint(self.chosen)
        modbus = held is not None and spec_for(held.addresses["default"]).key == "modbus"
        self.raw.show_endpoint(self.chosen if modbus else "")
        self._filter()
        self._trace()

    def _trace(self) -> None:
        """Have just those wires told that are looked at."""
        shown = is_seen(self) and not self.pause.isChecked()
        wanted = {id_ for id_ in self._workbench.endpoints() if shown and self.chosen in (_ALL, id_)}
        for id_ in wanted - self._traced:
            self._workbench.live.trace(id_, True)
        for id_ in self._traced - wanted:
            self._workbench.live.trace(id_, False)
        self._traced = wanted

    def _on_replaced(self) -> None:
        self._traced = set()  # they were told by the connections of another project
        self.model.clear()
        self._fill_endpoints()
        self._trace()

    def _on_seen(self, seen: Seen) -> None:
        held = self._workbench.endpoint(seen.endpoint)
        if held is None or self.chosen not in (_ALL, seen.endpoint):
            return
        bar = self.view.verticalScrollBar()
        follows = bar.value() >= bar.maximum() - 4
        self.model.see(held.name, seen.exchanges, seen.dropped)
        if follows:
            self.view.scrollToBottom()
        self.note.setText(f"{self.model.dropped:,} more were too many to tell" if self.model.dropped else "")

    def _filter(self) -> None:
        held = self._workbench.endpoint(self.chosen)
        name = held.name if held is not None else ""
        self.model.show_only(trouble=self.chips.current == "trouble", query=self.search.text(), endpoint=name)

    def _clear(self) -> None:
        self.model.clear()
        self.note.setText("")

    def _copy(self) -> None:
        rows = sorted({index.row() for index in self.view.selectedIndexes()})
        QGuiApplication.clipboard().setText(self.model.text(rows))

    def _ask_where(self) -> None:
        folder = self._workbench.workspace.last_folder()
        dialog = QFileDialog(self, "Save the wire", str(folder / "wire.tsv"), "Text with tabs (*.tsv)")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("tsv")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda name: self.save(Path(name)))
        dialog.open()

    def save(self, path: Path) -> None:
        """Rows shown, one a line, with the whole raw bytes."""
        head = "time_utc\tdirection\tendpoint\tbytes\tround_trip\tmeaning\traw\n"
        try:
            replace_file(path, (head + self.model.text() + "\n").encode())
        except (OSError, UserError) as error:
            why = error.why if isinstance(error, UserError) else error.strerror or str(error)
            self._workbench.failed.emit(UserError("The wire was not saved", where=str(path), why=why, fix="Choose another folder"))
        else:
            self._workbench.said.emit(f"{len(self.model.rows):,} exchanges saved in {path.name}")

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._trace()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._trace()
