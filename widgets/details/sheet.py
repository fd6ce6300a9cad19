"""The common shape of a details view: a title, a subtitle, rows of key and value, room below."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QScrollArea, QVBoxLayout, QWidget

from widgets.look import ElidedLabel, KeyValue, KeyValueTable, label


class Sheet(QWidget):
    """Scrolls as a whole; ``body`` takes what comes below the rows."""

    def __init__(self) -> None:
        super().__init__()
        self.title = ElidedLabel("", "title")
        self.subtitle = label("", "dim", wrap=True)
        self.rows = KeyValueTable(fit=True)
        content = QWidget()
        self.body = QVBoxLayout(content)
        self.body.setContentsMargins(12, 8, 12, 8)
        self.body.setSpacing(8)
        for widget in (self.title, self.subtitle, self.rows):
            self.body.addWidget(widget)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setWidget(content)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scroll)

    def show_rows(self, title: str, subtitle: str, rows: Sequence[KeyValue | tuple[str, str]]) -> None:
        self.title.setText(title)
        self.subtitle.setText(subtitle)
        self.subtitle.setVisible(bool(subtitle))
        self.rows.set_rows(list(rows))
