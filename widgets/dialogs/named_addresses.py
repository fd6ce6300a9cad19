"""The named addresses of an endpoint: ``default``, and where else the same endpoint is reached from."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QHBoxLayout, QHeaderView, QTableWidget, QTableWidgetItem, QVBoxLayout, QWidget

from app.drivers.base import Spec
from app.errors import UserError
from widgets.look import button, calm_table, label

USUAL_NAMES = ("fat", "site", "vpn", "gateway")


class NamedAddresses(QWidget):
    """Rows of name and URL, edited in place. The first is ``default``, which stays."""

    def __init__(self, addresses: Mapping[str, str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.table = QTableWidget(0, 2)
        self.table.setHorizontalHeaderLabels(["Name", "Address"])
        calm_table(self.table, "Addresses")
        self.table.verticalHeader().hide()
        self.table.horizontalHeader().setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        triggers = QAbstractItemView.EditTrigger
        self.table.setEditTriggers(triggers.DoubleClicked | triggers.EditKeyPressed | triggers.AnyKeyPressed | triggers.SelectedClicked)
        self.more = button(
            "Add address", "add", kind="flat", tip="Where the same endpoint is reached from elsewhere: fat, site, vpn, gateway"
        )
        self.remove = button("Remove", "remove", kind="flat")
        for pressed in (self.more, self.remove):
            pressed.setAutoDefault(False)
        foot = QHBoxLayout()
        foot.addWidget(self.more)
        foot.addWidget(self.remove)
        foot.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(label("Addresses", "dim"))
        layout.addWidget(self.table, 1)
        layout.addLayout(foot)
        self._add("default", addresses.get("default", ""), fixed=True)
        for name, url in addresses.items():
            if name != "default":
                self._add(name, url)
        self.more.clicked.connect(self._on_more)
        self.remove.clicked.connect(self._on_remove)
        self.table.itemSelectionChanged.connect(self._refresh)
        self._refresh()

    def addresses(self, spec: Spec) -> tuple[dict[str, str], list[UserError]]:
        """Name → canonical URL, and what is wrong. A row without name and address is none."""
        found: dict[str, str] = {}
        problems: list[UserError] = []
        for row in range(self.table.rowCount()):
            name, url = self._text(row, 0), self._text(row, 1)
            if not name and not url:
                continue
            try:
                if not name or name in found:
                    why = "the name is missing" if not name else f'there are two addresses called "{name}"'
                    raise UserError("Not an address", where=url or f"row {row + 1}", why=why, fix="Give each address a name of its own")
                found[name] = spec.parse_url(url)
            except UserError as error:
                problems.append(error)
        return found, problems

    def _add(self, name: str, url: str, *, fixed: bool = False) -> None:
        row = self.table.rowCount()
        self.table.insertRow(row)
        first = QTableWidgetItem(name)
        if fixed:
            first.setFlags(first.flags() & ~Qt.ItemFlag.ItemIsEditable)
        self.table.setItem(row, 0, first)
        self.table.setItem(row, 1, QTableWidgetItem(url))

    def _on_more(self) -> None:
        taken = {self._text(row, 0) for row in range(self.table.rowCount())}
        self._add(next((name for name in USUAL_NAMES if name not in taken), ""), "")
        row = self.table.rowCount() - 1
        self.table.setCurrentCell(row, 1)
        if (item := self.table.item(row, 1)) is not None:
            self.table.editItem(item)

    def _on_remove(self) -> None:
        if self.table.currentRow() > 0:
            self.table.removeRow(self.table.currentRow())

    def _text(self, row: int, column: int) -> str:
        item = self.table.item(row, column)
        return item.text().strip() if item is not None else ""

    def _refresh(self) -> None:
        self.remove.setEnabled(self.table.currentRow() > 0)
