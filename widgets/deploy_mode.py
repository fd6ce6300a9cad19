"""Deploy: the files of a gateway target, what they cannot say of this project, and writing them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QSplitter, QStackedLayout, QStackedWidget, QTableView, QVBoxLayout, QWidget

from app.errors import UserError
from app.gateways import write_export
from app.gateways.base import Rendered
from app.model.mapping import Mapping
from widgets.file_views import FileViews
from widgets.files import ask_for_file
from widgets.look import BadgeDelegate, Card, EmptyState, MessageBar, button, calm_table, label
from widgets.models.losses import LossesModel
from widgets.rendering import Rendering
from widgets.target_form import TargetForm
from widgets.workbench import Workbench

RENDER_DELAY_MS: Final = 300
_WIDTHS: Final = (96, 280, 250)


class DeployMode(QWidget):
    """Renders while visible, some time after the last edit; what is written is exactly what is shown."""

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self._workbench = workbench
        self._dirty = True
        self._ask_then = False
        self.rendered: Rendered | None = None
        self._rendering = Rendering(self)
        self._build()
        self._connect()
        self._on_findings_changed()

    # Building

    def _build(self) -> None:
        self.form = TargetForm(self._workbench)
        self.message = MessageBar()
        self.files = FileViews()
        self.state = label("", "dim")
        self.write = button("Write files…", "export", kind="primary")
        self._files_card = Card("Files", self.files)
        self._files_card.add_right(self.state)
        self._files_card.add_right(self.write)
        work = QSplitter(Qt.Orientation.Vertical)
        work.addWidget(self._files_card)
        work.addWidget(self._build_losses())
        work.setChildrenCollapsible(False)
        work.setSizes([420, 180])
        right = QVBoxLayout()
        right.setSpacing(8)
        right.addWidget(self.message)
        right.addWidget(work, 1)
        self.message.hide()
        whole = QWidget()
        row = QHBoxLayout(whole)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(Card("", self.form), 0)
        row.addLayout(right, 1)
        empty = EmptyState("deploy", "Nothing to hand over yet", "A gateway is configured from mapped attributes. Map some first.")
        empty.add_button("Go to Map", "map").clicked.connect(lambda: self._workbench.mode_asked.emit("map"))
        self._pages = QStackedLayout(self)
        self._pages.addWidget(whole)
        self._pages.addWidget(Card("", empty))

    def _build_losses(self) -> Card:
        self.losses = LossesModel()
        view = QTableView()
        calm_table(view, "What the target cannot express")
        view.setModel(self.losses)
        view.setItemDelegateForColumn(0, BadgeDelegate(view))
        for column, width in enumerate(_WIDTHS):
            view.setColumnWidth(column, width)
        self._loss_pages = QStackedWidget()
        self._loss_pages.addWidget(view)
        self._loss_pages.addWidget(EmptyState("ok", "Nothing is lost", "The target expresses everything that this project says."))
        self._loss_card = Card("What this target cannot express", self._loss_pages)
        return self._loss_card

    def _connect(self) -> None:
        workbench = self._workbench
        self._delay = QTimer(self, singleShot=True, interval=RENDER_DELAY_MS)
        self._delay.timeout.connect(self._render)
        self.form.changed.connect(self._on_changed)
        self.write.clicked.connect(self.ask_for_folder)
        self._rendering.done.connect(self._on_rendered)
        workbench.edited.connect(lambda _: self._on_changed())
        workbench.project_replaced.connect(self._on_changed)
        workbench.findings_changed.connect(self._on_findings_changed)

    # Rendering

    def _on_changed(self) -> None:
        self._dirty = True
        self.write.setEnabled(False)
        if self.isVisible():
            self._delay.start()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._dirty:
            self._render()

    def _render(self) -> None:
        self._pages.setCurrentIndex(0 if self._workbench.project.all(Mapping) else 1)
        exporter = self.form.exporter
        if not self.isVisible() or exporter is None or not self._workbench.project.all(Mapping):
            return
        self._dirty = False
        self.state.setText("rendering…")
        self._rendering.start(exporter, self._workbench.project, self.form.chosen())

    def _on_rendered(self, outcome: Rendered | UserError) -> None:
        if isinstance(outcome, UserError):
            self.rendered, self._ask_then = None, False
            self.files.show_files({})
            self.losses.set_losses([])
            self.state.setText("not rendered")
            self.message.show_error(outcome)
            return
        self.rendered = outcome
        self.files.show_files(outcome.files)
        self.losses.set_losses(outcome.losses)
        self._loss_pages.setCurrentIndex(0 if outcome.losses else 1)
        self._loss_card.set_count(len(outcome.losses) or None)
        self.state.setText(f"{len(outcome.files)} file{'' if len(outcome.files) == 1 else 's'}")
        self.write.setEnabled(not self._dirty)
        self._on_findings_changed()
        if self._ask_then:
            self._ask_then = False
            self.ask_for_folder()

    # What stands in the way

    def _on_findings_changed(self) -> None:
        """Errors first: files of a project with errors are wrong at the other end."""
        errors = [finding for finding in self._workbench.findings if finding.severity == "error"]
        if not errors:
            self.message.hide()
            return
        lines = "\n".join(f"{finding.place}: {finding.message}" for finding in errors[:3])
        more = f"\nand {len(errors) - 3} more" if len(errors) > 3 else ""
        count = "1 problem" if len(errors) == 1 else f"{len(errors)} problems"
        self.message.show_message(f"{count} to mend before this is deployed", "error", why=lines + more)
        self.message.add_action("Show in Problems").clicked.connect(self._show_problems)

    def _show_problems(self) -> None:
        window = self.window()
        menus = getattr(window, "menus", None)  # alone in a test there is no window around the mode
        if menus is not None:
            menus.trigger("view.panel.problems")

    # Writing

    def ask_when_rendered(self) -> None:
        """Ask for the folder now, or as soon as there is something to write."""
        if self.rendered is not None and not self._dirty and not self._rendering.busy:
            self.ask_for_folder()
        else:
            self._ask_then = True

    def ask_for_folder(self) -> QFileDialog:
        """The folder dialog; writes into what is chosen."""
        return ask_for_file(self, self._workbench, "Write files into a folder", "", self.write_into, folder=True)

    def write_into(self, folder: Path, *, overwrite: bool = False) -> None:
        """What is shown. Files that no export wrote are only replaced when that was asked for."""
        if self.rendered is None:
            return
        try:
            written = write_export(self.rendered, folder, overwrite=overwrite)
        except UserError as error:
            self.message.show_error(error)
            if not overwrite:
                again = self.message.add_action("Write all the same")
                again.clicked.connect(lambda: self.write_into(folder, overwrite=True))
            return
        self._on_findings_changed()
        self._workbench.said.emit(f"{len(written)} files written to {folder}")
