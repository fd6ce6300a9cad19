"""Mapping: types, assets, transforms, delivery, approval."""

from __future__ import annotations

from app.edits.mappings import unmap
from app.model.itmodel import Asset, AssetType
from app.model.mapping import Mapping
from widgets.attribute_rows import path_in_type
from widgets.dialogs import (
    import_asset_types,
    show_approve,
    show_asset_type,
    show_delivery,
    show_move_asset,
    show_new_asset,
    show_rename_asset,
    show_transform,
)
from widgets.main_window import MainWindow
from widgets.mapping_edits import target_of
from widgets.registry import Action
from widgets.workbench import Workbench


def selected_mappings(workbench: Workbench) -> list[Mapping]:
    """Mappings of the selected attributes, or of all attributes of the selected assets."""
    selection, project = workbench.selection, workbench.project
    if selection.kind == "attribute":
        return [mapping for id_ in selection.ids for mapping in project.mappings_for(*target_of(id_))]
    if selection.kind == "asset":
        return [mapping for id_ in selection.ids for mapping in project.mappings_of(id_)]
    return []


def _any_mapping(workbench: Workbench) -> bool:
    return bool(selected_mappings(workbench))


def _one_attribute(workbench: Workbench) -> bool:
    return workbench.selection.kind == "attribute" and len(selected_mappings(workbench)) == 1


def _selected_asset(workbench: Workbench) -> str:
    selection = workbench.selection
    return selection.ids[0].split("\0")[0] if selection.kind in ("asset", "attribute") and selection.ids else ""


def _selected_type(workbench: Workbench) -> str:
    """The selected asset type, or that of the selected asset; "" for none."""
    selection, project = workbench.selection, workbench.project
    if selection.kind == "asset type" and selection.ids and project.get(AssetType, selection.ids[0]):
        return selection.ids[0]
    asset = project.get(Asset, _selected_asset(workbench))
    return asset.asset_type if asset else ""


def _any_asset(workbench: Workbench) -> bool:
    return workbench.project.get(Asset, _selected_asset(workbench)) is not None


def _any_type(workbench: Workbench) -> bool:
    return bool(_selected_type(workbench))


def _new_type(window: MainWindow) -> None:
    show_asset_type(window, window.workbench, "")


def _edit_type(window: MainWindow) -> None:
    show_asset_type(window, window.workbench, _selected_type(window.workbench))


def _import_types(window: MainWindow) -> None:
    import_asset_types(window, window.workbench)


def _new_asset(window: MainWindow) -> None:
    show_new_asset(window, window.workbench)


def _rename(window: MainWindow) -> None:
    show_rename_asset(window, window.workbench, _selected_asset(window.workbench))


def _move(window: MainWindow) -> None:
    show_move_asset(window, window.workbench, _selected_asset(window.workbench))


def _transform(window: MainWindow) -> None:
    show_transform(window, window.workbench, selected_mappings(window.workbench)[0].id)


def _unmap(window: MainWindow) -> None:
    workbench = window.workbench
    workbench.attempt(lambda: unmap(workbench.project, [mapping.id for mapping in selected_mappings(workbench)]))


def _approve(window: MainWindow) -> None:
    found, project = selected_mappings(window.workbench), window.workbench.project
    words = [f"{project.all(Asset)[mapping.asset].name}/{path_in_type(project, mapping)}" for mapping in found]
    show_approve(window, window.workbench, [mapping.id for mapping in found], words)


def _delivery(window: MainWindow) -> None:
    workbench = window.workbench
    type_ = _selected_type(workbench)
    owns = type_ and workbench.project.delivery_for(type_).asset_type == type_
    show_delivery(window, workbench, type_ if owns else "")


ACTIONS = [
    Action("mapping.new_type", "New asset type…", "Mapping", _new_type, "", "asset-type", 10),
    Action("mapping.edit_type", "Edit asset type…", "Mapping", _edit_type, "", "", 11, _any_type),
    Action("mapping.import_types", "Import asset types…", "Mapping", _import_types, "", "import", 12, keywords="json schema csv model"),
    Action("mapping.new_asset", "New asset…", "Mapping", _new_asset, "Ctrl+Shift+A", "asset", 20, keywords="place equipment"),
    Action("mapping.rename_asset", "Rename asset…", "Mapping", _rename, "", "", 21, _any_asset),
    Action("mapping.move_asset", "Move asset…", "Mapping", _move, "", "place", 22, _any_asset),
    Action("mapping.transform", "Edit transform…", "Mapping", _transform, "Ctrl+T", "transform", 30, _one_attribute),
    Action("mapping.unmap", "Unmap", "Mapping", _unmap, "", "unlink", 31, _any_mapping),
    Action("mapping.approve", "Approve selected…", "Mapping", _approve, "Ctrl+Shift+R", "approve", 40, _any_mapping),
    Action("mapping.delivery", "Delivery…", "Mapping", _delivery, "", "wire", 50, keywords="topic message mqtt qos"),
]
