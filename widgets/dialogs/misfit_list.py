"""What does not fit, as a short list under a form: at once, not at OK."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from app.mapping.fit import Misfit
from widgets.look import BadgeLabel, label

SHOWN = 4


class MisfitList(QWidget):
    """Badge, message, fix; one line that all is well when it is."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 4, 0, 4)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(1, 1)
        self._rows: list[tuple[BadgeLabel, QLabel]] = []
        for row in range(SHOWN):
            badge, words = BadgeLabel("ok", self), label("", wrap=True, selectable=True)
            self._grid.addWidget(badge, row, 0)
            self._grid.addWidget(words, row, 1)
            self._rows.append((badge, words))

    def show_misfits(self, found: Sequence[Misfit], *, fits: bool) -> None:
        """Args: found: worst first. fits: Whether "it fits" may be said when nothing was found."""
        lines: list[tuple[str, str]] = [(misfit.severity, f"{misfit.message}. {misfit.fix}.") for misfit in found]
        if len(lines) > SHOWN:
            lines = [*lines[: SHOWN - 1], ("info", f"and {len(lines) - SHOWN + 1} more")]
        if not lines and fits:
            lines = [("ok", "The tag fits the attribute: type, unit and range.")]
        for row, (badge, words) in enumerate(self._rows):
            state, text = lines[row] if row < len(lines) else ("", "")
            badge.set_badge(state or None)
            if words.text() != text:
                words.setText(text)
            words.setVisible(bool(text))

    def text(self) -> str:
        """All that is shown, one line each."""
        return "\n".join(words.text() for _, words in self._rows if words.text())
