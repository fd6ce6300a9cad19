"""The operators of one mapping, with what they make of the value of this moment, and the mapping's policies. OK is one edit."""

from __future__ import annotations

from typing import Final

import msgspec
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QScrollArea,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.edits import Edit, replace
from app.edits.edit import with_fields
from app.edits.mappings import set_policies, set_transform
from app.errors import UserError
from app.mapping.fit import Misfit, misfits, suggest_transform
from app.mapping.members import paths_in
from app.mapping.transform import symbol, transform_text
from app.model.itmodel import Asset, Attribute
from app.model.mapping import Mapping, Op, Transform
from app.model.plant import Tag
from app.model.resolve import path_of
from widgets.attribute_rows import path_in_type
from widgets.dialogs.edit_dialog import EditDialog
from widgets.dialogs.misfit_list import MisfitList
from widgets.dialogs.operator_form import OPERATORS, OperatorForm, fresh, sentence_of, title_of
from widgets.fields import NumberField
from widgets.keys import on_key
from widgets.look import QUALITY_ROLE, UNIT_ROLE, ElidedLabel, button, calm_table, label, plain_tip, tool_button
from widgets.reason_delegate import REASON_ROLE, ReasonDelegate
from widgets.transform_preview import Stage, stages
from widgets.workbench import Workbench

OWNER: Final = "transform"
TIMES: Final = {"source": "source time", "server": "server time", "receive": "receive time"}
QUALITIES: Final = {"pass": "deliver with its quality", "good_only": "deliver good values only", "hold": "hold the last good value"}


class TransformDialog(EditDialog):
    """Edits a copy of the operators; the project hears of it once, at OK."""

    def __init__(self, workbench: Workbench, mapping: Mapping, parent: QWidget | None = None) -> None:
        super().__init__(workbench, "Transform", "OK", parent)
        self.mapping = mapping
        self.steps: list[Transform] = list(mapping.transform)
        self.tag = workbench.project.get(Tag, mapping.sources[0]) if mapping.sources else None
        self.attribute = workbench.project.get(Attribute, mapping.attribute)
        self._form_problem = ""
        self.resize(900, 640)
        self._build_head()
        self._build_middle()
        self._build_policies()
        self._connect()
        self._fill(min(1, len(self.steps)))
        self.workbench.live.want(OWNER, [self.tag.id] if self.tag else [])

    # Building

    def _build_head(self) -> None:
        project = self.workbench.project
        asset = project.get(Asset, self.mapping.asset)
        path = path_in_type(project, self.mapping)
        self.body.addWidget(ElidedLabel(path, "title"))
        source = self.tag.name if self.tag else "no source tag"
        self.body.addWidget(ElidedLabel(f"{path_of(project, asset) if asset else ''}   ←   {source}", "dim"))

    def _build_middle(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(16)
        row.addLayout(self._build_chain(), 5)
        self.form = OperatorForm()
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidget(self.form)
        area.setMinimumWidth(280)
        row.addWidget(area, 4)
        self.body.addLayout(row, 1)
        self.misfits = MisfitList()
        self.body.addWidget(self.misfits)

    def _build_chain(self) -> QVBoxLayout:
        self.chain = QTableWidget(0, 2)
        calm_table(self.chain, "Operators in order")
        self.chain.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.chain.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.chain.setHorizontalHeaderLabels(["Step", "Value now"])
        self.chain.setItemDelegateForColumn(1, ReasonDelegate(self.chain, unit_chars=5))
        self.chain.setColumnWidth(0, 260)
        self.add = button("Add operator", "add")
        menu = QMenu(self.add)
        menu.setToolTipsVisible(True)
        for kind in OPERATORS:
            entry = menu.addAction(title_of(kind))
            entry.setToolTip(plain_tip(sentence_of(kind)))
            entry.triggered.connect(lambda _=False, kind=kind: self.add_operator(kind))
        self.add.setMenu(menu)
        self.up = tool_button("up", "Move up (Alt+Up)")
        self.down = tool_button("down", "Move down (Alt+Down)")
        self.remove = tool_button("remove", "Remove operator (Del)")
        self.suggest = button("Suggest", "suggest", kind="flat", tip="The operators that make the tag fit the attribute")
        self.trial = QLineEdit(placeholderText="try a value")
        self.trial.setAccessibleName("Try a value instead of the live one")
        self.trial.setFixedWidth(110)
        bar = QHBoxLayout()
        bar.setSpacing(4)
        for widget in (self.add, self.up, self.down, self.remove, self.suggest):
            bar.addWidget(widget)
        bar.addStretch(1)
        bar.addWidget(self.trial)
        column = QVBoxLayout()
        column.addWidget(self.chain, 1)
        column.addLayout(bar)
        return column

    def _build_policies(self) -> None:
        self.time = _choice("Time", TIMES, self.mapping.time)
        self.quality = _choice("Quality", QUALITIES, self.mapping.quality)
        self.hold = NumberField("Hold")
        self.hold.set_value(self.mapping.hold_s)
        self.interval = NumberField("At most every", whole=True, optional=True)
        self.interval.set_value(self.mapping.interval_ms)
        self.interval.setPlaceholderText("every change")
        self.note = QLineEdit(self.mapping.note, placeholderText="for reviewers")
        self.note.setAccessibleName("Note")
        left, right = QFormLayout(), QFormLayout()
        for form in (left, right):
            form.setVerticalSpacing(8)
        left.addRow("Delivered time", self.time)
        left.addRow("Not good quality", self.quality)
        right.addRow("Hold for, s", self.hold)
        right.addRow("At most every, ms", self.interval)
        row = QHBoxLayout()
        row.setSpacing(16)
        row.addLayout(left, 3)
        row.addLayout(right, 2)
        self.body.addLayout(row)
        note = QHBoxLayout()
        note.addWidget(label("Note"))
        note.addWidget(self.note, 1)
        self.body.addLayout(note)

    def _connect(self) -> None:
        self.chain.currentCellChanged.connect(lambda row, *_: self._show_form(row))
        self.form.changed.connect(self._on_form_changed)
        self.up.clicked.connect(lambda: self.move_operator(-1))
        self.down.clicked.connect(lambda: self.move_operator(1))
        self.remove.clicked.connect(self.remove_operator)
        self.suggest.clicked.connect(self._on_suggest)
        self.trial.textChanged.connect(lambda _: self._refresh_values())
        for box in (self.time, self.quality):
            box.currentIndexChanged.connect(lambda _: self._refresh_values())
        self.hold.changed.connect(self._refresh_values)
        self.workbench.staleness_ticked.connect(self._refresh_values)
        self.workbench.tags_changed.connect(self._on_tags_changed)
        self.finished.connect(lambda _: self.workbench.live.want(OWNER, []))
        for keys, slot in (("Del", self.remove_operator), ("Alt+Up", self.up.click), ("Alt+Down", self.down.click)):
            on_key(self.chain, keys, slot)

    # The operators

    def add_operator(self, kind: type[Op]) -> None:
        """Behind the selected one."""
        at = min(max(self.chain.currentRow(), 0), len(self.steps))
        self.steps.insert(at, fresh(kind, self.tag if at == 0 else self._virtual_tag(at), self.attribute))
        self._fill(at + 1)

    def _virtual_tag(self, at: int) -> Tag | None:
        """The tag as it is behind ``at`` operators: a conversion has given it another unit, a scaling none that is known."""
        if self.tag is None:
            return None
        unit = self.tag.unit
        for step in self.steps[:at]:
            unit = getattr(step, "target", unit)
        return msgspec.structs.replace(self.tag, unit=unit)

    def remove_operator(self) -> None:
        at = self.chain.currentRow() - 1
        if 0 <= at < len(self.steps):
            del self.steps[at]
            self._fill(min(at + 1, len(self.steps)))

    def move_operator(self, by: int) -> None:
        at = self.chain.currentRow() - 1
        if 0 <= at < len(self.steps) and 0 <= at + by < len(self.steps):
            self.steps.insert(at + by, self.steps.pop(at))
            self._fill(at + by + 1)

    def _on_suggest(self) -> None:
        if self.tag is None or self.attribute is None:
            return
        try:
            suggestion = suggest_transform(self.tag, self.attribute)
        except UserError as error:
            self.message.show_error(error)
            return
        self.steps = list(suggestion.transform)
        why = "; ".join(suggestion.reasons) or "the tag fits the attribute as it is"
        self.message.show_message(transform_text(self.steps) or "No operator is needed", "info", why=why)
        self._fill(min(1, len(self.steps)))

    def _on_form_changed(self) -> None:
        at = self.chain.currentRow() - 1
        try:
            self.steps[at] = self.form.operator()
            self._form_problem = ""
        except ValueError as error:
            self._form_problem = str(error)
        self._refresh_values()

    # Showing

    def _fill(self, current: int) -> None:
        """All rows anew, with one of them selected."""
        self.chain.blockSignals(True)
        self.chain.setRowCount(len(self.steps) + 2)
        for row in range(self.chain.rowCount()):
            for column in range(2):
                if self.chain.item(row, column) is None:
                    self.chain.setItem(row, column, QTableWidgetItem())
        self.chain.setCurrentCell(current, 0)
        self.chain.blockSignals(False)
        self._show_form(current)

    def _show_form(self, row: int) -> None:
        self._form_problem = ""
        if 1 <= row <= len(self.steps):
            self.form.show_operator(self.steps[row - 1], self._parts())
        elif row <= 0:
            words = "The tag as it arrives." if self.steps else "The tag as it arrives. Without an operator it is delivered as it is."
            self.form.show_text("Source", f"{words}\n{_facts_of(self.tag)}")
        else:
            self.form.show_text("IT value", f"What is delivered.\n{_facts_of(self.attribute)}")
        for widget, on in ((self.up, row > 1), (self.down, 0 < row < len(self.steps)), (self.remove, 0 < row <= len(self.steps))):
            widget.setEnabled(on and row <= len(self.steps))
        self._refresh_values()

    def _parts(self) -> list[str]:
        """Paths of the parts that the newest value has; none before the first."""
        sample = self.workbench.live.reading(self.tag.id).sample if self.tag is not None else None
        return paths_in(sample.value) if sample is not None else []

    def _on_tags_changed(self, tags: set[str]) -> None:
        if self.tag is not None and self.tag.id in tags:
            self._refresh_values()
            self.form.offer_parts(self._parts())

    def draft(self) -> Mapping:
        """The mapping as the fields say; a hold time that is no number counts as none until it is one."""
        try:
            hold = float(self.hold.value() or 0.0)
        except ValueError:
            hold = 0.0
        return msgspec.structs.replace(
            self.mapping, transform=tuple(self.steps), time=self.time.currentData(), quality=self.quality.currentData(), hold_s=hold
        )

    def _refresh_values(self) -> None:
        reading = self.workbench.live.reading(self.tag.id) if self.tag else None
        shown = stages(self.workbench.project, self.draft(), self.tag, self.attribute, reading, self.trial.text())
        for row, stage in enumerate(shown):
            self._show_stage(row, stage)
        self.hold.setEnabled(self.quality.currentData() == "hold")
        self.misfits.show_misfits(self._problems(), fits=self.tag is not None and self.attribute is not None)

    def _show_stage(self, row: int, stage: Stage) -> None:
        words, value = self.chain.item(row, 0), self.chain.item(row, 1)
        assert words is not None
        assert value is not None
        words.setText(stage.words)
        words.setToolTip(plain_tip(stage.tip))
        value.setText(stage.value)
        value.setData(REASON_ROLE, stage.refused)
        value.setToolTip(plain_tip(stage.reason))
        value.setData(UNIT_ROLE, stage.unit)
        value.setData(QUALITY_ROLE, stage.quality)

    def _problems(self) -> list[Misfit]:
        found = [Misfit("type", "error", line, "Correct the field") for line in self._form_problem.splitlines()]
        if self.tag is None or self.attribute is None:
            return found
        try:
            return found + misfits(self.tag, self.attribute, self.steps)
        except UserError as error:
            return [*found, Misfit("unit", "error", f"{error.what}: {error.why}", error.fix)]

    # The edit

    def make_edit(self) -> Edit:
        project, id_ = self.workbench.project, self.mapping.id
        if self._form_problem:
            where = title_of(type(self.steps[self.chain.currentRow() - 1]))
            raise UserError("Transform not changed", where=where, why=self._form_problem, fix="Correct the field")
        try:
            policies = {
                "time": self.time.currentData(),
                "quality": self.quality.currentData(),
                "hold_s": float(self.hold.value() or 0.0),
                "interval_ms": self.interval.value(),
                "note": self.note.text().strip(),
            }
        except ValueError as error:
            raise UserError("Transform not changed", where="Hold, or At most every", why=str(error), fix="Type a number") from error
        edit = set_transform(project, id_, self.steps)
        name = edit.name if edit.changes else set_policies(project, [id_]).name
        changed = msgspec.structs.replace(project.all(Mapping)[id_], transform=tuple(self.steps))
        return replace(name, project, [with_fields(changed, **policies)])


def _choice(name: str, words: dict[str, str], current: str) -> QComboBox:
    box = QComboBox()
    box.setAccessibleName(name)
    for key, text in words.items():
        box.addItem(text, key)
    box.setCurrentIndex(box.findData(current))
    return box


def _facts_of(what: Tag | Attribute | None) -> str:
    if what is None:
        return "It is not in the project."
    kind = what.type if isinstance(what, Tag) else what.data_type
    lines = [f"Type {kind or 'unknown'}"]
    if what.unit:
        lines.append(f"Unit {symbol(what.unit)}")
    if what.low is not None or what.high is not None:
        lines.append(f"Range {'' if what.low is None else f'{what.low:g}'} … {'' if what.high is None else f'{what.high:g}'}")
    if what.enum:
        lines.append("States " + ", ".join(f"{number} = {name}" for number, name in what.enum.items()))
    return "\n".join(lines)


def show_transform(parent: QWidget | None, workbench: Workbench, mapping_id: str) -> TransformDialog | None:
    """Open the dialog; None when the mapping is not in the project (any more)."""
    mapping = workbench.project.get(Mapping, mapping_id)
    if mapping is None:
        return None
    dialog = TransformDialog(workbench, mapping, parent)
    dialog.open()
    return dialog
