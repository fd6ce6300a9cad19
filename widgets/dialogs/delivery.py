"""What leaves the gateway: the project's default and the overrides of asset types, with a live preview. OK is one edit."""

from __future__ import annotations

from typing import Any, Final

from PySide6.QtWidgets import QComboBox, QFormLayout, QGridLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.check import rules
from app.edits import Edit, Editor
from app.edits.mappings import remove_delivery, set_delivery
from app.errors import CollectedError, UserError
from app.mapping.message import PLACEHOLDERS
from app.model.itmodel import Asset, AssetType
from app.model.mapping import Delivery
from app.model.project import Project, ProjectInfo
from app.model.resolve import path_of
from widgets.asset_values import AssetValues
from widgets.dialogs.edit_dialog import EditDialog
from widgets.fields import NumberField
from widgets.json_view import MonoView, messages_text
from widgets.look import ElidedLabel, button, label
from widgets.workbench import Workbench

OWNER: Final = "delivery"
CHOICES: Final[dict[str, tuple[str, dict[object, str]]]] = {
    "message": ("Messages", {"asset": "one per asset", "attribute": "one per attribute"}),
    "keys": ("Attribute names", {"name": "as they are", "snake_case": "snake_case", "camelCase": "camelCase"}),
    "time": ("Time", {"rfc3339": "RFC 3339 text", "epoch_ms": "ms since 1970, number", "epoch_ns": "ns since 1970, text"}),
    "quality": ("Quality", {"text": "good, uncertain, bad", "code": "number (192, 64, 0)", "none": "left out"}),
    "unit": ("Unit", {True: "beside the value", False: "left out"}),
    "null": ("No usable value", {"null": "null", "omit": "left out"}),
    "qos": ("QoS", {0: "0, at most once", 1: "1, at least once", 2: "2, exactly once"}),
    "retain": ("Retain", {False: "no", True: "yes, brokers keep the last message"}),
    "trigger": ("Sent", {"change": "on change", "periodic": "periodically"}),
}
"""Field of Delivery → its label and what each of its closed options is called."""


class DeliveryDialog(EditDialog):
    """Holds what was chosen per scope: "" is the default, else an asset type; None in place of fields is *back to default*."""

    def __init__(self, workbench: Workbench, asset_type: str, parent: QWidget | None = None) -> None:
        super().__init__(workbench, "Delivery", "OK", parent)
        self._drafts: dict[str, dict[str, Any] | None] = {}  # Any: fields of Delivery, checked by with_fields
        self._scratch = Editor(_copy(workbench.project))
        self._values = AssetValues(workbench, self)
        self.resize(1060, 640)
        self._build_scope(asset_type)
        row = QHBoxLayout()
        row.setSpacing(16)
        row.addLayout(self._build_form(), 5)
        row.addLayout(self._build_preview(), 6)
        self.body.addLayout(row, 1)
        self._connect()
        self._on_scope_changed()

    # Building

    def _build_scope(self, asset_type: str) -> None:
        self.scope = QComboBox()
        self.scope.setAccessibleName("Delivery of")
        self.scope.addItem("every asset type (default of the project)", "")
        types = sorted(self.workbench.project.all(AssetType).values(), key=lambda type_: type_.name.casefold())
        for type_ in types:
            self.scope.addItem(type_.name, type_.id)
        self.scope.setCurrentIndex(max(0, self.scope.findData(asset_type)))
        self.state = label("", "dim")
        self.reset = button("Back to default", "undo", kind="flat")
        self.reset.setAutoDefault(False)
        row = QHBoxLayout()
        row.addWidget(label("Delivery of"))
        row.addWidget(self.scope)
        row.addWidget(self.state, 1)
        row.addWidget(self.reset)
        self.body.addLayout(row)

    def _build_form(self) -> QVBoxLayout:
        self.topic = QLineEdit()
        self.topic.setAccessibleName("Topic")
        self.boxes: dict[str, QComboBox] = {}
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.setVerticalSpacing(8)
        form.addRow("Topic", self.topic)
        for name, (words, options) in CHOICES.items():
            box = QComboBox()
            box.setAccessibleName(words)
            for option, text in options.items():
                box.addItem(text, option)
            self.boxes[name] = box
            form.addRow(words, box)
        self.period = NumberField("Period", whole=True)
        form.addRow("Every, ms", self.period)
        column = QVBoxLayout()
        column.addLayout(form)
        column.addWidget(label("In the topic: " + " ".join(f"{{{name}}}" for name in PLACEHOLDERS), "dim", wrap=True))
        column.addWidget(label("A level that an asset does not have is left out with its slash.", "dim", wrap=True))
        column.addStretch(1)
        return column

    def _build_preview(self) -> QVBoxLayout:
        self.asset = QComboBox()
        self.asset.setAccessibleName("Preview of")
        self.live = label("", "dim")
        self.shown_topic = ElidedLabel("", "title")
        self.preview = MonoView("Message")
        head = QGridLayout()
        head.addWidget(label("Preview of"), 0, 0)
        head.addWidget(self.asset, 0, 1)
        head.setColumnStretch(1, 1)
        column = QVBoxLayout()
        column.addLayout(head)
        column.addWidget(self.shown_topic)
        column.addWidget(self.preview, 1)
        column.addWidget(self.live)
        return column

    def _connect(self) -> None:
        self.scope.currentIndexChanged.connect(lambda _: self._on_scope_changed())
        self.asset.currentIndexChanged.connect(lambda _: self._on_asset_chosen())
        self.topic.textEdited.connect(lambda _: self._on_edited())
        self.period.textEdited.connect(lambda _: self._on_edited())
        for box in self.boxes.values():
            box.activated.connect(lambda _: self._on_edited())
        self.reset.clicked.connect(self.back_to_default)
        self.workbench.staleness_ticked.connect(self._refresh_preview)
        self.finished.connect(lambda _: self.workbench.live.want(OWNER, []))

    # What is chosen

    @property
    def _type(self) -> str:
        return str(self.scope.currentData() or "")

    def _on_scope_changed(self) -> None:
        self._show_delivery()
        project = self.workbench.project
        assets = project.assets_of(self._type) if self._type else list(project.all(Asset).values())
        self.asset.blockSignals(True)
        self.asset.clear()
        for asset in sorted(assets, key=lambda one: path_of(project, one).casefold()):
            self.asset.addItem(path_of(project, asset), asset.id)
        self.asset.blockSignals(False)
        self._on_asset_chosen()

    def _show_delivery(self) -> None:
        """The fields of the scope, as it would be at OK."""
        self._redo_drafts()
        delivery = self._scratch.project.delivery_for(self._type)
        self.topic.setText(delivery.topic)
        self.topic.setCursorPosition(0)
        for name, box in self.boxes.items():
            box.setCurrentIndex(list(CHOICES[name][1]).index(getattr(delivery, name)))
        self.period.set_value(delivery.period_ms)
        self._refresh_state()

    def _refresh_state(self) -> None:
        delivery = self._scratch.project.delivery_for(self._type)
        owned = bool(delivery.id) and delivery.asset_type == self._type
        if self._type:
            self.state.setText("has its own delivery" if owned else "uses the default; a change makes its own")
        else:
            self.state.setText("" if owned else "as built in")
        self.reset.setVisible(owned)
        self.period.setEnabled(self.boxes["trigger"].currentData() == "periodic")

    def _on_edited(self) -> None:
        fields: dict[str, Any] = {name: box.currentData() for name, box in self.boxes.items()}  # Any: as above
        fields["topic"] = self.topic.text().strip()
        try:
            fields["period_ms"] = self.period.value()
        except ValueError:
            fields["period_ms"] = self._scratch.project.delivery_for(self._type).period_ms
        self._drafts[self._type] = fields
        self._redo_drafts()
        self._refresh_state()
        self._refresh_preview()

    def back_to_default(self) -> None:
        """At OK the override of this type (or the project's default) goes."""
        self._drafts[self._type] = None
        self._show_delivery()
        self._refresh_preview()

    def _redo_drafts(self) -> None:
        """The copy of the project, as it would be at OK."""
        while self._scratch.undo_name:
            self._scratch.undo()
        for scope in self._drafts:
            self._scratch.do(self._edit_of(scope, self._scratch.project))

    def _edit_of(self, scope: str, project: Project) -> Edit:
        fields = self._drafts[scope]
        if fields is not None:
            return set_delivery(project, scope, **fields)
        held = project.delivery_for(scope)
        return remove_delivery(project, held.id) if held.id and held.asset_type == scope else Edit("", ())

    # The preview

    def _on_asset_chosen(self) -> None:
        self._values.set_asset(str(self.asset.currentData() or ""))
        self.workbench.live.want(OWNER, self._values.tags())
        self._refresh_preview()

    def _refresh_preview(self) -> None:
        if not self.asset.currentData():
            self.shown_topic.setText("No asset of this type yet")
            self.preview.show_text("")
            self.live.setText("")
            return
        sent = self._values.messages(self._scratch.project)
        if len(sent.texts) == 1:
            self.shown_topic.setText(sent.texts[0][0])
        else:
            self.shown_topic.setText(f"{len(sent.texts)} messages")
        self.preview.show_text(messages_text(sent.texts))
        self.live.setText(live_words(sent.mapped, sent.not_live))

    # The edit

    def make_edit(self) -> Edit:
        problems: list[UserError] = []
        try:
            period = self.period.value()
            if period is not None and period < 1 and self.period.isEnabled():
                problems.append(_wrong("Every, ms", "a period is at least 1 ms"))
        except ValueError as error:
            problems.append(_wrong("Every, ms", str(error)))
        self._redo_drafts()
        for delivery in self._scratch.project.all(Delivery).values():
            if self._drafts.get(delivery.asset_type) is not None:
                problems += _topic_problems(self._scratch.project, delivery)
        if problems:
            raise CollectedError("Delivery not changed", where="Delivery", problems=problems, fix="Correct these fields")
        while self._scratch.undo_name:
            self._scratch.undo()
        whole = Edit("", ())
        for scope in self._drafts:
            edit = self._edit_of(scope, self._scratch.project)
            self._scratch.do(edit)
            whole = whole.then(edit, whole.name or edit.name)
        return whole


def live_words(mapped: int, not_live: int) -> str:
    """How far a preview is of this moment."""
    if not mapped:
        return "No attribute is mapped yet"
    if not not_live:
        return f"live, {mapped} attribute{'' if mapped == 1 else 's'}"
    return f"{not_live} of {mapped} values are not live"


def _wrong(where: str, why: str) -> UserError:
    return UserError("Not taken", where=where, why=why)


def _topic_problems(project: Project, delivery: Delivery) -> list[UserError]:
    """What the checks would say about the topic, before it is in the project."""
    found = [_wrong("Topic", finding.message) for finding in rules()["UNS-005"].find(project) if finding.about == delivery.id]
    return found if delivery.topic.strip() else [_wrong("Topic", "it is empty")]


def _copy(project: Project) -> Project:
    """Another project of the same (frozen) elements, to try edits on."""
    return Project(project.info, (element for element in project.elements() if not isinstance(element, ProjectInfo)))


def show_delivery(parent: QWidget | None, workbench: Workbench, asset_type_id: str = "") -> DeliveryDialog:
    """Open the dialog on the delivery of an asset type, with "" on the project's default."""
    dialog = DeliveryDialog(workbench, asset_type_id if asset_type_id in workbench.project else "", parent)
    dialog.open()
    return dialog
