"""Fields that dialogs are made of: numbers of any size, units by symbol, names of numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping

from PySide6.QtCore import QStringListModel, Qt, Signal
from PySide6.QtWidgets import QCompleter, QLineEdit, QPlainTextEdit, QWidget

from app.mapping.transform import symbol
from app.model.values import SCALAR_TYPES
from app.units import common, find, recognise, unit
from app.units.table import Unit
from widgets.look import set_look

COMPLETIONS = 12


def number_of(text: str) -> float:
    """A number as people type it: ``1,5`` and ``1.5``, ``1e-3``, ``0x1F``.

    Raises:
        ValueError: It is none, or not finite.
    """
    text = text.strip().replace("\u2212", "-")
    if text.lower().startswith("0x"):
        return float(int(text, 16))
    if text.count(",") == 1 and "." not in text:
        text = text.replace(",", ".")
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is not finite")
    return value


def integer_of(text: str) -> int:
    """A whole number, also ``0x1F`` and ``0b101``, without going through a float. Raises ValueError."""
    return int(text.strip().replace("\u2212", "-"), 0)


def number_text(value: float | int | None) -> str:
    """The shortest text that gives the number back; "" for None."""
    if value is None:
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else repr(value)


class NumberField(QLineEdit):
    """A number; marked while it is none.

    Args:
        name: For screen readers, and in problems.
        whole: Integers only.
        optional: Empty is None and no problem.
    """

    changed = Signal()

    def __init__(self, name: str, *, whole: bool = False, optional: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name, self._whole, self._optional = name, whole, optional
        self.setAccessibleName(name)
        self.setMinimumWidth(90)
        self.textChanged.connect(self._on_text_changed)

    def set_value(self, value: float | int | None) -> None:
        self.setText(number_text(value))

    def value(self) -> float | int | None:
        """Raises ValueError with a sentence when the text is no number."""
        text = self.text().strip()
        if not text and self._optional:
            return None
        if not text:
            raise ValueError("a number is missing")
        try:
            return integer_of(text) if self._whole else number_of(text)
        except (ValueError, OverflowError):
            raise ValueError(f"{text!r} is no {'whole ' if self._whole else ''}number") from None

    def _on_text_changed(self) -> None:
        try:
            self.value()
            wrong = False
        except ValueError:
            wrong = True
        set_look(self, invalid=wrong)
        self.changed.emit()


class UnitField(QLineEdit):
    """A unit by symbol, code or name, with what the text may mean offered below. Holds a UNECE code."""

    changed = Signal()

    def __init__(self, name: str, *, optional: bool = True, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name, self._optional = name, optional
        self.setAccessibleName(name)
        self.setPlaceholderText("°C, kPa, m³/h …")
        self._model = QStringListModel(self)
        completer = QCompleter(self._model, self)
        completer.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.setCompleter(completer)
        self.textEdited.connect(self._on_edited)
        self.textChanged.connect(self._on_text_changed)
        self._on_edited(self.text())

    def set_code(self, code: str) -> None:
        self.setText(unit_text(code))

    def code(self) -> str:
        """The code, "" for an empty field.

        Raises:
            ValueError: A sentence; the text is no unit, or more than one.
        """
        text = self.text().strip()
        if not text and not self._optional:
            raise ValueError("a unit is missing")
        return unit_code(text)

    def _on_edited(self, text: str) -> None:
        """What fits the text, best first; what plants use most while nothing is typed."""
        offered = (find(text) if text.strip() else list(common()))[:COMPLETIONS]
        self._model.setStringList([unit_words(one) for one in offered])

    def _on_text_changed(self) -> None:
        try:
            self.code()
            wrong = False
        except ValueError:
            wrong = True
        set_look(self, invalid=wrong)
        self.changed.emit()


def unit_words(one: Unit) -> str:
    """``kPa  kilopascal  (KPA)``: what a picker offers; ``unit_code`` reads it again."""
    return f"{one.symbol}  {one.name}  ({one.code})"


def unit_text(code: str) -> str:
    """What a field shows for a code: its symbol where that alone names it, else symbol and code."""
    found = unit(code) if code else None
    if found is None:
        return code
    plain = recognise(found.symbol)
    return found.symbol if plain is not None and plain.code == code else f"{found.symbol}  ({code})"


def unit_code(text: str) -> str:
    """The code of a text from a field or a picker; "" for none.

    Raises:
        ValueError: A sentence: it names no unit, or could name several.
    """
    text = text.strip()
    if not text:
        return ""
    if text.endswith(")") and "  (" in text:
        code = text.rsplit("  (", 1)[1][:-1]
        if unit(code) is not None:
            return code
    found = recognise(text)
    if found is not None:
        return found.code
    near = ", ".join(symbol(one.code) for one in find(text, 4))
    raise ValueError(f"{text!r} is not clearly a unit" + (f": did you mean {near}?" if near else ""))


class NamesField(QPlainTextEdit):
    """Names of numbers, one ``0 = CLOSED`` a line; takes ``0=CLOSED|1=OPEN`` and two columns of a spreadsheet too."""

    changed = Signal()

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name = name
        self.setAccessibleName(name)
        self.setPlaceholderText("0 = CLOSED\n1 = OPEN")
        self.setTabChangesFocus(True)
        self.setMinimumHeight(110)
        self.textChanged.connect(self.changed)

    def set_names(self, names: Mapping[str, str]) -> None:
        self.setPlainText("\n".join(f"{number} = {name}" for number, name in names.items()))

    def names(self) -> dict[str, str]:
        """Raises ValueError with a sentence for the first line that is none."""
        found: dict[str, str] = {}
        for part in self.toPlainText().replace("|", "\n").splitlines():
            if not part.strip():
                continue
            number, _, name = part.partition("\t" if "\t" in part else "=")
            if not name.strip():
                raise ValueError(f"{part.strip()!r} has no name: write 0 = CLOSED")
            try:
                key = str(integer_of(number))
            except ValueError:
                raise ValueError(f"{number.strip()!r} is no whole number") from None
            if key in found:
                raise ValueError(f"{key} is named twice")
            found[key] = name.strip()
        return found


TYPE_WORDS: tuple[str, ...] = (
    *("bool", "int16", "int32", "int64", "uint16", "uint32", "uint64", "float32", "float64", "string", "enum", "datetime"),
    *(word for word in ("int8", "uint8", "bytes", "guid", "struct") if word in SCALAR_TYPES),
    *(f"{word}[]" for word in ("bool", "int32", "uint32", "float32", "float64", "string")),
)
"""Data types in the order in which a list offers them: the usual ones first."""
