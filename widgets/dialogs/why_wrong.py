"""*Why does this look wrong?*: what the registers of a tag may mean, ranked, with reasons. It proposes; a person decides."""

from __future__ import annotations

from collections import deque
from typing import Final

import numpy as np
from msgspec import structs
from PySide6.QtCore import QModelIndex, Qt, QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QHBoxLayout, QLineEdit, QTableView, QVBoxLayout, QWidget

from app.drivers.base import Item
from app.drivers.modbus.address import BIT_TABLES, Address, parse
from app.drivers.modbus.evidence import Expectation
from app.drivers.modbus.plausibility import AFTER, BEFORE, Interpretation, Judgement, Question, judge
from app.drivers.modbus.tag_edits import order_of_unit, read_as, use_order, with_order
from app.drivers.modbus.types import REGISTER_TYPES
from app.edits import Edit
from app.errors import UserError
from app.mapping.transform import symbol
from app.model.columns import SampleColumns
from app.model.plant import Tag
from app.runtime.state import Reply
from widgets.look import BadgeDelegate, ElidedLabel, button, calm_table, label, set_look
from widgets.models.interpretations import InterpretationsModel
from widgets.notation import SETTING, notation, register_place, url_unit
from widgets.reading_text import status_text
from widgets.workbench import Workbench

READ_EVERY_MS: Final = 1000
SAMPLES: Final = 20
SHOWN: Final = 12
"""Interpretations in the list: what is further down is as good as excluded."""
_LOOKS: Final = {"plausible": "good", "doubtful": "warn", "wrong": "bad", "not available": "warn", "cannot tell": "dim"}


class WhyWrong(QDialog):
    """Stands beside the register grid and blocks nothing. Reads the registers around a tag once a second while it is shown."""

    def __init__(self, workbench: Workbench, parent: QWidget | None) -> None:
        super().__init__(parent)
        self._workbench = workbench
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Why does this look wrong?")
        self.resize(760, 460)
        self._tag = ""
        self._token: int | None = None
        self._start = 0
        self._samples: deque[list[int]] = deque(maxlen=SAMPLES)
        self.judgement: Judgement | None = None
        self.model = InterpretationsModel()
        self._build()
        self._timer = QTimer(self, interval=READ_EVERY_MS)
        self._timer.timeout.connect(self._read)
        workbench.project_replaced.connect(self.reject)
        workbench.edited.connect(self._on_edited)
        workbench.setting_changed.connect(self._on_setting_changed)

    def _build(self) -> None:
        self._title = ElidedLabel("", "title")
        self.verdict = label("", wrap=True, selectable=True)
        self.expected = QLineEdit(placeholderText="236.4")
        self.expected.setToolTip("What a display or another meter shows now; it decides between scales and neighbours")
        self.expected.setFixedWidth(10 * self.expected.fontMetrics().averageCharWidth() + 24)
        self.expected.setAccessibleName("What the value should be now")
        self._unit = label("", "dim")
        self.state = label("", "dim")
        self.view = QTableView()
        calm_table(self.view, "Interpretations")
        self.view.setModel(self.model)
        self.view.setItemDelegateForColumn(0, BadgeDelegate(self.view))
        self.view.setSelectionMode(QTableView.SelectionMode.SingleSelection)
        self.view.horizontalHeader().setStretchLastSection(True)
        for column, characters in enumerate((10, 22, 9, 14)):
            self.view.setColumnWidth(column, characters * self.view.fontMetrics().averageCharWidth() + 16)
        self.apply = button("Read the tag this way", "check", kind="primary")
        self.whole = button("Use this order for the whole unit", "unit-id")
        asked = QHBoxLayout()
        for widget in (label("It should read", "dim"), self.expected, self._unit):
            asked.addWidget(widget)
        asked.addStretch(1)
        asked.addWidget(self.state)
        close = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        foot = QHBoxLayout()
        for part in (self.apply, self.whole):
            part.setAutoDefault(False)
            foot.addWidget(part)
        foot.addStretch(1)
        foot.addWidget(close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(8)
        layout.addWidget(self._title)
        layout.addWidget(self.verdict)
        layout.addLayout(asked)
        layout.addWidget(self.view, 1)
        layout.addLayout(foot)
        close.rejected.connect(self.reject)
        self.expected.textChanged.connect(lambda _: self._judge())
        self.apply.clicked.connect(self._on_apply)
        self.whole.clicked.connect(self._on_whole)
        self.view.selectionModel().currentRowChanged.connect(lambda *_: self._enable())

    # What is shown

    def show_tag(self, tag_id: str) -> None:
        """Ask why this tag looks wrong. Of a coil, a bit, a text or a date there is nothing to rank: that is said."""
        self._tag = tag_id
        self.expected.clear()
        self._begin()
        self._timer.start()
        self._read()

    def _begin(self) -> None:
        """From new: another tag, or another reading of it."""
        self._forget()
        self._samples.clear()
        self.judgement = None
        self.model.set_rows(())
        tag, address = self._held()
        if tag is None or address is None:
            return
        self._title.setText(f"Why does {tag.name} look wrong?")
        self._unit.setText(symbol(tag.unit))
        self.model.address, self.model.notation, self.model.offset = address, notation(self._workbench), tag.offset
        self.state.setText("")
        self._say(_why_nothing(address) or "Reading its registers…", "dim")
        self._enable()

    def _held(self) -> tuple[Tag | None, Address | None]:
        tag = self._workbench.tag(self._tag)
        try:
            return tag, parse(tag.address) if tag else None
        except UserError:
            return tag, None

    def _say(self, text: str, look: str) -> None:
        self.verdict.setText(text)
        set_look(self.verdict, look=look)

    def _on_edited(self, _: Edit) -> None:
        """The tag may be read in another way now, or be gone."""
        tag, address = self._held()
        if tag is None:
            self.reject()
        elif self.isVisible() and (address != self.model.address or (self.judgement is not None and self._question() is None)):
            self._begin()
            self._read()

    def _on_setting_changed(self, name: str) -> None:
        if name == SETTING:
            self.model.notation = notation(self._workbench)
            self.view.viewport().update()

    def done(self, result: int) -> None:
        self._timer.stop()
        self._forget()
        super().done(result)

    # Reading

    def _forget(self) -> None:
        if self._token is not None:
            self._workbench.forget(self._token)
            self._token = None

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._timer.isActive():
            self._read()

    def _read(self) -> None:
        tag, address = self._held()
        if self._token is not None or not self.isVisible() or self._workbench.live.paused or tag is None or address is None:
            return
        if _why_nothing(address):
            return
        head = f"{address.unit}/{address.table}" if address.unit is not None else address.table
        first = max(0, address.address - BEFORE)
        items = [Item(address=f"{head}:{at}:uint16:ABCD") for at in range(first, min(65536, address.address + AFTER + 1))]
        token = self._workbench.live.read(tag.endpoint, items)
        self._token = self._workbench.ask(token, lambda reply: self._on_reply(tag, first, address.address - first, reply))

    def _on_reply(self, tag: Tag, first: int, own: int, reply: Reply) -> None:
        self._token = None
        if isinstance(reply.result, UserError):
            self._say(f"{reply.result.what}: {reply.result.why}", "bad")
            return
        assert isinstance(reply.result, SampleColumns)
        samples = [sample for _, sample in reply.result.samples()]
        words = [int(sample.value) if isinstance(sample.value, int) else None for sample in samples]
        if words[own] is None:
            status = status_text(self._workbench.endpoint(tag.endpoint), samples[own].status)
            self._say(f"Its own register cannot be read: {status}. Compare the address with the register list.", "bad")
            self.model.set_rows(())
            return
        low, known = _run(words, own)
        if (first + low, len(known)) != (self._start, len(self._samples[-1]) if self._samples else 0):
            self._samples.clear()
        self._start = first + low
        self._samples.append(known)
        self._judge()

    # Judging

    def _question(self) -> Question | None:
        """None while nothing was read, or there is nothing to judge."""
        tag, address = self._held()
        if tag is None or address is None or not self._samples or _why_nothing(address):
            return None
        order = address.order or self._default_order(tag, address)
        expected = Expectation(value=self._number(tag), low=tag.low, high=tag.high, unit=tag.unit)
        return Question(np.array(self._samples, np.uint16), address.address - self._start, address.type, order, tag.gain, expected)

    def _number(self, tag: Tag) -> float | None:
        try:
            return float(self.expected.text().strip().replace(",", ".")) - tag.offset
        except ValueError:
            return None

    def _default_order(self, tag: Tag, address: Address) -> str:
        number = self._unit_number(tag, address)
        return "ABCD" if number is None else order_of_unit(self._workbench.project, tag.endpoint, number)

    def _unit_number(self, tag: Tag, address: Address) -> int | None:
        return url_unit(self._workbench, tag.endpoint) if address.unit is None else address.unit

    def _judge(self) -> None:
        question = self._question()
        set_look(self.expected, invalid=bool(self.expected.text().strip()) and self._number_is_missing())
        if question is None:
            return
        self.judgement = judge(question)
        kept = self.chosen()
        self.model.set_rows(_shown(self.judgement))
        again = next((row for row, one in enumerate(self.model.rows) if kept is not None and _key(one) == _key(kept)), 0)
        self.view.selectRow(again)
        current = self.judgement.current
        value = self.model.value(current)
        reads = f"It reads {value} as {self.model.reading(current).removesuffix(' (now)')}." if value else "It has no value now."
        self._say(f"{reads} {self.judgement.verdict.capitalize()}: {self.judgement.why}.", _LOOKS[self.judgement.verdict])
        count = len(self._samples)
        self.state.setText(f"{count} sample{'' if count == 1 else 's'}" + (", more tell more" if count < 5 else ""))
        self._enable()

    def _number_is_missing(self) -> bool:
        tag, _ = self._held()
        return tag is not None and self._number(tag) is None

    # What can be done

    def chosen(self) -> Interpretation | None:
        index: QModelIndex = self.view.currentIndex()
        return self.model.rows[index.row()] if index.isValid() and index.row() < len(self.model.rows) else None

    def _enable(self) -> None:
        chosen = self.chosen()
        tag, _ = self._held()
        self.apply.setEnabled(chosen is not None and not (chosen.current and tag is not None and chosen.gain == tag.gain))
        self.whole.setEnabled(chosen is not None and self._is_other_order(chosen))

    def _is_other_order(self, chosen: Interpretation) -> bool:
        """Whether the unit would read this interpretation in another order than it does now."""
        tag, address = self._held()
        if tag is None or address is None or self._unit_number(tag, address) is None:
            return False
        default = self._default_order(tag, address)
        wanted = structs.replace(address, type=chosen.type, bit=None, last_bit=None)
        return with_order(wanted, chosen.order, default).order != ""

    def _on_apply(self) -> None:
        chosen = self.chosen()
        tag, address = self._held()
        number = self._unit_number(tag, address) if tag is not None and address is not None else None
        if chosen is None or tag is None or number is None:
            return
        self._workbench.attempt(
            lambda: read_as(
                self._workbench.project, tag.id, number, offset=chosen.offset, type_=chosen.type, order=chosen.order, gain=chosen.gain
            )
        )

    def _on_whole(self) -> None:
        chosen = self.chosen()
        tag, address = self._held()
        number = self._unit_number(tag, address) if tag is not None and address is not None else None
        if chosen is None or tag is None or number is None:
            return
        self._workbench.attempt(lambda: use_order(self._workbench.project, tag.endpoint, number, chosen.order, [tag.id]))


def _why_nothing(address: Address) -> str:
    """Why there is nothing to rank, "" where there is."""
    if address.table in BIT_TABLES:
        return f"A {address.table} has neither type nor order: only its address can be wrong. Compare it with its neighbours in the grid."
    if address.bit is not None:
        return "Bits of a register: look at the column Bits in the grid, one register before and after, and at the byte order."
    if address.type == "string":
        return "A text: look at the column ASCII in the grid; letters in pairs the wrong way round mean swapped bytes (BADC)."
    if REGISTER_TYPES[address.type].kind == "clock":
        return "A date and time: compare its registers in the grid with the form that the device's list states."
    return ""


def _run(words: list[int | None], own: int) -> tuple[int, list[int]]:
    """The registers that were read without a hole around the tag's own first one, and where they begin."""
    low = own
    while low > 0 and words[low - 1] is not None:
        low -= 1
    known: list[int] = []
    for word in words[low:]:
        if word is None:
            break
        known.append(word)
    return low, known


def _shown(judgement: Judgement) -> list[Interpretation]:
    """The best ones; the present reading always, last where it is none of them."""
    best = list(judgement.ranked[:SHOWN])
    return best if judgement.current in best else [*best, judgement.current]


def _key(one: Interpretation) -> tuple[int, str, str]:
    return one.offset, one.type, one.order


def show_why_wrong(window: QWidget, workbench: Workbench, tag_id: str) -> WhyWrong | None:
    """Show the registers around a tag in the grid, and what they may mean in a dialog; None for what is no Modbus tag."""
    tag = workbench.tag(tag_id)
    place = register_place(workbench, tag) if tag is not None else None
    if tag is None or place is None:
        return None
    workbench.mode_asked.emit("connect")
    workbench.registers_asked.emit(tag.endpoint, place)
    dialog = window.findChild(WhyWrong) or WhyWrong(workbench, window)
    dialog.show_tag(tag_id)
    dialog.show()
    dialog.raise_()
    return dialog
