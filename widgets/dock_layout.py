"""Where the docks stand, per mode: kept and put back dock by dock.

Not by ``QMainWindow.restoreState``: every call of it leaves the tab bars of the layout before on the screen (Qt 6.11: three
calls, three ghosts), and tabs made before the window is shown leave one too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import msgspec
from PySide6.QtCore import QRect, Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow, QWidget
from shiboken6 import isValid

AREAS = {
    "left": Qt.DockWidgetArea.LeftDockWidgetArea,
    "right": Qt.DockWidgetArea.RightDockWidgetArea,
    "bottom": Qt.DockWidgetArea.BottomDockWidgetArea,
    "top": Qt.DockWidgetArea.TopDockWidgetArea,
}
_NAMES = {area: name for name, area in AREAS.items()}


class Group(msgspec.Struct, frozen=True):
    """Docks that share a place as tabs (or one alone). ``size_px`` is the width, at top and bottom the height."""

    area: str
    docks: tuple[str, ...]
    size_px: int
    current: str = ""


class Floating(msgspec.Struct, frozen=True):
    dock: str
    box: tuple[int, int, int, int]


class Layout(msgspec.Struct, frozen=True):
    """All that is shown; docks that are not named are hidden."""

    groups: tuple[Group, ...] = ()
    floating: tuple[Floating, ...] = ()


class DockLayout:
    """Reads and sets the layout of one window's docks, by their keys."""

    def __init__(self, window: QMainWindow, docks: Mapping[str, QDockWidget]) -> None:
        self._window, self._docks = window, docks
        for dock in docks.values():
            for signal in (dock.visibilityChanged, dock.dockLocationChanged, dock.topLevelChanged):
                signal.connect(lambda _, dock=dock: self._dress(dock))

    def current(self) -> Layout:
        """What is on the screen now."""
        seen: set[str] = set()
        groups: list[Group] = []
        floating: list[Floating] = []
        keys = {dock: key for key, dock in self._docks.items()}
        for key, dock in self._docks.items():
            if dock.isHidden() or key in seen:
                continue
            if dock.isFloating():
                box = dock.geometry()
                floating.append(Floating(key, (box.x(), box.y(), box.width(), box.height())))
                continue
            tabbed = [dock, *(other for other in self._window.tabifiedDockWidgets(dock) if not other.isHidden())]
            members = tuple(name for name, other in self._docks.items() if other in tabbed)
            seen.update(members)
            front = next((keys[other] for other in tabbed if not other.visibleRegion().isEmpty()), members[0])
            area = _NAMES.get(self._window.dockWidgetArea(dock), "left")
            size = dock.height() if area in ("top", "bottom") else dock.width()
            groups.append(Group(area, members, size, front))
        return Layout(tuple(groups), tuple(floating))

    def apply(self, layout: Layout) -> None:
        """Show exactly this. The window must be shown, or tabs leave ghosts."""
        shown = {key for group in layout.groups for key in group.docks} | {entry.dock for entry in layout.floating}
        for key, dock in self._docks.items():
            if key not in shown:
                dock.hide()
        for group in layout.groups:
            self._place(group)
        for entry in layout.floating:
            if loose := self._docks.get(entry.dock):
                loose.setFloating(True)
                loose.setGeometry(QRect(*entry.box))
                loose.show()
        for group in layout.groups:
            if front := self._docks.get(group.current):
                front.raise_()
        self.resize(layout)
        for dock in self._docks.values():
            self._dress(dock)

    def resize(self, layout: Layout) -> None:
        """One call per orientation: of several, the last takes its space from the docks of those before.

        Sizes hold only once the docks are laid out, so that is done first.
        """
        if inner := self._window.layout():
            inner.activate()
        for orientation, areas in ((Qt.Orientation.Horizontal, ("left", "right")), (Qt.Orientation.Vertical, ("top", "bottom"))):
            first = {group.area: group for group in reversed(layout.groups) if group.docks[0] in self._docks}  # those below it follow
            groups = [first[area] for area in areas if area in first]
            if groups:
                self._window.resizeDocks(
                    [self._docks[group.docks[0]] for group in groups], [group.size_px for group in groups], orientation
                )

    def _place(self, group: Group) -> None:
        docks = [self._docks[key] for key in group.docks if key in self._docks]
        area = AREAS.get(group.area, AREAS["left"])
        for dock in docks:
            others = self._window.tabifiedDockWidgets(dock)
            stranger = any(not other.isHidden() and other not in docks for other in others)
            if dock.isFloating() or stranger or self._window.dockWidgetArea(dock) != area:
                dock.setFloating(False)
                self._window.addDockWidget(area, dock)
            dock.show()
        for first, second in pairwise(docks):
            if second not in self._window.tabifiedDockWidgets(first):
                self._window.tabifyDockWidget(first, second)

    def _dress(self, dock: QDockWidget) -> None:
        """Docks that share a place show their names as tabs; a title bar would say them twice."""
        if not isValid(self._window):
            return  # docks hide once more while their window is being deleted
        others: Sequence[QDockWidget] = self._window.tabifiedDockWidgets(dock)
        tabbed = any(not other.isHidden() for other in others) and not dock.isFloating()
        bar = dock.titleBarWidget()
        if tabbed == (bar is not None):
            return
        if tabbed:
            dock.setTitleBarWidget(QWidget(dock))
            return
        dock.setTitleBarWidget(None)  # type: ignore[arg-type]  # None restores the native title bar (Qt documentation)
        bar.deleteLater()


def encode(layout: Layout) -> str:
    return msgspec.json.encode(layout).decode()


def decode(text: str) -> Layout | None:
    """None for a text that is no layout: an older version's, or a broken one; the default then serves."""
    try:
        return msgspec.json.decode(text, type=Layout)
    except msgspec.DecodeError:
        return None
