"""What a device says of itself: SunSpec models, which become tags; and every object of the device identification (43/14)."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QSpinBox

from app.drivers.base import Wire
from app.drivers.modbus.questions import Identification, Identify, SunSpec, SunSpecDevice, SunSpecModel
from app.drivers.modbus.sunspec import SunSpecRow, sunspec_rows
from app.edits import Edit
from app.taglists.base import TagList
from app.taglists.compare import compare, edit_of
from app.taglists.sunspec_tags import sunspec_list
from widgets.dialogs.scan_page import ScanPage
from widgets.look import button, label
from widgets.models.scan_rows import ScanRow
from widgets.node_tags import with_namespaces
from widgets.notation import url_unit


class _UnitPage(ScanPage):
    """Of one unit."""

    def fill_form(self) -> None:
        self.unit = QSpinBox(minimum=0, maximum=255, value=url_unit(self._workbench, self._endpoint) or 1, prefix="unit ")
        self.unit.setAccessibleName("Unit id")
        self.form.addWidget(self.unit)


class SunSpecPage(_UnitPage):
    TITLE = "SunSpec"
    STARTS = "Look for SunSpec"
    EXPLAINS = (
        "Inverters, meters and batteries that follow SunSpec say themselves which registers they have. Looks for the marker at the "
        "usual eight places and walks from model to model; registers are read, nothing else."
    )
    COLUMNS = (("Model", 1, 7), ("Name", 4, 20), ("Address", 1, 8), ("Registers", 1, 9), ("Tags", 1, 6), ("", 3, 12))
    NUMBERS = (0, 2, 3, 4)

    def fill_form(self) -> None:
        super().fill_form()
        self.form.addWidget(self.pause)
        self._device = SunSpecDevice(base=-1)
        self._asked_unit = 0

    def fill_foot(self) -> None:
        self.load = button("Import tags", "import")
        self.load.setAutoDefault(False)
        self.note = label("", "dim")
        self.load.clicked.connect(self._on_import)
        self.foot.addWidget(self.load)
        self.foot.addWidget(self.note)

    def question(self) -> SunSpec:
        self._asked_unit, self._device = self.unit.value(), SunSpecDevice(base=-1)
        return SunSpec(unit=self._asked_unit, pause_ms=self.pause.value())

    def take(self, answer: Wire) -> Sequence[ScanRow]:
        assert isinstance(answer, SunSpecDevice)
        self._device = answer
        rows: list[ScanRow] = []
        for place, model in enumerate(answer.models):
            count = len(sunspec_list(self._tags_of([model]), self._asked_unit).rows)
            cells = (str(model.id), model.name, str(model.address), str(model.length), str(count or ""))
            rows.append(
                ScanRow((*cells, "" if count else "a model of the maker's own, or one not known here"), place, "" if count else "dim")
            )
        return rows

    def result(self) -> str:
        found = self._device
        if found.base < 0:
            return f"No SunSpec here: {found.note}."
        parts = [
            found.maker,
            found.model,
            f"version {found.version}" if found.version else "",
            f"serial {found.serial}" if found.serial else "",
        ]
        note = f" {found.note}." if found.note else ""
        return f"{', '.join(filter(None, parts)) or 'SunSpec'}: {len(found.models)} models from {found.table} {found.base} on.{note}"

    def _rows(self) -> list[SunSpecRow]:
        found = self._device
        return sunspec_rows(found.models, found.scale_factors, frozenset(found.absent), table=found.table)

    def _tags_of(self, models: Sequence[SunSpecModel]) -> list[SunSpecRow]:
        """Names count the models of the whole device, so that they are the same whichever of them are imported."""
        spans = [range(model.address, model.address + model.length + 2) for model in models]
        return [row for row in self._rows() if any(row.address in span for span in spans)]

    def _list(self) -> TagList:
        """Of the selected models, else of all."""
        models = self._device.models
        chosen = [models[place] for place in self.chosen()] or list(models)
        return sunspec_list(self._tags_of(chosen), self._asked_unit)

    def enable(self) -> None:
        if self.is_running or self._device.base < 0 or self._workbench.endpoint(self._endpoint) is None:
            self.load.setEnabled(False)
            self.load.setText("Import tags")
            self.note.setText("")
            return
        found = self._list()
        fresh = len(compare(self._workbench.project, self._endpoint, found.rows, found.stated).new)
        self.load.setEnabled(bool(fresh))
        self.load.setText(f"Import {fresh:,} tag{'' if fresh == 1 else 's'}" if fresh else "Import tags")
        parts = [f"{len(found.skipped)} that this device does not have are left out"] if found.skipped else []
        known = len(found.rows) - fresh
        parts += [f"{known} {'is' if known == 1 else 'are'} in the project already"] if known else []
        self.note.setText("; ".join(parts))

    def _on_import(self) -> None:
        found, project = self._list(), self._workbench.project

        def made() -> Edit:
            compared = compare(project, self._endpoint, found.rows, found.stated)
            return with_namespaces(self._workbench, self._endpoint, edit_of(project, compared, update=False))

        if self._workbench.attempt(made):
            self._workbench.said.emit(f"{self.load.text().replace('Import', 'Imported')} of SunSpec")
        self.refresh()


class IdentifyPage(_UnitPage):
    TITLE = "Identify"
    STARTS = "Identify"
    EXPLAINS = (
        "Asks the unit for its device identification (function 43/14): who made it, what it is, which version. Many devices have none."
    )
    COLUMNS = (("Object", 1, 7), ("Name", 3, 18), ("What it says", 5, 24), ("Kind", 1, 9), ("Raw", 3, 16))
    NUMBERS = (0,)

    def fill_form(self) -> None:
        super().fill_form()
        self._found = Identification()

    def question(self) -> Identify:
        return Identify(unit=self.unit.value())

    def take(self, answer: Wire) -> Sequence[ScanRow]:
        assert isinstance(answer, Identification)
        self._found = answer
        return [ScanRow((str(one.id), one.name, one.text, one.category, one.raw.hex(" ")), one.id) for one in answer.objects]

    def result(self) -> str:
        count = len(self._found.objects)
        words = f"{count} object{'' if count == 1 else 's'}" if count else ""
        return ". ".join(filter(None, (words, self._found.note[:1].upper() + self._found.note[1:]))) or "It says nothing of itself"
