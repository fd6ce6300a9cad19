"""Every piece of the look in one window, to be looked at after a change.

``python -m widgets.look.gallery [light|dark|system] [workbench|controls|icons] [OUT.png]`` shows the page, or writes it to a
file and ends.
The words in it are samples; nothing here is connected to anything.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final

from PySide6.QtWidgets import QApplication, QHBoxLayout, QLineEdit, QMainWindow, QWidget

from widgets.look import ConnectionChip, Rail, RailMode, app_icon, as_choice, icon, install_theme, label
from widgets.look.gallery_controls import controls_page, icons_page
from widgets.look.gallery_workbench import workbench_page

_MODES: Final = (
    RailMode("connect", "Connect", "connect", "Endpoints and live values"),
    RailMode("map", "Map", "map", "Source tags to attributes"),
    RailMode("plot", "Plot", "plot", "Signals over time"),
    RailMode("review", "Review", "review", "What changed since approval"),
    RailMode("deploy", "Deploy", "deploy", "Gateway configuration"),
    RailMode("checkout", "Check out", "checkout", "Point by point"),
)


class Gallery(QMainWindow):
    """A page of samples. Pages: `PAGES`."""

    def __init__(self, page: str = "workbench") -> None:
        super().__init__()
        self.setWindowTitle("Tagloom look")
        self.resize(1366, 768)
        self._build_menus()
        root = QWidget()
        row = QHBoxLayout(root)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        self.rail = Rail(_MODES)
        for key, count in (("map", 12), ("review", 3), ("deploy", 2), ("checkout", 1188)):
            self.rail.set_count(key, count)
        self.rail.choose("map")
        row.addWidget(self.rail)
        row.addWidget(PAGES[page](), 1)
        self.setCentralWidget(root)
        bar = self.statusBar()
        bar.setSizeGripEnabled(False)
        for name, state, detail in (
            ("filler-opcua", "connected", "4,812/s  rtt 2 ms"),
            ("meter-modbus", "waiting", "no answer since 14:02:07, retry in 3 s"),
        ):
            chip = ConnectionChip(name)
            chip.set_state(state, detail)  # type: ignore[arg-type]  # the loop widens the literal to str
            bar.addWidget(chip)
        bar.addPermanentWidget(label("212 tags   ·   180 mapped   ·   3 to review   ·   saved 14:02", "dim"))

    def _build_menus(self) -> None:
        for name in ("File", "Edit", "View", "Endpoint", "Tags", "Mapping", "Plot", "Deploy", "Help"):
            menu = self.menuBar().addMenu(name)
            menu.addAction(icon("open"), "Open…")
            menu.addAction(icon("save"), "Save").setEnabled(False)


PAGES: Final[dict[str, Callable[[], QWidget]]] = {"workbench": workbench_page, "controls": controls_page, "icons": icons_page}


def main(arguments: list[str]) -> int:
    """Entry of ``python -m widgets.look.gallery``."""
    application = QApplication.instance() or QApplication(arguments[:1])
    if not isinstance(application, QApplication):
        raise TypeError("another kind of application is running")
    choice, page, out = (*arguments[1:4], *("system", "workbench", "")[len(arguments) - 1 :])
    install_theme(application, as_choice(choice))
    application.setWindowIcon(app_icon())
    window = Gallery(page)
    window.show()
    if not out:
        return application.exec()
    focused = window.findChild(QLineEdit, "focus-me")
    if focused is not None:
        window.activateWindow()
        focused.setFocus()
    application.processEvents()
    application.processEvents()
    return 0 if window.grab().save(out) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv))
