"""The projects that were open last; one click opens one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QListWidget, QListWidgetItem, QVBoxLayout

from widgets.look import EmptyState

if TYPE_CHECKING:
    from widgets.main_window import MainWindow


def show_recent(window: MainWindow) -> None:
    dialog = QDialog(window)
    dialog.setWindowTitle("Open recent project")
    dialog.resize(560, 360)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    layout = QVBoxLayout(dialog)
    recent = window.workbench.workspace.recent_projects()
    if not recent:
        layout.addWidget(EmptyState("folder-open", "No project has been opened yet", "Projects that you open or save are listed here."))
    else:
        layout.addWidget(_listed(window, dialog, recent))
    dialog.open()


def _listed(window: MainWindow, dialog: QDialog, recent: list[tuple[Path, str]]) -> QListWidget:
    rows = QListWidget()
    rows.setAccessibleName("Recent projects")
    for path, name in recent:
        item = QListWidgetItem(f"{name or path.stem}\n{path}")
        item.setData(Qt.ItemDataRole.UserRole, str(path))
        if not path.exists():
            item.setFlags(Qt.ItemFlag.NoItemFlags)
            item.setText(f"{name or path.stem} (not found)\n{path}")
        rows.addItem(item)

    def chosen(item: QListWidgetItem) -> None:
        dialog.accept()
        window.open_project(Path(str(item.data(Qt.ItemDataRole.UserRole))))

    rows.itemActivated.connect(chosen)
    return rows
