"""Browse everything below a node: how fast, and how much at most. It loads the server, so the person decides."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QSpinBox, QVBoxLayout, QWidget

from app.drivers.opcua.questions import CRAWL_PER_S
from widgets.crawl import Crawl
from widgets.look import label, set_kind


class BrowseBelowDialog(QDialog):
    def __init__(self, crawl: Crawl, endpoint: str, node: str, name: str, parent: QWidget | None) -> None:
        super().__init__(parent)
        self._crawl, self._endpoint, self._node, self._name = crawl, endpoint, node, name
        self.setWindowTitle(f"Browse everything below {name}")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.rate = QSpinBox(minimum=1, maximum=2000, value=CRAWL_PER_S, suffix=" nodes a second")
        self.rate.setAccessibleName("Rate")
        self.limit = QSpinBox(minimum=100, maximum=1_000_000, value=100_000, singleStep=10_000, suffix=" nodes")
        self.limit.setGroupSeparatorShown(True)
        self.limit.setAccessibleName("Limit")
        form = QFormLayout()
        form.addRow("Ask about at most", self.rate)
        form.addRow("Stop after", self.limit)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.begin = buttons.addButton("Browse", QDialogButtonBox.ButtonRole.AcceptRole)
        set_kind(self.begin, "primary")
        self.begin.setDefault(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(12)
        words = (
            "Every node below is asked for once, so that it can be found by its name, also without a connection. "
            "A busy PLC feels this: choose a low rate there. It can be cancelled at any time."
        )
        layout.addWidget(label(words, "dim", wrap=True))
        layout.addLayout(form)
        layout.addWidget(buttons)
        buttons.accepted.connect(self._on_begin)
        buttons.rejected.connect(self.reject)
        self.resize(460, 220)

    def _on_begin(self) -> None:
        self.accept()
        self._crawl.start(self._endpoint, self._node, self._name, per_s=self.rate.value(), limit=self.limit.value())


def show_browse_below(parent: QWidget | None, crawl: Crawl, endpoint: str, node: str, name: str) -> BrowseBelowDialog:
    dialog = BrowseBelowDialog(crawl, endpoint, node, name, parent)
    dialog.open()
    return dialog
