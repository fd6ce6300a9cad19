"""Scan: which unit ids answer."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QComboBox, QSpinBox

from app.drivers.base import Wire
from app.drivers.modbus.questions import ScanUnits, UnitRow
from app.drivers.modbus.scan_cost import units_cost
from app.drivers.modbus.scan_edits import add_units
from app.drivers.modbus.tag_edits import unit_of
from widgets.dialogs.scan_page import ScanPage, field_label
from widgets.look import button
from widgets.models.scan_rows import ScanRow
from widgets.notation import REGISTER_TABLES


class UnitsPage(ScanPage):
    TITLE = "Unit ids"
    EXPLAINS = "Asks each unit id for one register. Any answer proves that the unit is there, a refusal too."
    COLUMNS = (("Unit", 1, 6), ("Asked for", 2, 16), ("What came", 6, 30), ("Round trip", 1, 10))
    NUMBERS = (0, 3)
    FILTERED = True

    def fill_form(self) -> None:
        self.first = QSpinBox(minimum=0, maximum=255, value=1)
        self.last = QSpinBox(minimum=0, maximum=255, value=247)
        self.table = QComboBox()
        for key, title in REGISTER_TABLES.items():
            self.table.addItem(title, key)
        self.place = QSpinBox(minimum=0, maximum=65_535)
        for field, name in (
            (self.first, "First unit id"), (self.last, "Last unit id"), (self.table, "Table that is asked"),
            (self.place, "Register that is asked for, zero-based"),
        ):  # fmt: skip
            field.setAccessibleName(name)
            field.setToolTip(name)
        for spin in (self.first, self.last):
            spin.valueChanged.connect(lambda _: self.refresh())
        for widget in (
            field_label("Units", self.first), self.first, field_label("to", self.last), self.last, field_label("ask", self.table),
            self.table, self.place, self.pause,
        ):  # fmt: skip
            self.form.addWidget(widget)

    def fill_foot(self) -> None:
        self.add = button("Add these units to the project", "unit-id")
        self.add.setAutoDefault(False)
        self.add.clicked.connect(self._on_add)
        self.foot.addWidget(self.add)

    def question(self) -> ScanUnits:
        first, last = sorted((self.first.value(), self.last.value()))
        address = f"{self.table.currentData()}:{self.place.value()}"
        return ScanUnits(first=first, last=last, address=address, pause_ms=self.pause.value())

    def costs(self) -> str:
        held = self._workbench.endpoint(self._endpoint)
        timeout_s = float(held.settings.get("timeout_s", 1.0)) if held is not None else 1.0
        return units_cost(self.question(), timeout_s)

    def take(self, answer: Wire) -> Sequence[ScanRow]:
        assert isinstance(answer, UnitRow)
        taken = f"{answer.round_trip_s * 1000:.0f} ms" if answer.there else ""
        place, look = (answer.unit, "") if answer.there else (-1, "dim")
        return [ScanRow((str(answer.unit), answer.asked, answer.came, taken), place, look)]

    def _fresh(self) -> list[int]:
        """Units that are selected, else all that were found, without those that the project has."""
        project = self._workbench.project
        return [number for number in self.chosen() or self.model.found() if unit_of(project, self._endpoint, number) is None]

    def enable(self) -> None:
        fresh = self._fresh()
        self.add.setEnabled(bool(fresh))
        self.add.setText(f"Add {len(fresh)} unit{'' if len(fresh) == 1 else 's'} to the project" if fresh else "Add units to the project")
        all_known = bool(self.model.found()) and not fresh
        self.add.setToolTip("The project has all of them" if all_known else "Those that are selected, or all that were found")

    def _on_add(self) -> None:
        fresh = self._fresh()
        if self._workbench.attempt(lambda: add_units(self._workbench.project, self._endpoint, fresh)):
            self._workbench.said.emit(f"{len(fresh)} unit{'' if len(fresh) == 1 else 's'} added")
        self.refresh()
