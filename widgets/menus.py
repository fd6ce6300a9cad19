"""Menus, shortcuts and the Find list, all made from the registered actions."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu

from widgets.look import icon
from widgets.registry import Action, actions

if TYPE_CHECKING:
    from widgets.main_window import MainWindow

MENUS = ("File", "Edit", "View", "Endpoint", "Tags", "Mapping", "Plot", "Deploy", "Help")


class Menus(QObject):
    """The menu bar of one window."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._made: dict[str, QAction] = {}
        self.actions = {action.key: action for action in actions()}
        for title in MENUS:
            listed = sorted((a for a in self.actions.values() if a.menu.split("/", 1)[0] == title), key=lambda a: a.order)
            if listed:
                self._fill(window.menuBar().addMenu(title), listed)
        workbench = window.workbench
        for signal in (workbench.edited, workbench.selection_changed, workbench.project_replaced, workbench.saved_changed):
            signal.connect(self.refresh)
        self.refresh()

    def _fill(self, menu: QMenu, listed: list[Action]) -> None:
        menu.aboutToShow.connect(self.refresh)
        submenus: dict[str, QMenu] = {}
        for before, action in pairwise([None, *listed]):
            assert action is not None
            if before is not None and before.order // 10 != action.order // 10:
                menu.addSeparator()
            target = menu
            if "/" in action.menu:
                name = action.menu.split("/", 1)[1]
                target = submenus.get(name) or submenus.setdefault(name, menu.addMenu(name))
            target.addAction(self._make(action))

    def _make(self, action: Action) -> QAction:
        made = QAction(action.title, self._window)
        made.setObjectName(action.key)
        if action.icon:
            made.setIcon(icon(action.icon))
        if action.shortcut:
            made.setShortcut(QKeySequence(action.shortcut))
        made.setCheckable(action.checked is not None)
        made.triggered.connect(lambda: action.run(self._window))
        self._window.addAction(made)
        self._made[action.key] = made
        return made

    def refresh(self) -> None:
        """Ask every action for its title and whether it can be run."""
        workbench = self._window.workbench
        for key, made in self._made.items():
            action = self.actions[key]
            made.setEnabled(action.enabled(workbench))
            if action.text is not None:
                made.setText(action.text(workbench))
            if action.checked is not None:
                made.setChecked(action.checked(workbench))

    def trigger(self, key: str) -> None:
        """Run an action as its menu entry would; does nothing when it is disabled."""
        self.refresh()
        self._made[key].trigger()

    def entries(self, keys: Iterable[str]) -> list[QAction]:
        """The QActions of these keys, for context menus: the same entries, shortcuts and enabling."""
        self.refresh()
        return [self._made[key] for key in keys]
