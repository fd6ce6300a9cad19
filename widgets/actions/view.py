"""View: modes, panels, theme, layout."""

from __future__ import annotations

from functools import partial

from app.drivers.modbus.address import NOTATION_TITLES
from widgets.clock import is_utc
from widgets.look import theme
from widgets.look.theme import as_choice
from widgets.main_window import MainWindow
from widgets.notation import SETTING, notation
from widgets.registry import Action, Mode, Panel, modes, panels
from widgets.workbench import Workbench


def _show_mode(mode: Mode, window: MainWindow) -> None:
    window.show_mode(mode.key)


def _show_panel(panel: Panel, window: MainWindow) -> None:
    dock = window.docks()[panel.key]
    dock.show()
    dock.raise_()


def _choose_theme(choice: str, window: MainWindow) -> None:
    theme().choose(as_choice(choice))
    window.workbench.workspace.set_setting("theme", choice)


def _is_theme(choice: str, _: Workbench) -> bool:
    return theme().choice == choice


def _switch_utc(window: MainWindow) -> None:
    window.workbench.set_setting("utc", not is_utc(window.workbench))


_THEMES = {"light": "Light", "dark": "Dark", "system": "As the system"}


def _mode_action(number: int, mode: Mode) -> Action:
    return Action(f"view.mode.{mode.key}", mode.title, "View", partial(_show_mode, mode), f"Ctrl+{number}", mode.icon, 10)


def _panel_action(panel: Panel) -> Action:
    return Action(f"view.panel.{panel.key}", panel.title, "View/Panels", partial(_show_panel, panel), "", "", 20)


def _theme_action(choice: str, title: str) -> Action:
    run, checked = partial(_choose_theme, choice), partial(_is_theme, choice)
    return Action(f"view.theme.{choice}", title, "View/Theme", run, "", "", 21, checked=checked, keywords="dark light colours")


def _choose_notation(choice: str, window: MainWindow) -> None:
    window.workbench.set_setting(SETTING, choice)


def _is_notation(choice: str, workbench: Workbench) -> bool:
    return notation(workbench) == choice


def _notation_action(choice: str, title: str) -> Action:
    run, checked = partial(_choose_notation, choice), partial(_is_notation, choice)
    words = "modbus register zero-based one-based modicon hexadecimal"
    return Action(
        f"view.notation.{choice or 'zero-based'}", title, "View/Modbus addresses", run, "", "", 21, checked=checked, keywords=words
    )


ACTIONS = [
    *(_mode_action(number, mode) for number, mode in enumerate(modes(), 1)),
    *(_panel_action(panel) for panel in panels()),
    *(_theme_action(choice, title) for choice, title in _THEMES.items()),
    *(_notation_action(choice, title) for choice, title in NOTATION_TITLES.items()),
    Action("view.utc", "Times in UTC", "View", _switch_utc, order=21, checked=is_utc, keywords="local time zone clock"),
    Action("view.reset_layout", "Reset layout", "View", lambda window: window.reset_layout(), "", "", 22, keywords="docks panels"),
]
