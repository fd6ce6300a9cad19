"""Which part of a machine is looked at: a subtree of an address space, or a range of registers."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QSizePolicy, QSpinBox, QStackedWidget, QWidget

from app.drivers.modbus.nodes import place_of
from widgets.look import ElidedLabel, label
from widgets.node_menu import driver_of
from widgets.notation import REGISTER_TABLES, url_unit
from widgets.workbench import Workbench


class WatchedPart(QWidget):
    """One line.

    Attributes:
        nodes: Ids in an address space; none is all of it.
        name: What they are called.

    Signals:
        changed: Another endpoint or another part.
    """

    changed = Signal()

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self._workbench = workbench
        self.nodes: tuple[str, ...] = ()
        self.name = ""
        self.choice = QComboBox()
        self.choice.setAccessibleName("Endpoint in which to find what moves")
        self.choice.setMinimumWidth(110)
        self.choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.text = ElidedLabel("")
        self.unit = QSpinBox(minimum=0, maximum=255, value=1, prefix="unit ")
        self.unit.setAccessibleName("Unit id")
        self.table = QComboBox()
        self.table.setAccessibleName("Table")
        for key, title in REGISTER_TABLES.items():
            self.table.addItem(title, key)
        self.first = QSpinBox(minimum=0, maximum=65_535)
        self.first.setAccessibleName("First register, zero-based")
        self.last = QSpinBox(minimum=0, maximum=65_535, value=99)
        self.last.setAccessibleName("Last register, zero-based")
        self._build()
        self.choice.currentIndexChanged.connect(lambda _: self._on_endpoint())
        workbench.project_replaced.connect(self._fill)
        workbench.edited.connect(lambda _: self._fill())
        self._fill()

    def _build(self) -> None:
        range_ = QWidget()
        row = QHBoxLayout(range_)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        for widget in (self.unit, self.table, self.first, label("to", "dim"), self.last):
            row.addWidget(widget)
        row.addStretch(1)
        self._pages = QStackedWidget()
        self._pages.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        for page in (self.text, range_):
            self._pages.addWidget(page)
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(8)
        line.addWidget(label("Look at", "dim"))
        line.addWidget(self.choice)
        line.addWidget(self._pages, 1)

    @property
    def endpoint(self) -> str:
        """Id, "" without any."""
        return str(self.choice.currentData() or "")

    @property
    def is_modbus(self) -> bool:
        return self._pages.currentIndex() == 1

    @property
    def registers(self) -> tuple[int, int]:
        """First and last; both belong to it."""
        first, last = sorted((self.first.value(), self.last.value()))
        return first, last

    def choose(self, endpoint: str, nodes: Sequence[str] = (), names: Sequence[str] = ()) -> None:
        """These nodes and all below them, or the unit or table that is one; without nodes, all of the endpoint."""
        row = self.choice.findData(endpoint)
        if row < 0:
            return
        self.choice.setCurrentIndex(row)
        if self.is_modbus:
            place = place_of(nodes[0]) if nodes else None
            if place is not None:
                self.unit.setValue(place.unit)
                self.table.setCurrentIndex(max(self.table.findData(place.table), 0))
        else:
            self._show(tuple(nodes), ", ".join(names or nodes))
        self.changed.emit()

    def _show(self, nodes: tuple[str, ...], name: str) -> None:
        self.nodes, self.name = nodes, name if nodes else "the address space"
        self.text.setText(f"{name} and all below" if nodes else "the whole address space" if self.endpoint else "")

    def _fill(self) -> None:
        wanted = [(one.name, id_) for id_, one in self._workbench.endpoints().items()]
        if wanted == [(self.choice.itemText(row), self.choice.itemData(row)) for row in range(self.choice.count())]:
            return
        before = self.endpoint
        self.choice.blockSignals(True)
        self.choice.clear()
        for name, id_ in wanted:
            self.choice.addItem(name, id_)
        self.choice.setCurrentIndex(max(self.choice.findData(before), 0) if wanted else -1)
        self.choice.blockSignals(False)
        if self.endpoint != before:
            self._on_endpoint()

    def _on_endpoint(self) -> None:
        modbus = bool(self.endpoint) and driver_of(self._workbench, self.endpoint) == "modbus"
        self._pages.setCurrentIndex(1 if modbus else 0)
        self._show((), "")
        if modbus and (unit := url_unit(self._workbench, self.endpoint)) is not None:
            known = [one.number for one in self._workbench.project.units_of(self.endpoint)]
            self.unit.setValue(known[0] if known and unit not in known else unit)
        self.changed.emit()
