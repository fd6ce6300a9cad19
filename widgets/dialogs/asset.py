"""Make, rename and move an asset: each one edit, with the places that it needs."""

from __future__ import annotations

from PySide6.QtWidgets import QComboBox, QFormLayout, QHBoxLayout, QLineEdit, QWidget

from app.edits import Edit
from app.edits.assets import add_asset, move_asset, rename_asset
from app.errors import CollectedError, UserError
from app.mapping.message import topic_of
from app.model.itmodel import Asset, AssetType, Place
from app.model.resolve import attributes
from widgets.dialogs.edit_dialog import EditDialog
from widgets.look import button, label
from widgets.place_field import PlaceField
from widgets.workbench import Workbench


class NewAssetDialog(EditDialog):
    """Name, type, place. The type may be made from here when there is none."""

    def __init__(self, workbench: Workbench, place: str, parent: QWidget | None = None) -> None:
        super().__init__(workbench, "New asset", "Make asset", parent)
        self.resize(500, 420)
        self.name = QLineEdit(placeholderText="Filler 1")
        self.name.setAccessibleName("Name")
        self.type = QComboBox()
        self.type.setAccessibleName("Asset type")
        self.new_type = button("New…", "add", kind="flat", tip="Make an asset type first")
        self.place = PlaceField(workbench.project, place)
        self.summary = label("", "dim", wrap=True)
        form = QFormLayout()
        form.addRow("Name", self.name)
        types = QHBoxLayout()
        types.addWidget(self.type, 1)
        types.addWidget(self.new_type)
        form.addRow("Asset type", types)
        form.addRow("Place", self.place)
        self.body.addLayout(form)
        self.body.addWidget(self.summary)
        self.body.addStretch(1)
        self._fill_types()
        self.new_type.clicked.connect(self._on_new_type)
        self.new_type.setAutoDefault(False)
        self.type.currentIndexChanged.connect(lambda _: self._refresh())
        self.name.textChanged.connect(lambda _: self._refresh())
        self.place.changed.connect(self._refresh)
        workbench.edited.connect(self._fill_types)
        self._refresh()

    def _fill_types(self) -> None:
        """Anew after an edit: a type that was made meanwhile is chosen."""
        known = {self.type.itemData(row) for row in range(self.type.count())}
        current = str(self.type.currentData() or "")
        types = sorted(self.workbench.project.all(AssetType).values(), key=lambda type_: type_.name.casefold())
        if known == {type_.id for type_ in types} and known:
            return
        fresh = [type_.id for type_ in types if type_.id not in known] if known else []
        self.type.clear()
        for type_ in types:
            self.type.addItem(f"{type_.name}{' (abstract)' if type_.abstract else ''}", type_.id)
        concrete = next((type_.id for type_ in types if not type_.abstract), "")
        self.type.setCurrentIndex(max(0, self.type.findData(fresh[0] if fresh else current or concrete)))

    def _on_new_type(self) -> None:
        from widgets.dialogs.asset_type import show_asset_type

        show_asset_type(self, self.workbench, "")

    def _refresh(self) -> None:
        project, type_ = self.workbench.project, str(self.type.currentData() or "")
        if not type_:
            self.summary.setText("An asset is an instance of an asset type, and there is none yet.")
            return
        count = len(attributes(project, type_))
        names = "/".join([*(name for _, name in self.place.path()), self.name.text().strip() or "…"])
        self.summary.setText(f"{names} gets {count} attribute{'' if count == 1 else 's'}, none mapped yet.")

    def make_edit(self) -> Edit:
        project, type_ = self.workbench.project, str(self.type.currentData() or "")
        problems: list[UserError] = []
        if not type_:
            problems.append(UserError("Not made", where="Asset type", why="no asset type is chosen", fix="Make one with New…"))
        places, place = _attempt(self.place, problems)
        try:
            edit = add_asset(project, self.name.text(), type_, place)
        except UserError as error:
            problems.append(UserError(error.what, where="Name", why=error.why, fix=error.fix))
        if problems:
            raise CollectedError("No asset made", where=self.name.text(), problems=problems, fix=problems[0].fix)
        return places.then(edit, edit.name)


def _attempt(field: PlaceField, problems: list[UserError]) -> tuple[Edit, str]:
    try:
        return field.ensure()
    except UserError as error:
        problems.append(UserError(error.what, where="Place", why=error.why, fix=error.fix))
        return Edit("", ()), ""


class RenameAssetDialog(EditDialog):
    """A name, and what its change does to the topic."""

    def __init__(self, workbench: Workbench, asset: Asset, parent: QWidget | None = None) -> None:
        super().__init__(workbench, f"Rename {asset.name}", "Rename", parent)
        self.asset = asset
        self.resize(440, 160)
        self.name = QLineEdit(asset.name)
        self.name.setAccessibleName("Name")
        self.name.selectAll()
        form = QFormLayout()
        form.addRow("Name", self.name)
        self.body.addLayout(form)
        topic = topic_of(workbench.project, asset)
        self.body.addWidget(label(f"Its topic is now {topic}. Approvals of its mappings lapse when that changes.", "dim", wrap=True))
        self.body.addStretch(1)

    def make_edit(self) -> Edit:
        return rename_asset(self.workbench.project, self.asset.id, self.name.text())


class MoveAssetDialog(EditDialog):
    """Another place, there already or new."""

    def __init__(self, workbench: Workbench, asset: Asset, parent: QWidget | None = None) -> None:
        super().__init__(workbench, f"Move {asset.name}", "Move", parent)
        self.asset = asset
        self.resize(460, 320)
        self.place = PlaceField(workbench.project, asset.place)
        form = QFormLayout()
        form.addRow("To", self.place)
        self.body.addLayout(form)
        self.body.addWidget(label("Its path and topic change with it, and approvals of its mappings lapse.", "dim", wrap=True))
        self.body.addStretch(1)

    def make_edit(self) -> Edit:
        places, place = self.place.ensure()
        edit = move_asset(self.workbench.project, self.asset.id, place)
        return places.then(edit, edit.name)


def show_new_asset(parent: QWidget | None, workbench: Workbench, place_id: str = "") -> NewAssetDialog:
    """Open the dialog with a place chosen: the given one, else that of the selected asset, else none."""
    selection = workbench.selection
    held = (
        workbench.project.get(Asset, selection.ids[0].split("\0")[0])
        if selection.kind in ("asset", "attribute") and selection.ids
        else None
    )
    place = place_id or (held.place if held else "")
    dialog = NewAssetDialog(workbench, place if workbench.project.get(Place, place) else "", parent)
    dialog.open()
    dialog.name.setFocus()
    return dialog


def show_rename_asset(parent: QWidget | None, workbench: Workbench, asset_id: str) -> RenameAssetDialog | None:
    held = workbench.project.get(Asset, asset_id)
    if held is None:
        return None
    dialog = RenameAssetDialog(workbench, held, parent)
    dialog.open()
    return dialog


def show_move_asset(parent: QWidget | None, workbench: Workbench, asset_id: str) -> MoveAssetDialog | None:
    held = workbench.project.get(Asset, asset_id)
    if held is None:
        return None
    dialog = MoveAssetDialog(workbench, held, parent)
    dialog.open()
    return dialog
