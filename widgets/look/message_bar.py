"""Errors and warnings in place: what, where, why, what to do. Never a dialog."""

from __future__ import annotations

from typing import Final, Literal

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QGuiApplication, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from app.errors import UserError
from widgets.flow_row import FlowRow
from widgets.look.buttons import button, tool_button
from widgets.look.icons import draw_icon
from widgets.look.labels import label
from widgets.look.theme import color, set_look

Severity = Literal["error", "warning", "info", "ok"]

_ICONS: Final[dict[Severity, tuple[str, str]]] = {
    "error": ("error", "bad"),
    "warning": ("warning", "warn"),
    "info": ("info", "accent"),
    "ok": ("ok", "good"),
}


class MessageBar(QFrame):
    """One message inside a panel; hidden until it has one. Put it into a layout before its first message, or it opens as a window."""

    dismissed = Signal()
    """The user closed it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._details = ""
        self._actions: list[QPushButton] = []
        self._button_row = FlowRow()
        set_look(self, look="message", severity="info")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        self._sign = _Sign()
        self._what = label("", "title", wrap=True, selectable=True)
        self._where = label("", "dim", wrap=True, selectable=True)
        self._why = label("", wrap=True, selectable=True)
        self._fix = label("", wrap=True, selectable=True)
        self._copy = tool_button("copy", "Copy details")
        self._copy.clicked.connect(self._on_copy_clicked)
        self._close = tool_button("close", "Dismiss")
        self._close.clicked.connect(self._on_close_clicked)
        self._build()
        self.hide()

    def _build(self) -> None:
        """The tools stand beside the first words only: a message in a narrow panel needs the whole width below them."""
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 8, 6, 8)
        column.setSpacing(6)
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        column.addLayout(grid)
        column.addWidget(self._button_row)
        self._button_row.hide()
        top = Qt.AlignmentFlag.AlignTop
        grid.addWidget(self._sign, 0, 0, top)
        grid.addWidget(self._what, 0, 1)
        grid.addWidget(self._copy, 0, 2, top)
        grid.addWidget(self._close, 0, 3, top)
        for row, part in enumerate((self._where, self._why, self._fix), start=1):
            grid.addWidget(part, row, 1, 1, 3)

    def show_error(self, error: UserError, severity: Severity = "error") -> None:
        """Show an error and take away the actions of the one before."""
        self.show_message(error.what, severity, where=error.where, why=error.why, fix=error.fix)

    def show_message(self, what: str, severity: Severity = "info", *, where: str = "", why: str = "", fix: str = "") -> None:
        """Show plain text; empty parts take no room."""
        self.clear_actions()
        self._sign.set_severity(severity)
        set_look(self, severity=severity)
        parts = ((self._what, what), (self._where, where), (self._why, why), (self._fix, fix))
        for part, text in parts:
            part.setText(text)
            part.setVisible(bool(text))
        self._details = "\n".join(text for _, text in parts if text)
        self.setAccessibleName(f"{severity}: {what}")
        self.setAccessibleDescription(self._details)
        self.show()

    def add_action(self, text: str, icon_name: str = "", *, primary: bool = False) -> QPushButton:
        """A button under the words; connect its `clicked`. Gone with the next message."""
        made = button(text, icon_name, kind="primary" if primary else "")
        self._actions.append(made)
        self._button_row.add(made)
        self._button_row.show()
        return made

    def clear_actions(self) -> None:
        """Take all action buttons away."""
        for made in self._actions:
            self._button_row.remove(made)
            made.hide()
            made.deleteLater()
        self._actions = []
        self._button_row.hide()

    def details(self) -> str:
        """What *Copy details* puts on the clipboard."""
        return self._details

    def _on_copy_clicked(self) -> None:
        QGuiApplication.clipboard().setText(self._details)

    def _on_close_clicked(self) -> None:
        self.hide()
        self.dismissed.emit()


class _Sign(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self._severity: Severity = "info"
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def set_severity(self, severity: Severity) -> None:
        self._severity = severity
        self.update()

    def sizeHint(self) -> QSize:
        side = max(18, self.fontMetrics().height())
        return QSize(side, side)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        name, token = _ICONS[self._severity]
        draw_icon(painter, QRect(0, 0, self.width(), self.height()), name, color(token))
        painter.end()
