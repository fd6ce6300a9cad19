"""What a person still decides about the endpoint to be added: its name, who signs in, or unit id and byte order."""

from __future__ import annotations

from PySide6.QtWidgets import QComboBox, QFormLayout, QLineEdit, QVBoxLayout, QWidget

from app.drivers import spec_for
from app.drivers.probe_target import proposed_name, unit_of, with_unit
from app.errors import UserError
from app.model.plant import Security
from widgets.dialogs.add_endpoint_answers import Way
from widgets.dialogs.certificate_line import CertificateLine
from widgets.dialogs.sign_in import SignIn
from widgets.fields import NumberField
from widgets.look import Card
from widgets.workbench import Workbench

ORDERS = ("ABCD", "CDAB", "BADC", "DCBA")
_ORDER_WORDS = {
    "ABCD": "ABCD   high word first, high byte first (usual)",
    "CDAB": "CDAB   low word first",
    "BADC": "BADC   bytes swapped",
    "DCBA": "DCBA   low word first, bytes swapped",
}


def same_label_width(*forms: QFormLayout) -> None:
    """Fields of forms above one another begin at the same place."""
    labels = [
        item.widget()
        for form in forms
        for row in range(form.rowCount())
        if (item := form.itemAt(row, QFormLayout.ItemRole.LabelRole)) is not None
    ]
    width = max((made.sizeHint().width() for made in labels if made is not None), default=0)
    for made in labels:
        if made is not None:
            made.setMinimumWidth(width)


class Choice(QWidget):
    def __init__(self, workbench: Workbench, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._url = ""
        self._way: Way | None = None
        self.name = QLineEdit()
        self.name.setAccessibleName("Name")
        self.sign_in = SignIn(workbench)
        self.certificate = CertificateLine()
        self.unit = NumberField("Unit id", whole=True)
        self.order = QComboBox()
        self.order.setAccessibleName("Byte and word order")
        for order in ORDERS:
            self.order.addItem(_ORDER_WORDS[order], order)
        self._modbus = QWidget()
        self._line = QFormLayout(self._modbus)
        self._line.setContentsMargins(0, 0, 0, 0)
        self._line.addRow("Unit id", self.unit)
        self._line.addRow("Byte order", self.order)
        name = QFormLayout()
        name.addRow("Name", self.name)
        for form in (name, self.sign_in.form, self._line):
            form.setHorizontalSpacing(10)
            form.setVerticalSpacing(6)
        same_label_width(name, self.sign_in.form, self._line)
        card = Card("Endpoint")
        card.body.addLayout(name)
        for part in (self.sign_in, self.certificate, self._modbus):
            card.add(part)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(card)

    def show_way(self, url: str, way: Way | None) -> None:
        """Ask what belongs to this URL and this way to connect. What was typed stays while it fits."""
        other = url != self._url
        self._url, self._way = url, way
        self.setVisible(bool(url))
        if not url:
            return
        is_opcua = spec_for(url).key == "opcua"
        self.name.setPlaceholderText(proposed_name(url))
        self.sign_in.setVisible(is_opcua)
        self._modbus.setVisible(not is_opcua)
        if is_opcua:
            self.sign_in.allow(way.offer if way is not None else None)
        else:
            self._line.setRowVisible(self.unit, "//" in url)  # of a serial line it is asked beside the port
            if other:
                self.unit.set_value(unit_of(url))
        self.certificate.show_certificate(way.certificate if way is not None else b"")

    def name_or_proposal(self) -> str:
        return self.name.text().strip() or self.name.placeholderText()

    def url(self) -> str:
        """With the unit id.

        Raises:
            UserError: The unit id is none.
        """
        number = self.unit_number()
        return self._url if number is None else with_unit(self._url, number)

    def unit_number(self) -> int | None:
        if not self._url or spec_for(self._url).key == "opcua":
            return None
        if "//" not in self._url:
            return unit_of(self._url)
        try:
            return int(self.unit.value() or 0)
        except ValueError as error:
            raise UserError("Not a unit id", where="Unit id", why=str(error), fix="A unit id is a number from 0 to 255") from None

    def byte_order(self) -> str:
        return str(self.order.currentData())

    def security(self) -> Security:
        """Raises ``UserError``."""
        if spec_for(self._url).key != "opcua":
            return Security()
        return self.sign_in.security(self._way.offer if self._way is not None else None)
