"""Files that would be written: a list, and the text of the chosen one with a search in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QListWidgetItem, QSplitter, QTextEdit, QVBoxLayout, QWidget

from widgets.json_view import MonoView
from widgets.keys import on_key
from widgets.look import SearchField, color, label, tool_button

SHOWN_CHARS: Final = 1_000_000
HITS: Final = 500
_NAME: Final = Qt.ItemDataRole.UserRole


class FileViews(QWidget):
    """Keeps the chosen file and the place in it when the files are rendered again."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._files: Mapping[str, bytes] = {}
        self._hits: list[QTextCursor] = []
        self._at = -1
        self.names = QListWidget()
        self.names.setAccessibleName("Files")
        self.text = MonoView("Content")
        self.search = SearchField("Find in this file… (Ctrl+F)")
        self.found = label("", "dim")
        self.next = tool_button("down", "Next (F3)")
        self.previous = tool_button("up", "Previous (Shift+F3)")
        bar = QHBoxLayout()
        for widget in (self.search, self.found, self.previous, self.next):
            bar.addWidget(widget)
        bar.setStretch(0, 1)
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(bar)
        column.addWidget(self.text, 1)
        splitter = QSplitter()
        splitter.addWidget(self.names)
        splitter.addWidget(right)
        splitter.setChildrenCollapsible(False)
        splitter.setSizes([190, 620])
        splitter.setStretchFactor(1, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(splitter)
        self.names.currentItemChanged.connect(lambda *_: self._show())
        self.search.query.connect(lambda _: self._find())
        self.search.returnPressed.connect(lambda: self._go(1))
        self.next.clicked.connect(lambda: self._go(1))
        self.previous.clicked.connect(lambda: self._go(-1))
        for keys, slot in (("Ctrl+F", self.search.setFocus), ("F3", self.next.click), ("Shift+F3", self.previous.click)):
            on_key(self, keys, slot, children=True)

    def show_files(self, files: Mapping[str, bytes]) -> None:
        """Args: files: relative path → content, in the order to be listed."""
        chosen = self.chosen
        same = list(self._files) == list(files)
        self._files = files
        if same:
            for row, (name, content) in enumerate(files.items()):
                self._label(self.names.item(row), name, content)
            self._show()
            return
        self.names.blockSignals(True)
        self.names.clear()
        for name, content in files.items():
            item = QListWidgetItem()
            self._label(item, name, content)
            self.names.addItem(item)
        self.names.blockSignals(False)
        self.names.setCurrentRow(max(0, list(files).index(chosen) if chosen in files else 0))
        self._show()

    def _label(self, item: QListWidgetItem | None, name: str, content: bytes) -> None:
        assert item is not None
        item.setText(f"{name}   {_size(len(content))}")
        item.setToolTip(name)
        item.setData(_NAME, name)

    @property
    def chosen(self) -> str:
        """Name of the file that is shown, "" without files."""
        item = self.names.currentItem()
        return str(item.data(_NAME)) if item is not None else ""

    def _show(self) -> None:
        content = self._files.get(self.chosen, b"")
        text = content.decode("utf-8", "replace")
        if len(text) > SHOWN_CHARS:
            text = f"{text[:SHOWN_CHARS]}\n… cut here: {_size(len(content))} in all"
        self.text.show_text(text)
        self._find()

    # Finding

    def _find(self) -> None:
        """Mark what fits; the first one is gone to by Enter."""
        query = self.search.text().strip()
        self._hits, self._at = [], -1
        cursor = QTextCursor(self.text.document())
        while query and len(self._hits) < HITS:
            cursor = self.text.document().find(query, cursor)
            if cursor.isNull():
                break
            self._hits.append(cursor)
        self._mark()

    def _mark(self) -> None:
        marks = []
        for number, cursor in enumerate(self._hits):
            mark = QTextEdit.ExtraSelection()
            mark.cursor = cursor
            mark.format.setBackground(color("accent" if number == self._at else "accent_bg"))
            if number == self._at:
                mark.format.setForeground(color("on_accent"))
            marks.append(mark)
        self.text.setExtraSelections(marks)
        count = f"{len(self._hits)}{'+' if len(self._hits) == HITS else ''}"
        self.found.setText(self._found_words(count) if self.search.text().strip() else "")
        for widget in (self.next, self.previous):
            widget.setEnabled(bool(self._hits))

    def _found_words(self, count: str) -> str:
        if self._at >= 0:
            return f"{self._at + 1} of {count}"
        return f"{count} found" if self._hits else "not found"

    def _go(self, step: int) -> None:
        self.search.ask()
        if not self._hits:
            return
        self._at = (self._at + step) % len(self._hits)
        place = QTextCursor(self._hits[self._at])
        place.clearSelection()
        self.text.setTextCursor(place)
        self.text.centerCursor()
        self._mark()


def _size(count: int) -> str:
    return f"{count} B" if count < 1024 else f"{count / 1024:.1f} KiB" if count < 2**20 else f"{count / 2**20:.1f} MiB"
