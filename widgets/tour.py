"""Drives the window through every mode and takes a picture of each: for the README, for tests, and for looking at after a change."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEventLoop, QTimer

from app.model.itmodel import Asset
from app.model.plant import Tag
from widgets.look import theme
from widgets.look.theme import as_choice
from widgets.main_window import MainWindow
from widgets.models.address_space import AddressSpaceModel
from widgets.panels.endpoints import EndpointsPanel

_LOGGER = logging.getLogger(__name__)
SETTLE_S = 2.5
CONNECT_S = 30.0


class Tour:
    """One pass over the window, light then dark. ``run`` returns an exit code: 1 when something that should be live is not."""

    def __init__(self, window: MainWindow, folder: Path) -> None:
        self._window, self._folder = window, folder
        self._problems: list[str] = []

    def run(self) -> int:
        self._folder.mkdir(parents=True, exist_ok=True)
        workbench = self._window.workbench
        if not self._wait(self._all_connected, CONNECT_S):
            self._problems.append("not every endpoint was connected in time")
        self._expand_tree()
        for choice in ("light", "dark"):
            theme().choose(as_choice(choice))
            for mode in self._window.mode_keys():
                self._window.show_mode(mode)
                self._prepare(mode)
                self._settle(SETTLE_S if choice == "light" else 1.2)
                picture = self._folder / f"{mode}-{choice}.png"
                self._window.grab().save(str(picture), "PNG", 0)
        if not any(workbench.live.reading(tag).sample for tag in workbench.project.all(Tag)):
            self._problems.append("no tag has a value")
        for problem in self._problems:
            _LOGGER.error("tour: %s", problem)
        workbench.editor.mark_saved()
        self._window.close()
        self._settle(0.1)
        return 1 if self._problems else 0

    def _all_connected(self) -> bool:
        workbench = self._window.workbench
        return all(workbench.live.state(id_).phase == "connected" for id_ in workbench.endpoints())

    def _prepare(self, mode: str) -> None:
        """Select what makes the picture say something."""
        workbench = self._window.workbench
        tags = list(workbench.project.all(Tag))
        assets = sorted(workbench.project.all(Asset).values(), key=lambda asset: asset.name)
        if mode == "connect" and tags:
            workbench.tag_asked.emit(tags[0])
        elif mode in ("map", "review", "deploy") and assets:
            mapped = [mapping for asset in assets for mapping in workbench.project.mappings_of(asset.id)]
            if mapped:
                chosen = next((mapping for mapping in mapped if mapping.transform), mapped[0])
                workbench.select("attribute", ["\0".join((chosen.asset, chosen.attribute, *chosen.within))])

    def _expand_tree(self) -> None:
        """Open the first two levels of every endpoint."""
        panel = self._window.docks()["endpoints"].widget()
        if isinstance(panel, EndpointsPanel):
            self._settle(0.5)
            model: AddressSpaceModel = panel.model
            for row in range(model.rowCount()):
                top = model.index(row, 0)
                panel.tree.expand(top)
                self._wait(lambda top=top: model.rowCount(top) > 0 and model.node(top).token is None, 5.0)  # type: ignore[misc]  # mypy cannot infer a lambda with a default
                if model.rowCount(top):
                    panel.tree.expand(model.index(0, 0, top))

    def _wait(self, done: Callable[[], bool], seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while not done() and time.monotonic() < deadline:
            self._settle(0.05)
        return done()

    def _settle(self, seconds: float) -> None:
        """Let Qt run for a while: samples arrive, plots draw."""
        loop = QEventLoop()
        QTimer.singleShot(round(seconds * 1000), loop.quit)
        loop.exec()
