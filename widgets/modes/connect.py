"""Connect: the tags and what they read now; registers where a Modbus table was opened."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from app.model.plant import Tag
from widgets.look import Card
from widgets.register_grid import RegisterGrid
from widgets.registry import Mode
from widgets.tag_table import TagTable
from widgets.workbench import Workbench


class ConnectMode(QWidget):
    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self._workbench = workbench
        self.tags = TagTable(workbench)
        self.registers = RegisterGrid(workbench)
        self._card = Card("Tags", self.tags)
        self._registers_card = Card("Registers", self.registers)
        self._registers_card.hide()
        self.registers.closed.connect(self._registers_card.hide)
        splitter = QSplitter(Qt.Orientation.Vertical)
        splitter.addWidget(self._card)
        splitter.addWidget(self._registers_card)
        splitter.setChildrenCollapsible(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(splitter)
        workbench.registers_asked.connect(self._on_registers_asked)
        self.tags.model.rows_changed.connect(self._on_rows_changed)
        self._on_rows_changed()

    def _on_rows_changed(self) -> None:
        total = len(self._workbench.project.all(Tag))
        self._card.set_count(self.tags.model.rowCount(), of=total)

    def _on_registers_asked(self, endpoint: str, table: str) -> None:
        self.registers.show_table(endpoint, table)
        self._registers_card.show()


_PANELS = ("endpoints", "details", "problems", "references", "moves", "log", "wire")

MODE = Mode("connect", "Connect", "connect", 10, ConnectMode, panels=_PANELS)
