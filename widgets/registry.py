"""How modes, panels and actions are found: by the object with which their file ends. Nothing lists them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import TYPE_CHECKING, Literal

import msgspec
from PySide6.QtWidgets import QWidget

from widgets.workbench import Workbench

if TYPE_CHECKING:
    from widgets.main_window import MainWindow


class Mode(msgspec.Struct, frozen=True):
    """One step of the job; a file in ``widgets/modes`` that ends in ``MODE``.

    Attributes:
        order: Place on the rail, from left of the job to its right.
        count: What is still open here, for the badge; None or 0 shows none. Cheap: called after every edit.
        panels: Keys of the panels shown in this mode before a person arranges them.
        side_px: Width of the left and of the right panels before a person changes it.
    """

    key: str
    title: str
    icon: str
    order: int
    build: Callable[[Workbench], QWidget]
    count: Callable[[Workbench], int | None] = lambda _: None
    panels: tuple[str, ...] = ("endpoints", "details", "problems", "log")
    side_px: tuple[int, int] = (310, 290)


class Panel(msgspec.Struct, frozen=True):
    """One dock; a file in ``widgets/panels`` that ends in ``PANEL``."""

    key: str
    title: str
    area: Literal["left", "right", "bottom"]
    build: Callable[[Workbench], QWidget]
    order: int = 50


class Action(msgspec.Struct, frozen=True):
    """One command of the window: in a menu, in Ctrl+K, with a shortcut. A file in ``widgets/actions`` ends in ``ACTIONS``.

    Attributes:
        key: ``file.save``: stable, for settings and tests.
        menu: ``File``, or with a submenu ``Tags/Group``. Menus stand in the order of ux.md.
        run: Gets the window; what it needs of the project is ``window.workbench``.
        enabled: Asked when the menu opens and after every edit or change of selection.
        text: A changing title (``Undo Map fillFlow``); else ``title``.
        order: Within the menu; a jump of the tens begins a new section.
    """

    key: str
    title: str
    menu: str
    run: Callable[[MainWindow], object]
    shortcut: str = ""
    icon: str = ""
    order: int = 50
    enabled: Callable[[Workbench], bool] = lambda _: True
    text: Callable[[Workbench], str] | None = None
    checked: Callable[[Workbench], bool] | None = None
    keywords: str = ""


def modes() -> list[Mode]:
    from widgets import modes as package

    return sorted(_found(package, "MODE"), key=lambda mode: mode.order)


def panels() -> list[Panel]:
    from widgets import panels as package

    return sorted(_found(package, "PANEL"), key=lambda panel: panel.order)


def actions() -> list[Action]:
    from widgets import actions as package

    found: list[Action] = []
    for listed in _found(package, "ACTIONS"):
        found += listed
    return found


def _found(package: ModuleType, name: str) -> Iterable:  # type: ignore[type-arg]  # of whatever the files of that package end in
    for module in iter_modules(package.__path__):
        ending = getattr(import_module(f"{package.__name__}.{module.name}"), name, None)
        if ending is not None:
            yield ending
