"""Tags: import, rename, remove, plot."""

from __future__ import annotations

from app.edits.tags import remove_tags
from app.model.plant import Endpoint
from widgets.dialogs.import_tags import show_import_tags
from widgets.main_window import MainWindow
from widgets.modes.connect import ConnectMode
from widgets.registry import Action
from widgets.workbench import Workbench


def _tags(workbench: Workbench) -> list[str]:
    return list(workbench.selection.ids) if workbench.selection.kind == "tag" else []


def _any_tag(workbench: Workbench) -> bool:
    return bool(_tags(workbench))


def _import(window: MainWindow) -> None:
    show_import_tags(window, window.workbench)


def _remove(window: MainWindow) -> None:
    workbench = window.workbench
    workbench.attempt(lambda: remove_tags(workbench.project, _tags(workbench)))


def _rename(window: MainWindow) -> None:
    window.show_mode("connect")
    mode = window.mode_widget("connect")
    assert isinstance(mode, ConnectMode)
    mode.tags.rename_selected()


def _plot(window: MainWindow) -> None:
    window.mode_widget("plot")
    window.workbench.plot_asked.emit(_tags(window.workbench))
    window.show_mode("plot")


ACTIONS = [
    Action("tags.import", "Import CSV…", "Tags", _import, "Ctrl+I", "import", 10, lambda workbench: bool(workbench.project.all(Endpoint))),
    Action("tags.rename", "Rename", "Tags", _rename, "F2", "", 20, _any_tag),
    Action("tags.plot", "Plot", "Tags", _plot, "Ctrl+P", "plot-add", 21, _any_tag),
    Action("tags.remove", "Remove", "Tags", _remove, "Del", "remove", 30, _any_tag),
]
