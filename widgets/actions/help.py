"""Help: what this is, which versions."""

from __future__ import annotations

import platform

import PySide6
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox

from widgets.main_window import MainWindow
from widgets.registry import Action


def _about(window: MainWindow) -> None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        own = version("tagloom")
    except PackageNotFoundError:
        own = "from a checkout"
    box = QMessageBox(window)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setWindowTitle("About Tagloom")
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(f"Tagloom {own}")
    versions = f"Python {platform.python_version()}, PySide6 {PySide6.__version__}, {platform.platform()}"
    box.setInformativeText(f"{versions}\nApache-2.0; uses PySide6 and asyncua under the LGPL.")
    box.open()


ACTIONS = [Action("help.about", "About Tagloom", "Help", _about, order=90)]
