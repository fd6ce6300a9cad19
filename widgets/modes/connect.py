"""Connect: the tags and what they read now; registers where a Modbus table was opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from app.model.plant import Tag
from widgets.look import Card
from widgets.registry import Mode
from widgets.tag_table import TagTable
from widgets.workbench import Workbench

if TYPE_CHECKING:
    from widgets.register_grid import RegisterGrid


class ConnectMode(QWidget):
    """The registers are built when they are asked for first: most projects never do."""

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self._workbench = workbench
        self.tags = TagTable(workbench)
        self._card = Card("Tags", self.tags)
        self._registers: RegisterGrid | None = None
        self._splitter = QSplitter(Qt.Orientation.Vertical)
        self._splitter.addWidget(self._card)
        self._splitter.setChildrenCollapsible(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._splitter)
        workbench.registers_asked.connect(self._on_registers_asked)
        self.tags.model.rows_changed.connect(self._on_rows_changed)
        self._on_rows_changed()

    def _on_rows_changed(self) -> None:
        total = len(self._workbench.project.all(Tag))
        doing = "sorting…" if self.tags.model.order.is_sorting else ""
        self._card.set_count(self.tags.model.rowCount(), of=total, doing=doing)

    @property
    def registers(self) -> RegisterGrid:
        if self._registers is None:
            from widgets.register_grid import RegisterGrid

            self._registers = RegisterGrid(self._workbench)
            self._registers_card = Card("Registers", self._registers)
            self._registers_card.hide()
            self._registers.closed.connect(self._registers_card.hide)
            self._splitter.addWidget(self._registers_card)
        return self._registers

    def _on_registers_asked(self, endpoint: str, table: str) -> None:
        self.registers.show_table(endpoint, table)
        self._registers_card.show()


_PANELS = ("endpoints", "details", "problems", "references", "moves", "log", "wire")

MODE = Mode("connect", "Connect", "connect", 10, ConnectMode, panels=_PANELS)
