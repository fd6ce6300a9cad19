"""What every scan has: what it would do in words, *Start* and *Cancel*, progress with the time left, and rows as they come."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QSpinBox, QTableView, QVBoxLayout, QWidget

from app.drivers.base import Wire
from app.drivers.modbus.questions import PAUSE_MS, ScanEnd
from app.drivers.questions import Progress, Question
from app.errors import UserError
from app.runtime.state import Reply
from widgets.keys import on_key
from widgets.look import ChipBar, ColumnFit, ElidedLabel, MessageBar, button, calm_table, icon, label, set_kind
from widgets.models.scan_rows import ScanRow, ScanRowsModel
from widgets.workbench import Workbench

_PAUSE_MOST_MS: Final = 10_000


class ScanPage(QWidget):
    """One kind of scan of one endpoint. Nothing is sent before *Start*.

    Signals:
        ran: It has begun or ended.
    """

    ran = Signal()

    TITLE: ClassVar[str]
    EXPLAINS: ClassVar[str]
    STARTS: ClassVar[str] = "Start scan"
    COLUMNS: ClassVar[tuple[tuple[str, int, int], ...]]
    """Heading, weight and least width in characters of each column."""
    NUMBERS: ClassVar[tuple[int, ...]] = ()
    FILTERED: ClassVar[bool] = False
    """Whether rows of what is not there can be hidden."""

    def __init__(self, workbench: Workbench, endpoint: str) -> None:
        super().__init__()
        self._workbench, self._endpoint = workbench, endpoint
        self._token: int | None = None
        self._why_not = ""
        self.model = ScanRowsModel([title for title, _, _ in self.COLUMNS], self.NUMBERS)
        self.pause = QSpinBox(minimum=0, maximum=_PAUSE_MOST_MS, value=PAUSE_MS, singleStep=50, prefix="pause ", suffix=" ms")
        self.pause.setAccessibleName("Pause between two requests")
        self.pause.setToolTip("Between two requests; longer is gentler")
        self.cost = label("", "dim", wrap=True)
        self.start = button(self.STARTS, "play", kind="primary")
        self.bar = QProgressBar(textVisible=False)
        self.bar.setAccessibleName("Progress")
        self.state = ElidedLabel("", "dim")
        self.message = MessageBar()
        self.view = QTableView()
        self.chips = ChipBar([("all", "All"), ("found", "Found")])
        self.form, self.foot = QHBoxLayout(), QHBoxLayout()
        self._build()

    def _build(self) -> None:
        calm_table(self.view, f"{self.TITLE}: what came")
        self.view.setModel(self.model)
        ColumnFit(self.view, [(weight, least) for _, weight, least in self.COLUMNS])
        self.form.setSpacing(8)
        self.fill_form()
        self.form.addStretch(1)
        self.form.addWidget(self.start)
        self.start.setAutoDefault(False)
        self.foot.setSpacing(8)
        self.fill_foot()
        self.foot.addStretch(1)
        for hidden in (self.message, self.bar):
            hidden.hide()
        kept = self.bar.sizePolicy()
        kept.setRetainSizeWhenHidden(True)  # so that nothing jumps when a scan begins or ends
        self.bar.setSizePolicy(kept)
        self.chips.setVisible(self.FILTERED)
        said = QHBoxLayout()
        said.addWidget(self.chips)
        said.addWidget(self.state, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 12, 12, 12)
        layout.setSpacing(8)
        layout.addWidget(label(self.EXPLAINS, wrap=True))
        layout.addLayout(self.form)
        layout.addWidget(self.cost)
        layout.addWidget(self.message)
        layout.addLayout(said)
        layout.addWidget(self.bar)
        layout.addWidget(self.view, 1)
        layout.addLayout(self.foot)
        self.start.clicked.connect(self._on_start)
        self.pause.valueChanged.connect(lambda _: self.refresh())
        self.message.dismissed.connect(self.message.hide)
        self.chips.chosen.connect(lambda key: self.model.show_found_only(key == "found"))
        self.view.selectionModel().selectionChanged.connect(lambda *_: self.refresh())
        self.model.modelReset.connect(self.refresh)
        on_key(self.view, "Ctrl+C", self._copy)

    # What a kind of scan says of itself

    def fill_form(self) -> None:
        """Put the fields into ``form``."""

    def fill_foot(self) -> None:
        """Put what can be done with the result into ``foot``."""

    @abstractmethod
    def question(self) -> Question:
        """Raises ``UserError`` for fields that make none."""

    @abstractmethod
    def take(self, answer: Wire) -> Sequence[ScanRow]:
        """Rows of one answer, which is neither ``Progress`` nor ``ScanEnd``."""

    def costs(self) -> str:
        """What it would send, "" where there is nothing to say."""
        return ""

    def ended(self, end: ScanEnd) -> str:
        """How it ended, in words."""
        why = f"Stopped: {end.stopped}. " if end.stopped else ""
        return f"{why}{len(self.model.found()):,} found with {end.requests:,} requests."

    def result(self) -> str:
        """What one answer that is the whole result says, in words."""
        return ""

    def ask(self, question: Question) -> int:
        return self._workbench.live.ask(self._endpoint, question)

    def enable(self) -> None:
        """After a change of selection, rows or state: what can be done in ``foot``."""

    # Running

    @property
    def is_running(self) -> bool:
        return self._token is not None

    def forbid(self, why: str) -> None:
        """Why it cannot be started now, "" when it can."""
        self._why_not = why
        self.refresh()

    def _on_start(self) -> None:
        if self.is_running:
            self.cancel("Cancelled.")
            return
        self.message.hide()
        try:
            question = self.question()
        except UserError as error:
            self._show(error)
            return
        self.model.clear()
        self.bar.setRange(0, 0)
        self._say("Asking…")
        self._token = self._workbench.ask(self.ask(question), self._on_reply)
        self.refresh()
        self.ran.emit()

    def cancel(self, why: str = "") -> None:
        """Send nothing more; what came stays."""
        if self._token is not None:
            self._workbench.forget(self._token)
            self._over(f"{why} {len(self.model.found()):,} found until then.")

    def _on_reply(self, reply: Reply) -> None:
        words = ""
        match reply.result:
            case UserError() as error:
                words = f"Ended: {error.why}"
                self._show(error)
            case Progress(done=done, total=total, text=text):
                self.bar.setRange(0, max(total, 1))
                self.bar.setValue(done)
                self._say(f"{done:,} of {total:,}: {text}")
            case ScanEnd() as end:
                self.keep(end)
                words = self.ended(end)
            case Wire() as answer:
                self.model.add(self.take(answer))
                words = self.result()
        self._count()
        if reply.done:
            self._over(words)

    def keep(self, end: ScanEnd) -> None:
        """What the end of a scan tells beside its rows."""

    def _over(self, words: str) -> None:
        self._token = None
        if words:
            self._say(words)
        self._count()
        self.refresh()
        self.ran.emit()

    def _say(self, words: str) -> None:
        self.state.setText(words)

    def _show(self, error: UserError) -> None:
        self.message.show_error(error)
        self.message.show()

    def _count(self) -> None:
        if self.FILTERED:
            self.chips.set_count("all", self.model.count)
            self.chips.set_count("found", len(self.model.found()))

    def refresh(self) -> None:
        """Buttons and words as they are now."""
        running = self.is_running
        self.bar.setVisible(running)
        self.start.setText("Cancel" if running else self.STARTS)
        self.start.setIcon(icon("stop" if running else "play", "text" if running else "on_accent"))
        self.start.setEnabled(running or not self._why_not)
        self.start.setToolTip("" if running else self._why_not)
        set_kind(self.start, "" if running else "primary")
        for place in range(self.form.count()):
            item = self.form.itemAt(place)
            field = item.widget() if item is not None else None
            if field is not None and field is not self.start:
                field.setEnabled(not running)
        self.cost.setText(self.costs())
        self.cost.setVisible(bool(self.cost.text()))
        self.enable()

    # Rows

    def chosen(self) -> list[int]:
        """Places of the selected rows that have one, in their order."""
        rows = sorted(index.row() for index in self.view.selectionModel().selectedRows())
        return [place for row in rows if (place := self.model.rows[row].place) >= 0]

    def _copy(self) -> None:
        rows = sorted(index.row() for index in self.view.selectionModel().selectedRows())
        QGuiApplication.clipboard().setText("\n".join("\t".join(self.model.rows[row].cells) for row in rows))


def field_label(text: str, field: QWidget) -> QWidget:
    """A dim word before a field."""
    made = label(text, "dim")
    made.setBuddy(field)
    made.setAlignment(Qt.AlignmentFlag.AlignVCenter)
    return made
