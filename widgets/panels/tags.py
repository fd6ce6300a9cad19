"""Tags as a narrow list, to drag from in the modes whose middle is something else."""

from __future__ import annotations

from widgets.models.tag_table import NAME, UNIT, VALUE
from widgets.registry import Panel
from widgets.tag_table import TagTable
from widgets.workbench import Workbench


class TagsPanel(TagTable):
    """The tag table with name, value and unit only."""

    owner = "tags-panel"

    def __init__(self, workbench: Workbench) -> None:
        super().__init__(workbench)
        for column in range(self.model.columnCount()):
            self.view.setColumnHidden(column, column not in (NAME, VALUE, UNIT))
        for widget in (self.lists, self.watch_all, self.import_csv):
            widget.hide()


PANEL = Panel("tags", "Tags", "left", TagsPanel, 20)
