"""A topic and its JSON, in fixed pitch, to be read and copied."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtGui import QFontMetricsF
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from widgets.look import mono_font


class MonoView(QPlainTextEdit):
    """Read-only text in fixed pitch; refreshing keeps scroll position and selection."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setReadOnly(True)
        self.setAccessibleName(name)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setFont(mono_font(self.font()))
        self.setTabStopDistance(2 * QFontMetricsF(self.font()).horizontalAdvance(" "))

    def show_text(self, text: str) -> None:
        """Plain text. Nothing is touched while a person has something selected in text that only changed its values."""
        if text == self.toPlainText():
            return
        across, down = self.horizontalScrollBar().value(), self.verticalScrollBar().value()
        cursor = self.textCursor()
        if cursor.hasSelection() and text.count("\n") == self.document().blockCount() - 1:
            return
        self.setPlainText(text)
        self.horizontalScrollBar().setValue(across)
        self.verticalScrollBar().setValue(down)


def messages_text(texts: Sequence[tuple[str, str]], limit: int = 200) -> str:
    """One or several messages: each with its topic above it when there are several."""
    if len(texts) == 1:
        return texts[0][1]
    shown = "\n\n".join(f"{topic}\n{text}" for topic, text in texts[:limit])
    return shown + (f"\n\nand {len(texts) - limit} more" if len(texts) > limit else "")
