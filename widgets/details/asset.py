"""An asset and an asset type: what they are, how far they are mapped, where they are used."""

from __future__ import annotations

from collections.abc import Callable

from app.edits.assets import remove_asset_type, remove_assets
from app.mapping.message import topic_of
from app.mapping.transform import symbol
from app.model.itmodel import Asset, AssetType, Attribute
from app.model.resolve import attributes, lineage, path_of
from app.review.approval import review_state
from widgets.attribute_rows import range_text
from widgets.details.attribute import AttributeView
from widgets.details.sheet import Sheet
from widgets.dialogs import show_asset_type, show_delivery, show_move_asset, show_rename_asset
from widgets.flow_row import flow_row
from widgets.look import KeyValue, button
from widgets.workbench import Workbench

__all__ = ["AssetTypeView", "AssetView", "AttributeView"]


class AssetView(Sheet):
    """Counts and topic of an asset."""

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self._workbench = workbench
        self.edit_type = button("Edit type…", "asset-type")
        self.delivery = button("Delivery…", "wire")
        self.rename_button = button("Rename…", kind="flat")
        self.move_button = button("Move…", kind="flat")
        self.remove_button = button("Remove", "remove", kind="flat")
        self._actions = flow_row(self.edit_type, self.delivery, self.rename_button, self.move_button, self.remove_button)
        self.body.addWidget(self._actions)
        self.body.addStretch(1)
        self.edit_type.clicked.connect(lambda: self._with_asset(lambda asset: show_asset_type(self.window(), workbench, asset.asset_type)))
        self.delivery.clicked.connect(lambda: self._with_asset(lambda asset: show_delivery(self.window(), workbench, asset.asset_type)))
        self.rename_button.clicked.connect(lambda: self._with_asset(lambda asset: show_rename_asset(self.window(), workbench, asset.id)))
        self.move_button.clicked.connect(lambda: self._with_asset(lambda asset: show_move_asset(self.window(), workbench, asset.id)))
        self.remove_button.clicked.connect(lambda: self._with_asset(lambda _: self._on_remove()))
        workbench.findings_changed.connect(self._on_findings_changed)

    def _asset(self) -> Asset | None:
        selection = self._workbench.selection
        return self._workbench.project.get(Asset, selection.ids[0]) if selection.kind == "asset" and selection.ids else None

    def _with_asset(self, run: Callable[[Asset], object]) -> None:
        asset = self._asset()
        if asset is not None:
            run(asset)

    def _on_findings_changed(self) -> None:
        if self.isVisible() and self._workbench.selection.kind == "asset":
            self.refresh()

    def refresh(self) -> None:
        project, asset = self._workbench.project, self._asset()
        self._actions.setVisible(asset is not None)
        if asset is None:
            self.show_rows("", "this asset is no longer in the project", [])
            return
        type_ = project.get(AssetType, asset.asset_type)
        found = attributes(project, asset.asset_type)
        fed = {(mapping.attribute, mapping.within): mapping for mapping in project.mappings_of(asset.id)}
        mapped = [fed[row.attribute.id, row.within] for row in found if (row.attribute.id, row.within) in fed]
        required = [row.path for row in found if row.attribute.required and (row.attribute.id, row.within) not in fed]
        states = [review_state(project, mapping.id) for mapping in mapped]
        path = path_of(project, asset)
        rows = [
            KeyValue("Path", path),
            KeyValue("Type", f"{type_.name} {type_.version}".strip() if type_ else asset.asset_type),
            KeyValue("Mapped", f"{len(mapped)} of {len(found)} attributes"),
        ]
        if required:
            rows.append(KeyValue("Missing", f"{len(required)} required: {', '.join(required[:5])}"))
        if mapped:
            rows.append(KeyValue("Approved", f"{states.count('approved')} of {len(mapped)}"))
        if changed := states.count("changed"):
            rows.append(KeyValue("Changed", f"{changed} since their approval"))
        problems = [one for one in self._workbench.findings if one.place == path or one.place.startswith(f"{path}/")]
        rows.append(KeyValue("Problems", f"{len(problems)}" if problems else "none"))
        delivery = project.delivery_for(asset.asset_type)
        per = "one message" if delivery.message == "asset" else "one message per attribute"
        rows += [KeyValue("Topic", topic_of(project, asset)), KeyValue("Delivery", f"{per}, QoS {delivery.qos}")]
        if asset.description:
            rows.append(KeyValue("Description", asset.description))
        self.show_rows(asset.title or asset.name, "asset" if not asset.title else asset.name, rows)

    def _on_remove(self) -> None:
        ids = [id_ for id_ in self._workbench.selection.ids if self._workbench.project.get(Asset, id_)]
        if self._workbench.attempt(lambda: remove_assets(self._workbench.project, ids)):
            self._workbench.said.emit("Removed with its mappings; undo brings them back")


class AssetTypeView(Sheet):
    """The attributes of an asset type, and where it is used."""

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self._workbench = workbench
        self.edit = button("Edit…", "asset-type", kind="primary")
        self.delivery = button("Delivery…", "wire")
        self.remove_button = button("Remove", "remove", kind="flat")
        self._actions = flow_row(self.edit, self.delivery, self.remove_button)
        self.body.addWidget(self._actions)
        self.body.addStretch(1)
        self.edit.clicked.connect(lambda: show_asset_type(self.window(), workbench, self._id))
        self.delivery.clicked.connect(lambda: show_delivery(self.window(), workbench, self._id))
        self.remove_button.clicked.connect(self._on_remove)

    @property
    def _id(self) -> str:
        return self._workbench.selection.ids[0]

    def refresh(self) -> None:
        project = self._workbench.project
        type_ = project.get(AssetType, self._id)
        self._actions.setVisible(type_ is not None)
        if type_ is None:
            self.show_rows("", "this asset type is no longer in the project", [])
            return
        assets = project.assets_of(type_.id)
        rows = [KeyValue("Assets", ", ".join(asset.name for asset in assets[:6]) + (" …" if len(assets) > 6 else "") or "none")]
        if ancestors := lineage(project, type_.id)[1:]:
            rows.append(KeyValue("Extends", " ← ".join(one.name for one in ancestors)))
        if type_.description:
            rows.append(KeyValue("Description", type_.description))
        found = attributes(project, type_.id)
        rows.append(KeyValue(f"{len(found)} attributes", heading=True))
        rows += [KeyValue(row.path, _signature(row.attribute)) for row in found[:300]]
        self.show_rows(
            type_.title or type_.name, " · ".join(filter(None, ("asset type", type_.name if type_.title else "", type_.version))), rows
        )

    def _on_remove(self) -> None:
        if self._workbench.attempt(lambda: remove_asset_type(self._workbench.project, self._id)):
            self._workbench.said.emit("Removed with its assets and their mappings; undo brings them back")


def _signature(attribute: Attribute) -> str:
    """``float64, kPa, 0 … 800, required``."""
    words = [attribute.data_type, symbol(attribute.unit) if not range_text(attribute) else "", range_text(attribute)]
    return ", ".join(filter(None, [*words, "required" if attribute.required else ""]))
