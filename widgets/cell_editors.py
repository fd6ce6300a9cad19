"""Cells of tables: a list of words, a unit picker, a path whose end matters most."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtWidgets import QComboBox, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from widgets.fields import UnitField, unit_code, unit_text

Index = QModelIndex | QPersistentModelIndex


class ChoiceDelegate(QStyledItemDelegate):
    """A combo box in the cell.

    Args:
        choices: (data, words) when the editor opens; the data is what the model gets under EditRole.
    """

    def __init__(self, choices: Callable[[], list[tuple[str, str]]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._choices = choices

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        box = QComboBox(parent)
        for data, words in self._choices():
            box.addItem(words, data)
        box.activated.connect(lambda _: self.commitData.emit(box))
        return box

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        assert isinstance(editor, QComboBox)
        current = str(index.data(Qt.ItemDataRole.EditRole) or "")
        at = editor.findData(current)
        if at < 0 and current:
            editor.insertItem(0, current, current)
            at = 0
        editor.setCurrentIndex(max(at, 0))

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: Index) -> None:
        assert isinstance(editor, QComboBox)
        model.setData(index, editor.currentData(), Qt.ItemDataRole.EditRole)


class UnitDelegate(QStyledItemDelegate):
    """A unit picker in the cell. What it leaves is the shortest text that names the unit; a text that names none stays."""

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        return UnitField("Unit", parent=parent)

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: Index) -> None:
        assert isinstance(editor, UnitField)
        text = editor.text().strip()
        with suppress(ValueError):  # stays as typed, and is a problem of the form: a person must see what was wrong
            text = unit_text(unit_code(text))
        model.setData(index, text, Qt.ItemDataRole.EditRole)


class PathDelegate(QStyledItemDelegate):
    """A path that gives way at its beginning: the asset is at the end."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: Index) -> None:
        super().initStyleOption(option, index)
        # The stub types the attributes of style options as read-only properties; they are plain members.
        option.textElideMode = Qt.TextElideMode.ElideLeft
