"""Where an asset stands: a place that is there, or a new path typed level by level."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QFormLayout, QVBoxLayout, QWidget

from app.edits import Edit
from app.edits.assets import ensure_places
from app.model.itmodel import LEVELS, Level, Place
from app.model.project import Project


def path_of_place(project: Project, place: Place) -> str:
    """``ACME / Plant 1 / Packaging``."""
    return " / ".join(one.name for one in above(project, place))


def above(project: Project, place: Place) -> list[Place]:
    """The place and what it lies in, outermost first; a cycle ends the list."""
    found: list[Place] = []
    current: Place | None = place
    while current is not None and current not in found:
        found.insert(0, current)
        current = project.get(Place, current.parent)
    return found


class PlaceField(QWidget):
    """A list of the places there are, and below it one line per level, which may say something new.

    The levels follow the list; whoever types into a level has left the list, and missing places are made.
    """

    changed = Signal()

    def __init__(self, project: Project, place: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._project = project
        self.places = QComboBox()
        self.places.setAccessibleName("Place")
        self.places.addItem("no place", "")
        known = sorted(project.all(Place).values(), key=lambda one: path_of_place(project, one).casefold())
        for one in known:
            self.places.addItem(path_of_place(project, one), one.id)
        self.levels: dict[Level, QComboBox] = {level: self._level(level) for level in LEVELS}
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        for level, box in self.levels.items():
            form.addRow(level.capitalize(), box)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.places)
        layout.addLayout(form)
        self.places.setCurrentIndex(max(0, self.places.findData(place)))
        self._on_chosen()
        self.places.currentIndexChanged.connect(lambda _: self._on_chosen())

    def _level(self, level: Level) -> QComboBox:
        box = QComboBox()
        box.setEditable(True)
        box.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        box.setAccessibleName(level.capitalize())
        box.addItems(sorted({place.name for place in self._project.all(Place).values() if place.level == level}))
        box.setCurrentText("")
        box.editTextChanged.connect(lambda _: self._on_typed())
        return box

    def _on_chosen(self) -> None:
        place = self._project.get(Place, str(self.places.currentData() or ""))
        names = {one.level: one.name for one in above(self._project, place)} if place else {}
        for level, box in self.levels.items():
            box.blockSignals(True)
            box.setCurrentText(names.get(level, ""))
            box.blockSignals(False)
        self.changed.emit()

    def _on_typed(self) -> None:
        """Show in the list whether what is typed is there already."""
        self.places.blockSignals(True)
        at = next((row for row in range(self.places.count()) if self._is(str(self.places.itemData(row) or ""))), -1)
        self.places.setCurrentIndex(at)
        self.places.setPlaceholderText("a new place")
        self.places.blockSignals(False)
        self.changed.emit()

    def _is(self, id_: str) -> bool:
        place = self._project.get(Place, id_)
        return [(one.level, one.name) for one in above(self._project, place)] == self.path() if place else not self.path()

    def path(self) -> list[tuple[Level, str]]:
        """What the levels say, outermost first, without those left empty."""
        return [(level, box.currentText().strip()) for level, box in self.levels.items() if box.currentText().strip()]

    def ensure(self) -> tuple[Edit, str]:
        """The edit that makes what is missing (without changes when nothing is), and the id of the place, "" for none."""
        chosen = str(self.places.currentData() or "")
        if chosen:
            return Edit("", ()), chosen
        return ensure_places(self._project, self.path())
