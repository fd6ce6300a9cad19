"""Problems: every finding of the checks; a click shows the place, a context menu mends or suppresses it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QInputDialog, QMenu, QStackedLayout, QTableView, QWidget

from app.check import rules
from app.check.base import Finding
from app.edits import Edit, create
from app.model.ids import make_id
from app.model.itmodel import Asset, AssetType, Attribute
from app.model.mapping import Delivery, Mapping
from app.model.plant import Endpoint, Tag
from app.model.reviewing import Suppression
from app.model.times import rfc3339
from app.runtime.clock import SYSTEM_CLOCK
from widgets.dialogs import show_delivery, show_rebind
from widgets.look import BadgeDelegate, EmptyState, calm_table
from widgets.models.findings import FindingsModel
from widgets.registry import Panel
from widgets.workbench import Workbench

_WIDTHS = (96, 170, 260, 520)


class ProblemsPanel(QWidget):
    """The list, or the good news that it is empty."""

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self._workbench = workbench
        self.model = FindingsModel()
        self.view = QTableView()
        calm_table(self.view, "Problems")
        self.view.setModel(self.model)
        self.view.setItemDelegateForColumn(0, BadgeDelegate(self.view))
        for column, width in enumerate(_WIDTHS):
            self.view.setColumnWidth(column, width)
        self.view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.view.customContextMenuRequested.connect(self._on_menu)
        self.view.activated.connect(lambda index: self._show_place(self.model.rows[index.row()]))
        self._stack = QStackedLayout(self)
        self._stack.addWidget(EmptyState("ok", "No problems", "Checks run after every change."))
        self._stack.addWidget(self.view)
        workbench.findings_changed.connect(self._on_findings_changed)
        self._on_findings_changed()

    def _on_findings_changed(self) -> None:
        self.model.set_rows(self._workbench.findings)
        self._stack.setCurrentIndex(1 if self._workbench.findings else 0)
        dock = self.parent()
        if dock is not None:
            dock.setProperty("windowTitle", f"Problems  {len(self._workbench.findings)}" if self._workbench.findings else "Problems")

    def _on_menu(self, at: QPoint) -> None:
        index = self.view.indexAt(at)
        if not index.isValid():
            return
        finding = self.model.rows[index.row()]
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Show").triggered.connect(lambda: self._show_place(finding))
        if rules()[finding.rule].find_strayed is not None:
            menu.addAction(finding.fix).triggered.connect(lambda: show_rebind(self.window(), self._workbench, [finding.about]))
            menu.addAction("Re-bind all that were found by path…").triggered.connect(lambda: show_rebind(self.window(), self._workbench))
        elif quick := rules()[finding.rule].quick_fix:
            menu.addAction(finding.fix).triggered.connect(self._mend(quick, finding))
        menu.addAction("Suppress…").triggered.connect(lambda: self._suppress(finding))
        menu.popup(self.view.viewport().mapToGlobal(at))

    def _mend(self, quick: Callable[..., Edit], finding: Finding) -> Callable[[], object]:
        return lambda: self._workbench.attempt(lambda: quick(self._workbench.project, finding))

    def _show_place(self, finding: Finding) -> None:
        element = self._workbench.project.element(finding.about)
        match element:
            case Mapping():
                self._workbench.mode_asked.emit("map")
                self._workbench.select("attribute", ["\0".join((element.asset, element.attribute, *element.within))])
            case Asset():
                self._workbench.mode_asked.emit("map")
                self._workbench.select("asset", [element.id])
            case Tag():
                self._workbench.tag_asked.emit(element.id)
            case Endpoint():
                self._workbench.mode_asked.emit("connect")
                self._workbench.select("endpoint", [element.id], element.id)
            case Attribute():
                self._workbench.mode_asked.emit("map")
                self._workbench.select("asset type", [element.asset_type])
            case AssetType():
                self._workbench.mode_asked.emit("map")
                self._workbench.select("asset type", [element.id])
            case Delivery():
                show_delivery(self.window(), self._workbench, element.asset_type)

    def _suppress(self, finding: Finding) -> None:
        dialog = QInputDialog(self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowTitle("Suppress this problem")
        dialog.setLabelText(f"{finding.rule} at {finding.place}.\nWhy is it acceptable? The reason is kept in the project for reviewers.")
        dialog.setOkButtonText("Suppress")
        dialog.textValueSelected.connect(lambda why: self._workbench.attempt(lambda: _suppression(self._workbench, finding, why)))
        dialog.open()


def _suppression(workbench: Workbench, finding: Finding, why: str) -> Edit:
    import getpass

    by, at = getpass.getuser(), rfc3339(SYSTEM_CLOCK.wall_ns())
    id_ = make_id("suppression", finding.about, finding.rule, taken=workbench.project.ids())
    return create(f"Suppress {finding.rule}", [Suppression(id=id_, about=finding.about, rule=finding.rule, by=by, at=at, why=why)])


PANEL = Panel("problems", "Problems", "bottom", ProblemsPanel, 10)
