"""Removing an endpoint takes its tags and their mappings along: said before it is done."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget

from app.edits.endpoints import remove_endpoint
from widgets.workbench import Workbench


def remove_endpoint_asking(parent: QWidget | None, workbench: Workbench, endpoint: str) -> None:
    found = workbench.endpoint(endpoint)
    if found is None:
        return
    tags = workbench.project.tags_of(endpoint)
    mappings = {mapping.id for tag in tags for mapping in workbench.project.mappings_from(tag.id)}

    def remove() -> None:
        workbench.live.disconnect(endpoint)
        workbench.attempt(lambda: remove_endpoint(workbench.project, endpoint))

    if not tags:
        remove()
        return
    box = QMessageBox(QMessageBox.Icon.Question, "Remove endpoint", f"Remove {found.name}?", parent=parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setInformativeText(f"{len(tags):,} tags and {len(mappings):,} mappings go with it. Undo brings them back.")
    yes = box.addButton("Remove", QMessageBox.ButtonRole.DestructiveRole)
    box.addButton(QMessageBox.StandardButton.Cancel)
    box.buttonClicked.connect(lambda pressed: remove() if pressed is yes else None)
    box.open()
