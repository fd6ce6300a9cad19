"""Where counting begins: three rows of the list, live, at both bases side by side; a person chooses once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QButtonGroup, QGridLayout, QHBoxLayout, QLabel, QRadioButton, QVBoxLayout, QWidget

from app.drivers import spec_for
from app.errors import UserError
from app.model.columns import SampleColumns
from app.model.values import Sample
from app.runtime.state import Reply
from app.taglists.numbering import Numbering
from app.taglists.probing import BASES, Telling, Verdict, items_of, verdict
from widgets.look import Card, ElidedLabel, button, label, set_look, value_font
from widgets.workbench import Workbench

READ_EVERY_MS: Final = 1500
ROWS: Final = 3
TITLES: Final = ("Counted from 0", "Counted from 1")


class BaseQuestion(Card):
    """Reads a few telling rows again and again while it is shown and the endpoint is connected.

    Signals:
        chosen: 0 or 1, by a person.
    """

    chosen = Signal(int)

    def __init__(self, workbench: Workbench) -> None:
        super().__init__("Where does counting begin?")
        self._workbench = workbench
        self._endpoint = ""
        self._tellings: list[Telling] = []
        self._token: int | None = None
        self.told: Verdict | None = None
        self._build()
        self._timer = QTimer(self, interval=READ_EVERY_MS)
        self._timer.timeout.connect(self._read)
        workbench.endpoint_changed.connect(self._on_endpoint)

    def _build(self) -> None:
        self.why = label("", "dim", wrap=True)
        self.answer = label("", wrap=True)
        self.bases = [QRadioButton(title) for title in TITLES]
        self._group = QButtonGroup(self)
        for base in BASES:
            self._group.addButton(self.bases[base], base)
        self._group.idClicked.connect(self.chosen.emit)
        self._names = [ElidedLabel("") for _ in range(ROWS)]
        self.values = [[_value_label() for _ in BASES] for _ in range(ROWS)]
        self.connect_button = button("Connect to see values", "connect", kind="flat")
        self.connect_button.clicked.connect(lambda: self._workbench.live.connect(self._endpoint))
        grid = QGridLayout()
        grid.setHorizontalSpacing(24)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(0, 3)
        for base in BASES:
            grid.addWidget(self.bases[base], 0, base + 1)
            grid.setColumnStretch(base + 1, 2)
        for row in range(ROWS):
            grid.addWidget(self._names[row], row + 1, 0)
            for base in BASES:
                grid.addWidget(self.values[row][base], row + 1, base + 1)
        line = QHBoxLayout()
        line.addWidget(self.answer, 1)
        line.addWidget(self.connect_button)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.why)
        column.addLayout(grid)
        column.addLayout(line)
        self.add(body)

    # What is asked

    def ask(self, endpoint: str, numbering: Numbering, tellings: Sequence[Telling]) -> None:
        """Show the question for a list; with the answer that the list itself gives, or that was chosen."""
        self._forget()
        self._endpoint, self._tellings, self.told = endpoint, list(tellings), None
        self.why.setText(numbering.why[:1].upper() + numbering.why[1:] + ("" if not numbering.is_open else ": choose once."))
        self._group.setExclusive(False)
        for base in BASES:
            self.bases[base].setChecked(numbering.base == base)
        self._group.setExclusive(True)
        for row in range(ROWS):
            telling = self._tellings[row] if row < len(self._tellings) else None
            tag = telling.row.tag if telling is not None else None
            self._names[row].setVisible(tag is not None)
            self._names[row].setText(f"{tag.name}, {telling.row.place}" if tag is not None and telling is not None else "")
            for base in BASES:
                self.values[row][base].setVisible(tag is not None)
                self.values[row][base].setText("–")
        self._timer.start()
        self._on_endpoint(endpoint)

    def stop(self) -> None:
        self._timer.stop()
        self._forget()

    # Live values

    def _on_endpoint(self, endpoint: str) -> None:
        if endpoint != self._endpoint or not self._timer.isActive():
            return
        phase = self._workbench.live.state(endpoint).phase
        self.connect_button.setVisible(bool(self._tellings) and phase in ("off", "stopped"))
        if phase == "connected":
            self._read()
        elif not self._tellings:
            self._tell("No row is fit to be compared: only bits, or no usable row.")
        else:
            self._tell("Not connected: the values at both are shown as soon as it is." if phase in ("off", "stopped") else "Connecting …")

    def _read(self) -> None:
        if self._token is not None or not self._tellings or not self.isVisible() or self._workbench.live.paused:
            return
        if self._workbench.live.state(self._endpoint).phase == "connected":
            token = self._workbench.live.read(self._endpoint, items_of(self._tellings))
            self._token = self._workbench.ask(token, self._on_reply)

    def _on_reply(self, reply: Reply) -> None:
        self._token = None
        if isinstance(reply.result, UserError):
            self._tell(f"{reply.result.what}: {reply.result.why}")
            return
        assert isinstance(reply.result, SampleColumns)
        self._show([sample for _, sample in reply.result.samples()])

    def _show(self, samples: list[Sample]) -> None:
        held = self._workbench.endpoint(self._endpoint)
        if held is None:
            return
        self.told = verdict(self._tellings, samples, spec_for(held.addresses["default"]).status_text)
        for row, (_, zero, one) in enumerate(self.told.rows):
            for shown, cell in zip((zero, one), self.values[row], strict=True):
                cell.setText(shown.text)
                set_look(cell, look="bad" if shown.remark else "")
        self._tell(self.told.why, good=self.told.base is not None)

    def _tell(self, text: str, *, good: bool = False) -> None:
        self.answer.setText(text)
        set_look(self.answer, look="good" if good else "dim")

    def _forget(self) -> None:
        """An answer that is still to come is of other rows."""
        if self._token is not None:
            self._workbench.forget(self._token)
            self._token = None


def _value_label() -> QLabel:
    made = ElidedLabel("–")
    made.setFont(value_font())
    return made
