"""Where to save: asked for a new project, for *Save as*, and before something that would lose unsaved changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from widgets.files import ask_for_file

if TYPE_CHECKING:
    from widgets.main_window import MainWindow

PROJECTS = "Tagloom projects (*.tagloom)"


def show_save_as(window: MainWindow, then: Callable[[], object] = lambda: None) -> None:
    """Ask for a file and save there; ``then`` is called only when it was saved."""
    workbench = window.workbench
    name = workbench.path.name if workbench.path else f"{workbench.project.info.name or 'project'}.tagloom"

    def save(path: Path) -> None:
        workbench.save(path)
        then()

    ask_for_file(window, workbench, "Save project as", PROJECTS, save, save_as=name)
