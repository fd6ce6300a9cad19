"""What watching many tags costs their devices, said before it begins; asked where a device may not stand it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget

from app.errors import UserError
from app.runtime.load import LoadEstimate, estimate_tags, load_text
from widgets.workbench import Workbench


def estimates(workbench: Workbench, tags: Sequence[str]) -> list[tuple[str, LoadEstimate]]:
    """Name of each endpoint that has some of these tags, and what it would have to do.

    Raises:
        UserError: An endpoint whose address or settings are wrong.
    """
    live, project = workbench.live, workbench.project
    owners = dict.fromkeys(tag.endpoint for one in tags if (tag := workbench.tag(one)) is not None)
    return [
        (endpoint.name, estimate_tags(project, id_, tags, live.state(id_).report, url=live.url_of(id_)))
        for id_ in owners
        if (endpoint := workbench.endpoint(id_)) is not None
    ]


def watch_all_saying_what_it_costs(
    parent: QWidget, workbench: Workbench, tags: Sequence[str], begin: Callable[[], object], give_up: Callable[[], object]
) -> None:
    """Begin at once where no device is asked too much, and say what it is; else ask first, without blocking."""
    try:
        found = estimates(workbench, tags)
    except UserError as error:
        workbench.failed.emit(error)
        begin()
        return
    text = load_text(found)
    if not any(estimate.warnings for _, estimate in found):
        workbench.said.emit(text.replace("\n", "; ") or "No tags to watch")
        begin()
        return
    box = QMessageBox(QMessageBox.Icon.Warning, "Watch all", f"Watch all {len(tags):,} tags?", parent=parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setInformativeText(text)
    yes = box.addButton("Watch all", QMessageBox.ButtonRole.AcceptRole)
    box.addButton(QMessageBox.StandardButton.Cancel)
    box.finished.connect(lambda _: begin() if box.clickedButton() is yes else give_up())
    box.open()
