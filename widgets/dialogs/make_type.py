"""*Make asset type from this*: names and a place, then one edit makes type, asset, tags and mappings."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QFormLayout, QLineEdit, QVBoxLayout, QWidget

from app.drivers.base import NodeDetails
from app.errors import UserError
from app.itmodels.from_selection import Selection, edit_from_selection
from app.model.itmodel import AssetType, Place
from widgets.look import MessageBar, label
from widgets.node_tags import variables_of, with_namespaces
from widgets.workbench import Workbench


class MakeTypeDialog(QDialog):
    def __init__(self, workbench: Workbench, endpoint: str, nodes: list[NodeDetails], name: str, path: str, parent: QWidget | None) -> None:
        super().__init__(parent)
        self._workbench, self._endpoint, self._nodes, self._path = workbench, endpoint, nodes, path
        self.setWindowTitle("Make asset type")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(480, 260)
        self.type_name = QLineEdit(name.rstrip("0123456789 _-") or name)
        self.asset_name = QLineEdit(name)
        self.place = QComboBox()
        self._fill_places()
        self.message = MessageBar()
        self.message.hide()
        form = QFormLayout()
        form.addRow("Asset type", self.type_name)
        form.addRow("Asset", self.asset_name)
        form.addRow("Place", self.place)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        buttons.addButton("Make", QDialogButtonBox.ButtonRole.AcceptRole)
        layout = QVBoxLayout(self)
        layout.addWidget(label(self._summary(), wrap=True))
        layout.addLayout(form)
        layout.addWidget(self.message)
        layout.addStretch(1)
        layout.addWidget(buttons)
        buttons.accepted.connect(self._on_make)
        buttons.rejected.connect(self.reject)

    def _summary(self) -> str:
        known = [type_.name for type_ in self._workbench.project.all(AssetType).values()]
        words = f"{len(self._nodes):,} variables become attributes, with their types, units and ranges, and are mapped at once."
        return words + (" An asset type of the same name and attributes is used again." if known else "")

    def _fill_places(self) -> None:
        self.place.addItem("no place", "")
        places = self._workbench.project.all(Place)
        for place in sorted(places.values(), key=lambda place: _path(places, place)):
            self.place.addItem(_path(places, place), place.id)
        self.place.setCurrentIndex(self.place.count() - 1)

    def _on_make(self) -> None:
        selection = Selection(
            endpoint=self._endpoint,
            nodes=self._nodes,
            root_path=self._path,
            type_name=self.type_name.text().strip(),
            asset_name=self.asset_name.text().strip(),
            place=str(self.place.currentData() or ""),
        )
        try:
            edit, skipped = edit_from_selection(self._workbench.project, selection)
        except UserError as error:
            self.message.show_error(error)
            self.message.show()
            return
        self._workbench.do(with_namespaces(self._workbench, self._endpoint, edit))
        if skipped:
            self._workbench.failed.emit(
                UserError(f"{len(skipped)} variables were left out", where=self._path, why="; ".join(skipped[:3]), fix="")
            )
        self.accept()
        self._workbench.mode_asked.emit("map")


def _path(places: object, place: Place) -> str:
    assert hasattr(places, "get")
    above = places.get(place.parent)
    return f"{_path(places, above)} / {place.name}" if isinstance(above, Place) and above is not place else place.name


def show_make_type(parent: QWidget | None, workbench: Workbench, endpoint: str, ids: Sequence[str], name: str, path: str) -> None:
    """Ask the source for the variables, then show the dialog."""
    root = path if len(ids) == 1 else path.rsplit("/", 1)[0]

    def show(nodes: list[NodeDetails]) -> None:
        dialog = MakeTypeDialog(workbench, endpoint, nodes, name, root, parent)
        dialog.open()

    variables_of(workbench, endpoint, ids, show)
