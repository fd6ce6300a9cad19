"""*Make asset type from these* for tags of the project: Modbus rows have no object in an address space to begin from."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QWidget

from app.drivers.base import NodeDetails
from app.errors import UserError
from app.model.plant import Tag
from widgets.workbench import Workbench


def details_of_tag(tag: Tag) -> NodeDetails:
    """What the project knows of a source, in the form a source itself would tell."""
    return NodeDetails(
        id=tag.address,
        name=tag.name,
        path=tag.path,
        node_class="variable",
        type=tag.type,
        unit=tag.unit,
        low=tag.low,
        high=tag.high,
        enum=dict(tag.enum),
        access=tag.access,
        description=tag.description,
    )


def show_make_type_of_tags(parent: QWidget | None, workbench: Workbench, tags: Sequence[str]) -> None:
    """The dialog for selected tags; they stay as they are and feed the new asset."""
    found = [tag for id_ in tags if (tag := workbench.tag(id_))]
    endpoints = {tag.endpoint for tag in found}
    if len(endpoints) != 1:
        why = "the tags belong to several endpoints" if endpoints else "no tag is selected"
        workbench.failed.emit(UserError("No asset type made", where="Tags", why=why, fix="Select tags of one endpoint"))
        return
    endpoint = endpoints.pop()
    held = workbench.endpoint(endpoint)
    nodes = [details_of_tag(tag) for tag in found]
    from widgets.dialogs.make_type import MakeTypeDialog

    MakeTypeDialog(workbench, endpoint, nodes, held.name if held else "Device", "", parent).open()
