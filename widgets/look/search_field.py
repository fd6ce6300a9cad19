"""The filter and search line."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from widgets.look.icons import icon
from widgets.look.theme import set_look

_DEBOUNCE_MS: Final = 150


class SearchField(QLineEdit):
    """A line that asks once the typing rests. Enter asks at once, Escape clears."""

    query = Signal(str)
    """The text, stripped; each text once."""

    def __init__(self, placeholder: str, icon_name: str = "search", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setPlaceholderText(placeholder)
        self.setAccessibleName(placeholder.rstrip("…. "))
        self._asked = ""
        set_look(self, look="search")
        self.addAction(icon(icon_name, "dim"), QLineEdit.ActionPosition.LeadingPosition)
        self._clear = QAction(icon("close", "dim"), "Clear", self)
        self._clear.triggered.connect(self.clear_query)
        self.addAction(self._clear, QLineEdit.ActionPosition.TrailingPosition)
        self._clear.setVisible(False)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_DEBOUNCE_MS)
        self._timer.timeout.connect(self.ask)
        self.textChanged.connect(self._on_text_changed)
        self.returnPressed.connect(self.ask)

    def clear_query(self) -> None:
        """Empty the line and say so at once."""
        self.clear()
        self.ask()

    def ask(self) -> None:
        """Emit `query` now, unless it was asked already."""
        self._timer.stop()
        text = self.text().strip()
        if text != self._asked:
            self._asked = text
            self.query.emit(text)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.text():
            self.clear_query()
            return
        super().keyPressEvent(event)

    def _on_text_changed(self, text: str) -> None:
        self._clear.setVisible(bool(text))
        self._timer.start()
