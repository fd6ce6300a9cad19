"""Starts Qt: theme, log, crash handler, one window."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from app.errors import UserError
from app.workspace.logfile import start_logging
from app.workspace.workspace import Workspace
from widgets.dialogs.crash import CrashHandler
from widgets.idle import once_idle
from widgets.look import app_icon, install_theme
from widgets.look.theme import as_choice
from widgets.main_window import MainWindow
from widgets.steady import keep_steady
from widgets.workbench import Workbench

ICON_MS: Final = 60
"""The icon in all its sizes is drawn once the window has been painted."""


class Running(NamedTuple):
    """What is kept alive while the window is open."""

    application: QApplication
    window: MainWindow
    crash_handler: CrashHandler


def start(project: Path | None = None, reach: Mapping[str, str] | None = None, *, connect: bool = False, theme: str = "") -> Running:
    """Open the window.

    Args:
        project: A project file to open; an error is shown in the window.
        reach: Endpoint name → URL where it is reached from here, for this run only.
        connect: Connect every endpoint at once. Opening never does; the demo asks for it.
        theme: Overrides the setting.
    """
    application = QApplication.instance()
    if not isinstance(application, QApplication):
        application = QApplication(sys.argv[:1])
    application.setApplicationName("Tagloom")
    start_logging("window")
    workspace = Workspace()
    install_theme(application, as_choice(theme or str(workspace.setting("theme"))))
    workbench = Workbench(workspace)
    error = _open(workbench, project) if project is not None else None
    window = MainWindow(workbench)
    handler = CrashHandler(window)
    handler.user_error.connect(window.show_error)
    handler.install()
    if error is not None:
        window.show_error(error)
    elif project is not None:
        _reach(workbench, reach or {}, connect)
    window.show()
    keep_steady(window)
    once_idle(window, lambda: QTimer.singleShot(ICON_MS, application, lambda: application.setWindowIcon(app_icon())))
    return Running(application, window, handler)


def _open(workbench: Workbench, project: Path) -> UserError | None:
    """Before there is a window, which would show an empty project first."""
    try:
        workbench.open(project)
    except UserError as error:
        return error
    return None


def _reach(workbench: Workbench, reach: Mapping[str, str], connect: bool) -> None:
    ids = {endpoint.name: id_ for id_, endpoint in workbench.endpoints().items()}
    for name, url in reach.items():
        if name in ids:
            workbench.live.set_reach(ids[name], url)
    if connect:
        workbench.live.connect_all()
