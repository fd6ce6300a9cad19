"""Go to node: an id or a path is typed or pasted, and the tree opens there."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QFormLayout, QLineEdit, QVBoxLayout, QWidget

from app.errors import UserError
from widgets.look import MessageBar, label, set_kind
from widgets.navigation import Navigator
from widgets.node_menu import driver_of
from widgets.workbench import Workbench

HINTS = {
    "opcua": "nsu=urn:line;s=Speed\nns=2;i=1003\n/Objects/2:Line1/2:Speed, or as the tree shows it: Line1/Speed",
    "modbus": "3/holding:100 is register 100 (zero-based) of unit 3\n3/holding is the table",
}


class GoToDialog(QDialog):
    """Stays open with the reason in place when there is no such node."""

    def __init__(self, workbench: Workbench, navigator: Navigator, parent: QWidget | None) -> None:
        super().__init__(parent)
        self._workbench, self._navigator = workbench, navigator
        self.setWindowTitle("Go to node")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.endpoint = QComboBox()
        self.endpoint.setAccessibleName("Endpoint")
        for id_, held in sorted(workbench.endpoints().items(), key=lambda entry: entry[1].name.casefold()):
            self.endpoint.addItem(held.name, id_)
        self.endpoint.setCurrentIndex(max(0, self.endpoint.findData(_endpoint_at_hand(workbench))))
        self.field = QLineEdit()
        self.field.setAccessibleName("Node id, browse path or Modbus address")
        self.hint = label("", "dim", wrap=True)
        self.message = MessageBar()
        self.message.hide()
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.ok = buttons.addButton("Go", QDialogButtonBox.ButtonRole.AcceptRole)
        set_kind(self.ok, "primary")
        self.ok.setDefault(True)
        form = QFormLayout()
        form.addRow("Endpoint", self.endpoint)
        form.addRow("Node", self.field)
        form.addRow("", self.hint)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.addLayout(form)
        layout.addWidget(self.message)
        layout.addStretch(1)
        layout.addWidget(buttons)
        buttons.accepted.connect(self.go)
        buttons.rejected.connect(self.reject)
        workbench.project_replaced.connect(self.reject)
        self.finished.connect(lambda _: navigator.stop())
        self.endpoint.currentIndexChanged.connect(lambda _: self._show_hint())
        self._show_hint()
        self.setMinimumWidth(540)

    def _show_hint(self) -> None:
        self.hint.setText(HINTS.get(driver_of(self._workbench, str(self.endpoint.currentData())), ""))

    def go(self) -> None:
        """Ask where it is, and close once the tree shows it."""
        text = self.field.text().strip()
        if text:
            self.message.hide()
            self.ok.setEnabled(False)
            self._navigator.go(str(self.endpoint.currentData()), text, self._on_end)

    def _on_end(self, error: UserError | None) -> None:
        self.ok.setEnabled(True)
        if error is None:
            self.accept()
            return
        self.message.show_error(error)
        self.message.show()
        self.adjustSize()


def _endpoint_at_hand(workbench: Workbench) -> str:
    selection = workbench.selection
    return selection.ids[0] if selection.kind == "endpoint" and selection.ids else selection.endpoint


def show_go_to(parent: QWidget | None, workbench: Workbench, navigator: Navigator) -> GoToDialog:
    dialog = GoToDialog(workbench, navigator, parent)
    dialog.open()
    dialog.field.setFocus()
    return dialog
