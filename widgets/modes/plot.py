"""Plot: drag tags in, see them together in time."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from widgets.files import ask_for_file
from widgets.keys import on_key
from widgets.look import Card
from widgets.registry import Mode
from widgets.workbench import Workbench


class PlotMode(QWidget):
    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        from widgets.plots.grid import PlotGrid  # pyqtgraph takes a third of a second to import: only who plots pays

        self._workbench = workbench
        self.grid = PlotGrid(workbench)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(Card("Plots", self.grid))
        self.grid.picture_asked.connect(self._on_picture)
        self.grid.csv_asked.connect(self._on_csv)
        workbench.plot_asked.connect(self.grid.plot_tags)
        on_key(self, "Space", self.grid.pause.toggle, children=True)

    def _on_picture(self) -> None:
        ask_for_file(self, self._workbench, "Save plots as PNG", "PNG picture (*.png)", self.grid.save_picture, save_as="plots.png")

    def _on_csv(self) -> None:
        def write(path: object) -> None:
            rows = self.grid.save_csv(path)  # type: ignore[arg-type]  # ask_for_file gives a Path
            self._workbench.said.emit(f"{rows:,} rows written to {path}")

        ask_for_file(self, self._workbench, "Export samples", "CSV (*.csv)", write, save_as="samples.csv")


MODE = Mode("plot", "Plot", "plot", 30, PlotMode, panels=("endpoints", "tags", "problems", "log"))
