"""Steps of something that takes a while: a sign and a sentence each, in the order in which they were begun, changed in place."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QGridLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from widgets.look import icon, label, set_look

_SIGN_PX = 16


class StepList(QScrollArea):
    """Scrolls where there are many. Sentences are plain text, may be long, and can be selected."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        content = QWidget()
        set_look(content, look="plain")
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 4, 8, 0)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(8)
        self._grid.setColumnStretch(1, 1)
        column.addLayout(self._grid)
        column.addStretch(1)
        self.setWidget(content)
        self._steps: dict[object, tuple[QLabel, QLabel]] = {}

    def show_step(self, key: object, sign: tuple[str, str], text: str) -> None:
        """``sign``: name of an icon and its colour. A step with a known key is replaced."""
        if key not in self._steps:
            picture, words = QLabel(), label("", wrap=True, selectable=True)
            row = len(self._steps)
            self._grid.addWidget(picture, row, 0, Qt.AlignmentFlag.AlignTop)
            self._grid.addWidget(words, row, 1)
            self._steps[key] = picture, words
        picture, words = self._steps[key]
        drawn: QIcon = icon(*sign)
        picture.setPixmap(drawn.pixmap(_SIGN_PX, _SIGN_PX))
        words.setText(text)

    def texts(self) -> list[str]:
        return [words.text() for _, words in self._steps.values()]

    def clear(self) -> None:
        for pair in self._steps.values():
            for made in pair:
                made.hide()
                self._grid.removeWidget(made)
                made.deleteLater()
        self._steps.clear()
