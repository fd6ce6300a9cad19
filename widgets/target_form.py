"""What is chosen for an export: the target, its options, and where the gateway reaches each endpoint."""

from __future__ import annotations

import json
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QFormLayout, QFrame, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from app.drivers import spec_for
from app.errors import UserError
from app.gateways import exporters
from app.gateways.base import Exporter, Options
from app.model.plant import Endpoint
from widgets.look import label, set_look
from widgets.workbench import Workbench

OPTION_WORDS: Final = {"collect_ms": "Collect changes for, ms"}


class TargetForm(QScrollArea):
    """Remembered per project in the workspace: it says nothing about the plant, so it is no part of the project file."""

    changed = Signal()

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self._workbench = workbench
        self._kept: dict[str, dict[str, str]] = {}
        self._filling = False
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.targets = QComboBox()
        self.targets.setAccessibleName("Target")
        for key, exporter in exporters().items():
            self.targets.addItem(exporter.title, key)
        self.tested = label("", "dim", wrap=True)
        self.options: dict[str, QLineEdit] = {}
        self.addresses: dict[str, QLineEdit] = {}
        self._rows = QFormLayout()
        self._rows.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapAllRows)
        content = QWidget()
        content.setProperty("look", "plain")
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 8, 0)
        column.setSpacing(8)
        column.addWidget(label("Target", "title"))
        column.addWidget(self.targets)
        column.addWidget(self.tested)
        column.addLayout(self._rows)
        column.addStretch(1)
        self.setWidget(content)
        self.setMinimumWidth(250)
        self.targets.currentIndexChanged.connect(lambda _: self._on_target_changed())
        workbench.project_replaced.connect(self.reload)
        workbench.edited.connect(lambda edit: self._fill() if any(change.kind == "endpoint" for change in edit.changes) else None)
        self.reload()

    @property
    def exporter(self) -> Exporter | None:
        return exporters().get(str(self.targets.currentData() or ""))

    def chosen(self) -> Options:
        """Addresses only where one was typed: else the exporter takes the endpoint's ``gateway`` address, else its ``default``."""
        reach = {id_: field.text().strip() for id_, field in self.addresses.items() if field.text().strip()}
        return Options(reach, {name: field.text().strip() for name, field in self.options.items()})

    # What is remembered

    @property
    def _name(self) -> str:
        return f"deploy.{self._workbench.project.info.id}"

    def reload(self) -> None:
        """What was chosen for this project last."""
        try:
            kept = json.loads(self._workbench.workspace.state(self._name) or "{}")
        except ValueError:
            kept = {}
        self._kept = {part: {str(k): str(v) for k, v in values.items()} for part, values in kept.items() if isinstance(values, dict)}
        self._filling = True
        self.targets.setCurrentIndex(max(0, self.targets.findData(self._kept.get("target", {}).get("key", ""))))
        self._filling = False
        self._fill()
        self.changed.emit()

    def _remember(self) -> None:
        exporter = self.exporter
        if exporter is None:
            return
        self._kept["target"] = {"key": exporter.key}
        self._kept[f"options.{exporter.key}"] = {name: field.text().strip() for name, field in self.options.items()}
        self._kept["reach"] = dict(self.chosen().reach)
        self._workbench.workspace.set_state(self._name, json.dumps(self._kept))

    def _on_target_changed(self) -> None:
        if not self._filling:
            self._fill()
            self._on_edited()

    # The form

    def _fill(self) -> None:
        while self._rows.rowCount():
            self._rows.removeRow(0)
        self.options, self.addresses = {}, {}
        exporter = self.exporter
        if exporter is None:
            return
        self.tested.setText(f"Run with {exporter.tested_with}" if not exporter.tested_with.startswith("not") else exporter.tested_with)
        kept = self._kept.get(f"options.{exporter.key}", {})
        for name, default in exporter.options.items():
            words = OPTION_WORDS.get(name, name.replace("_", " ").capitalize())
            self.options[name] = self._line(words, kept.get(name, default), default)
        if endpoints := list(self._workbench.endpoints().values()):
            self._rows.addRow(label("Where the gateway reaches", "title"))
            for endpoint in endpoints:
                self.addresses[endpoint.id] = self._address(endpoint)

    def _line(self, words: str, text: str, placeholder: str) -> QLineEdit:
        field = QLineEdit(text, placeholderText=placeholder)
        field.setAccessibleName(words)
        field.textEdited.connect(lambda _: self._on_edited())
        self._rows.addRow(label(words, "dim"), field)
        return field

    def _address(self, endpoint: Endpoint) -> QLineEdit:
        own = endpoint.addresses.get("gateway") or endpoint.addresses["default"]
        field = self._line(endpoint.name, self._kept.get("reach", {}).get(endpoint.id, ""), own)
        field.setToolTip("Empty: the endpoint's gateway address, else its default address")
        field.textChanged.connect(lambda text: set_look(field, invalid=bool(text.strip()) and not _is_url(text.strip())))
        return field

    def _on_edited(self) -> None:
        self._remember()
        self.changed.emit()


def _is_url(text: str) -> bool:
    try:
        spec_for(text).parse_url(text)
    except UserError:
        return False
    return True
