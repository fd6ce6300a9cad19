"""A real window for every test, on one real demo plant for all of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.plant.process import Plant, start_plant
from app.workspace.workspace import Workspace
from tests.gui.driving import Driver
from widgets.look import install_theme
from widgets.main_window import MainWindow
from widgets.workbench import Workbench


@pytest.fixture(scope="session")
def plant() -> Iterator[Plant]:
    """Shared: nobody stops its servers or writes to them."""
    with start_plant(seed=1) as running:
        yield running


@pytest.fixture
def own_plant() -> Iterator[Plant]:
    """For tests that kill a server."""
    with start_plant(seed=1) as running:
        yield running


@pytest.fixture
def window(qtbot: QtBot, qapp: QApplication) -> Iterator[MainWindow]:
    """A window on an empty project, shown; closed afterwards with all that it started."""
    install_theme(qapp, "light")
    workspace = Workspace()
    window = MainWindow(Workbench(workspace))
    window.show()
    qtbot.waitExposed(window)
    yield window
    for _ in range(2):  # a dialog above the window may refuse the first close
        window.workbench.editor.mark_saved()
        window.close()
    window.workbench.shut_down()
    workspace.close()
    window.deleteLater()
    for widget in qapp.topLevelWidgets():
        widget.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    qapp.processEvents()


@pytest.fixture
def workbench(window: MainWindow) -> Workbench:
    return window.workbench


@pytest.fixture
def gui(window: MainWindow, qtbot: QtBot) -> Driver:
    """Hands and eyes: what tests do to the window and wait for."""
    return Driver(window, qtbot)
