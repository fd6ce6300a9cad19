"""The form of one transform operator, generated from the fields of its struct: a new operator needs nothing here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, cast, get_args

import msgspec
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QCompleter, QFormLayout, QLineEdit, QVBoxLayout, QWidget

from app.errors import UserError
from app.mapping.members import parse_path, path_text
from app.model.itmodel import Attribute
from app.model.mapping import (
    Bit,
    Cast,
    Clamp,
    EnumNames,
    GainOffset,
    Linear,
    Mask,
    Not,
    Op,
    Part,
    Round,
    Sqrt,
    Transform,
    Trim,
    UnitConversion,
)
from app.model.plant import Tag
from widgets.fields import TYPE_WORDS, NamesField, NumberField, UnitField
from widgets.look import label

OPERATORS: Final = cast("tuple[type[Op], ...]", get_args(Transform))
"""Every closed operator, in the order of the model."""

TITLES: Final[dict[type[Op], str]] = {
    Part: "Part of a value",
    Linear: "Scale a range",
    GainOffset: "Gain and offset",
    Sqrt: "Square root",
    Bit: "Bit of a word",
    Mask: "Bits of a word",
    EnumNames: "Names of numbers",
    UnitConversion: "Convert unit",
    Clamp: "Clamp",
    Cast: "Change type",
    Round: "Round",
    Not: "Not",
    Trim: "Trim text",
}
_SENTENCES: Final[dict[type[Op], str]] = {
    Part: "A field of a structure or an element of an array, such as motor[3].temp, [3] or [1,2]. It stands before all other operators.",
    Linear: "The range from raw low to raw high becomes the range from low to high.",
    GainOffset: "The value times the gain, plus the offset.",
    Sqrt: "Square root over a span, as for flow from a differential pressure; below 0 gives 0.",
    Bit: "One bit of a whole number, as true or false.",
    Mask: "Some bits of a whole number: those of the mask, moved right by the shift.",
    EnumNames: "Each number becomes its name. A number without a name gives bad quality, unless a name for all others is given.",
    UnitConversion: "From one unit to another of the same kind.",
    Clamp: "What is below the low limit becomes the low limit; what is above the high one, the high one.",
    Cast: "Another data type. A value that does not fit gives bad quality; it is never cut.",
    Round: "To a number of digits behind the point; negative ones round tens, hundreds and so on.",
    Not: "True becomes false; 0 becomes true.",
    Trim: "Without white space at both ends of a text.",
}
_LABELS: Final = {
    "raw_low": "Raw low",
    "raw_high": "Raw high",
    "low": "Low",
    "high": "High",
    "source": "From",
    "target": "To",
    "index": "Bit, 0 is the lowest",
    "other": "Any other number",
    "names": "Names",
}
_ROUNDING: Final = {"half_even": "to nearest, half to even", "floor": "down", "ceil": "up", "truncate": "towards zero"}


def title_of(kind: type[Op]) -> str:
    return TITLES.get(kind, str(kind.__struct_config__.tag))


def sentence_of(kind: type[Op]) -> str:
    """What the operator does; one that is new and has no sentence here yet says what its documentation says."""
    return _SENTENCES.get(kind) or " ".join((kind.__doc__ or "").replace("`", "").split())


def fresh(kind: type[Op], tag: Tag | None, attribute: Attribute | None) -> Transform:
    """A new operator, filled from what tag and attribute say as far as they do."""
    tag_low, tag_high, unit = (tag.low, tag.high, tag.unit) if tag else (None, None, "")
    low, high = (attribute.low, attribute.high) if attribute else (None, None)
    given: dict[type[Op], dict[str, object]] = {
        Linear: {"raw_low": _or(tag_low, 0.0), "raw_high": _or(tag_high, 27648.0), "low": _or(low, 0.0), "high": _or(high, 100.0)},
        Sqrt: {"high": _or(tag_high, 100.0)},
        Part: {"path": "[0]"},
        Bit: {"index": 0},
        Mask: {"mask": 0xFF},
        EnumNames: {"names": dict((tag.enum if tag else {}) or (attribute.enum if attribute else {}))},
        UnitConversion: {"source": unit, "target": attribute.unit if attribute else ""},
        Clamp: {"low": low, "high": high},
        Cast: {"type": attribute.data_type if attribute and attribute.data_type not in ("", "enum") else "float64"},
        Round: {"digits": 1},
    }
    return cast("Transform", kind(**given.get(kind, {})))


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value


@dataclass(frozen=True, slots=True)
class _Field:
    """One field of the struct. ``get`` raises ValueError with a sentence."""

    name: str
    widget: QWidget
    get: Callable[[], object]


class OperatorForm(QWidget):
    """Fields of one operator; empty for none."""

    changed = Signal()
    """Something was typed; ask ``operator``."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._kind: type[Op] | None = None
        self._fields: list[_Field] = []
        self._content: QWidget | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)

    def show_operator(self, op: Transform, parts: Sequence[str] = ()) -> None:
        """Build the form anew; ``changed`` is not emitted. ``parts`` are the paths one can choose from, as far as they are known."""
        self._reset()
        self._kind = type(op)
        self._fields = []
        content, form = self._begin(title_of(type(op)), sentence_of(type(op)))
        info = msgspec.inspect.type_info(type(op))
        assert isinstance(info, msgspec.inspect.StructType)
        for field in info.fields:
            made = _path(op.path, parts, self.changed.emit) if isinstance(op, Part) else _made(field, op, self.changed.emit)
            self._fields.append(made)
            words = _LABELS.get(field.name, field.name.replace("_", " ").capitalize())
            if isinstance(made.widget, NamesField):
                form.addRow(label(words, "dim"))
                form.addRow(made.widget)
            else:
                form.addRow(words, made.widget)
        self._put(content)

    def show_text(self, title: str, text: str) -> None:
        """No operator, but words about the place in the chain."""
        self._reset()
        self._kind, self._fields = None, []
        content, _ = self._begin(title, text)
        self._put(content)

    def operator(self) -> Transform:
        """What the fields say.

        Raises:
            ValueError: Every field that is wrong, one a line.
        """
        assert self._kind is not None
        values: dict[str, object] = {}
        problems: list[str] = []
        for field in self._fields:
            try:
                values[field.name] = field.get()
            except ValueError as error:
                problems.append(f"{_LABELS.get(field.name, field.name)}: {error}")
        if problems:
            raise ValueError("\n".join(problems))
        try:
            return cast("Transform", msgspec.convert(values | {"op": self._kind.__struct_config__.tag}, self._kind))
        except msgspec.ValidationError as error:
            raise ValueError(str(error)) from error

    def field(self, name: str) -> QWidget:
        """The widget of a field, for tests and for keyboard focus."""
        return next(field.widget for field in self._fields if field.name == name)

    def offer_parts(self, parts: Sequence[str]) -> None:
        """The parts of a value that came after the form was shown; what is being typed stays."""
        for field in self._fields:
            box = field.widget
            if field.name == "path" and isinstance(box, QComboBox) and not box.count() and parts:
                text = box.currentText()
                box.blockSignals(True)
                box.addItems(list(parts))
                box.setEditText(text)
                box.blockSignals(False)

    def _begin(self, title: str, sentence: str) -> tuple[QWidget, QFormLayout]:
        content = QWidget()
        form = QFormLayout(content)
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        form.addRow(label(title, "title"))
        form.addRow(label(sentence, "dim", wrap=True))
        return content, form

    def _reset(self) -> None:
        if self._content is not None:
            self._content.hide()
            self._content.deleteLater()
            self._content = None

    def _put(self, content: QWidget) -> None:
        layout = self.layout()
        assert isinstance(layout, QVBoxLayout)
        while layout.count():
            layout.takeAt(0)
        self._content = content
        layout.addWidget(content)
        layout.addStretch(1)


def _made(field: msgspec.inspect.Field, op: Op, changed: Callable[[], None]) -> _Field:
    return _field(field.name, field.type, getattr(op, field.name), changed)


_PATH_LETTERS = 24
"""What a path such as ``motor[3].bearing.temp`` needs to be read as a whole."""


def _path(value: str, parts: Sequence[str], changed: Callable[[], None]) -> _Field:
    """Free text with what the live value has to offer."""
    box = QComboBox(editable=True)
    box.setAccessibleName("path")
    box.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
    box.addItems(list(parts))
    box.setEditText(value)
    box.setMinimumContentsLength(_PATH_LETTERS)
    edit = box.lineEdit()
    assert edit is not None
    edit.setPlaceholderText("motor[3].temp, [3] or [1,2]")
    completer = box.completer()
    assert completer is not None
    completer.setFilterMode(Qt.MatchFlag.MatchContains)
    completer.setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
    box.editTextChanged.connect(lambda _: changed())

    def get() -> str:
        try:
            return path_text(parse_path(box.currentText().strip()))
        except UserError as error:
            raise ValueError(f"{error.why}. {error.fix}") from error

    return _Field("path", box, get)


def _field(name: str, type_: msgspec.inspect.Type, value: object, changed: Callable[[], None]) -> _Field:
    """The widget that fits the type of a field."""
    match type_:
        case msgspec.inspect.BoolType():
            return _check(name, bool(value), changed)
        case msgspec.inspect.DictType():
            return _names(name, cast("dict[str, str]", value), changed)
        case msgspec.inspect.LiteralType():
            return _choice(name, [str(one) for one in type_.values], str(value), changed)
        case msgspec.inspect.IntType():
            return _number(name, cast("int", value), changed, whole=True)
        case msgspec.inspect.FloatType():
            return _number(name, cast("float", value), changed)
        case msgspec.inspect.UnionType():
            if any(isinstance(part, msgspec.inspect.FloatType) for part in type_.types):
                return _number(name, cast("float | None", value), changed, optional=True)
            return _text(name, cast("str | None", value), changed)
        case _:
            return _word(name, str(value), changed)


def _check(name: str, value: bool, changed: Callable[[], None]) -> _Field:
    box = QCheckBox("never beyond" if name == "clamp" else "")
    box.setAccessibleName(name)
    box.setChecked(value)
    box.toggled.connect(lambda _: changed())
    return _Field(name, box, box.isChecked)


def _number(name: str, value: float | int | None, changed: Callable[[], None], *, whole: bool = False, optional: bool = False) -> _Field:
    field = NumberField(name, whole=whole, optional=optional)
    field.setText(hex(value)) if name == "mask" and isinstance(value, int) else field.set_value(value)
    if optional:
        field.setPlaceholderText("no limit")
    field.changed.connect(changed)
    return _Field(name, field, field.value)


def _names(name: str, value: dict[str, str], changed: Callable[[], None]) -> _Field:
    field = NamesField(name)
    field.set_names(value)
    field.changed.connect(changed)
    return _Field(name, field, field.names)


def _choice(name: str, words: list[str], value: str, changed: Callable[[], None]) -> _Field:
    box = QComboBox()
    box.setAccessibleName(name)
    for word in words:
        box.addItem(_ROUNDING.get(word, word), word)
    box.setCurrentIndex(max(box.findData(value), 0))
    box.currentIndexChanged.connect(lambda _: changed())
    return _Field(name, box, box.currentData)


def _text(name: str, value: str | None, changed: Callable[[], None]) -> _Field:
    field = QLineEdit(value or "")
    field.setAccessibleName(name)
    field.setPlaceholderText("bad quality" if name == "other" else "")
    field.textChanged.connect(lambda _: changed())
    return _Field(name, field, lambda: field.text().strip() or None)


def _word(name: str, value: str, changed: Callable[[], None]) -> _Field:
    """A text that is a unit, a type, or plain."""
    if name in ("source", "target"):
        unit = UnitField(name, optional=False)
        unit.set_code(value)
        unit.changed.connect(changed)
        return _Field(name, unit, unit.code)
    if name == "type":
        words = list(TYPE_WORDS) if value in TYPE_WORDS else [value, *TYPE_WORDS]
        return _choice(name, words, value, changed)
    field = QLineEdit(value)
    field.setAccessibleName(name)
    field.textChanged.connect(lambda _: changed())
    return _Field(name, field, field.text)
