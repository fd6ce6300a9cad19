"""Take a snapshot: what, where to, how fast; then how far it is. The window stays usable meanwhile."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QHBoxLayout, QLineEdit, QProgressBar, QSpinBox, QVBoxLayout, QWidget

from app.drivers import spec_for
from app.drivers.modbus.ranges import parse_ranges
from app.drivers.snapshot.lines import PART_SUFFIX, SUFFIX
from app.drivers.snapshot.writing import begun_at, named
from app.errors import UserError
from app.model.ids import slug
from app.model.plant import Endpoint
from app.runtime.survey import Survey
from app.runtime.survey_steps import PER_S, RATES, Progress, Wish
from widgets.files import ask_for_file
from widgets.look import MessageBar, button, label, set_kind
from widgets.snapshots import FILES
from widgets.workbench import Workbench

STEP_MS = 40


class TakeSnapshotDialog(QDialog):
    """Attributes: survey: What is being taken, or was; None before."""

    def __init__(self, workbench: Workbench, endpoint: Endpoint, root: str, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.workbench = workbench
        self._endpoint = endpoint
        self._spec = spec_for(workbench.live.spoken_url(endpoint.id))
        self.survey: Survey | None = None
        self.setWindowTitle(f"Take snapshot of {endpoint.name}")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._timer = QTimer(self, interval=STEP_MS)
        self._timer.timeout.connect(self._on_step)
        self._build(root)
        workbench.project_replaced.connect(self.reject)
        self._on_file_changed()
        self.resize(600, 330)

    @property
    def _is_modbus(self) -> bool:
        return self._spec.key == "modbus"

    # Building

    def _build(self, root: str) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(10)
        layout.addWidget(label(self._words(), "dim", wrap=True))
        layout.addLayout(self._build_form(root))
        self.noticed = label("", "dim", wrap=True)
        layout.addWidget(self.noticed)
        self.bar = QProgressBar(textVisible=False)
        self.bar.setAccessibleName("Progress")
        self.said = label("", wrap=True)
        layout.addWidget(self.bar)
        layout.addWidget(self.said)
        self.message = MessageBar()
        layout.addWidget(self.message)
        layout.addStretch(1)
        layout.addWidget(self._build_buttons())
        self.bar.hide()
        self.message.hide()

    def _words(self) -> str:
        asked = (
            "The registers of its tags, and those named here, are read once; no others are ever touched."
            if self._is_modbus
            else "Every node is read once, with its attributes and its value."
        )
        return f"{asked} The file opens without the plant, and its values are never shown as live. A busy device feels a high rate."

    def _build_form(self, root: str) -> QFormLayout:
        form = QFormLayout()
        self.ranges = QLineEdit(placeholderText="for example 3/holding:0-99, input:5")
        self.ranges.setAccessibleName("Other registers")
        self.root = QLineEdit("" if self._is_modbus else root, placeholderText="everything below Objects")
        self.root.setAccessibleName("Below node")
        if self._is_modbus:
            tags = len(self.workbench.project.tags_of(self._endpoint.id))
            form.addRow("Registers of", label(f"{tags:,} tags" if tags else "no tags yet: name registers"))
            form.addRow("Other registers", self.ranges)
        else:
            form.addRow("Below node", self.root)
        low, high = RATES
        self.rate = QSpinBox(minimum=int(low), maximum=int(high), value=int(PER_S))
        self.rate.setSuffix(" registers a second" if self._is_modbus else " nodes a second")
        self.rate.setAccessibleName("Rate")
        form.addRow("At most", self.rate)
        self.file = QLineEdit(str(self._proposed()))
        self.file.setAccessibleName("File")
        self.file.setCursorPosition(0)
        self.file.textChanged.connect(self._on_file_changed)
        self.choose = button("Choose…", "folder-open", kind="flat")
        self.choose.clicked.connect(self._on_choose)
        row = QHBoxLayout()
        row.addWidget(self.file, 1)
        row.addWidget(self.choose)
        form.addRow("File", row)
        return form

    def _build_buttons(self) -> QDialogButtonBox:
        buttons = QDialogButtonBox()
        self.begin = buttons.addButton("Take snapshot", QDialogButtonBox.ButtonRole.ActionRole)
        self.stop = buttons.addButton("Stop", QDialogButtonBox.ButtonRole.ActionRole)
        self.close_button = buttons.addButton("Close", QDialogButtonBox.ButtonRole.RejectRole)
        set_kind(self.begin, "primary")
        self.begin.setDefault(True)
        self.begin.clicked.connect(self._on_begin)
        self.stop.clicked.connect(self._on_stop)
        self.stop.hide()
        buttons.rejected.connect(self.reject)
        return buttons

    def _proposed(self) -> Path:
        """An unfinished one of this endpoint, else a new name of today."""
        folder = self.workbench.path.parent if self.workbench.path else self.workbench.workspace.last_folder()
        name = slug(self._endpoint.name)
        for part in sorted(folder.glob(f"{name}-*{SUFFIX}{PART_SUFFIX}")):
            return part.with_name(part.name.removesuffix(PART_SUFFIX))
        path = folder / f"{name}-{datetime.now().astimezone():%Y-%m-%d}{SUFFIX}"
        number = 2
        while path.exists():
            path = folder / f"{name}-{datetime.now().astimezone():%Y-%m-%d}-{number}{SUFFIX}"
            number += 1
        return path

    # What a person does

    def _on_choose(self) -> None:
        name = Path(self.file.text()).name
        ask_for_file(self, self.workbench, "Save snapshot as", FILES, lambda path: self.file.setText(str(named(path))), save_as=name)

    def _on_file_changed(self) -> None:
        try:
            begun = begun_at(named(Path(self.file.text()))) if self.file.text().strip() else None
        except (UserError, OSError, ValueError):
            begun = None  # told when it is to be begun
        self.begin.setText("Go on" if begun else "Take snapshot")
        self.noticed.setText("An unfinished snapshot of this name is there: what is in it is not asked for again." if begun else "")
        self.noticed.setVisible(begun is not None)

    def _on_begin(self) -> None:
        self.message.hide()
        try:
            wish = self._wish()
        except UserError as error:
            self._show_error(error)
            return
        survey = Survey(self.workbench.live, self._endpoint.id, wish)
        survey.on_asked = lambda token: self.workbench.ask(token, survey.on_reply)
        self.survey = survey
        self._set_running(running=True)
        self._timer.start()

    def _wish(self) -> Wish:
        """Raises ``UserError``."""
        if not self.file.text().strip():
            raise UserError("No file", where="File", why="no name is given", fix="Choose where to write it")
        path = named(Path(self.file.text().strip()))
        begun_at(path)
        ranges, root = self.ranges.text().strip(), self.root.text().strip()
        parse_ranges(ranges, 1)
        report = self.workbench.live.state(self._endpoint.id).report
        if root:
            root = self._spec.parse_address(root, namespaces=report.namespaces if report else ())
        return Wish(path, root=root, ranges=ranges, per_s=float(self.rate.value()))

    def _on_stop(self) -> None:
        if self.survey is not None:
            self.survey.cancel()
            self._show(self.survey.progress)

    # How far it is

    def _on_step(self) -> None:
        if self.survey is not None:
            self._show(self.survey.step())

    def _show(self, progress: Progress) -> None:
        self.bar.setRange(0, max(progress.found, 1))
        self.bar.setValue(progress.taken)
        parts = [progress.words or "beginning…"]
        if progress.stage == "reading" and progress.per_s:
            parts.append(f"{progress.per_s:,.0f}/s")
        if progress.left_s is not None:
            parts.append(f"about {progress.left_s:,.0f} s left")
        self.said.setText(" · ".join(parts))
        if not progress.ended:
            return
        self._timer.stop()
        self._set_running(running=False)
        self.bar.setVisible(progress.stage != "failed")
        if progress.error is not None:
            self.said.setText("")
            self._show_error(progress.error)
        elif progress.stage == "done":
            self.begin.hide()
            self.close_button.setDefault(True)
            self.workbench.said.emit(f"Snapshot of {self._endpoint.name}: {progress.words}")

    def _set_running(self, *, running: bool) -> None:
        for part in (self.ranges, self.root, self.rate, self.file, self.choose):
            part.setEnabled(not running)
        self.bar.show()
        self.begin.setVisible(not running)
        self.stop.setVisible(running)
        if not running:
            self._on_file_changed()

    def _show_error(self, error: UserError) -> None:
        self.message.show_error(error)
        self.message.show()

    def done(self, result: int) -> None:
        """Whatever closes it ends the survey; what was taken stays."""
        self._timer.stop()
        if self.survey is not None:
            self.survey.cancel()
        super().done(result)


def show_take_snapshot(parent: QWidget | None, workbench: Workbench, endpoint: str, root: str = "") -> TakeSnapshotDialog:
    dialog = TakeSnapshotDialog(workbench, workbench.project.all(Endpoint)[endpoint], root, parent)
    dialog.show()
    return dialog
