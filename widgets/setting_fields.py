"""A form of a driver's settings, made of what its ``spec.py`` says of them."""

from __future__ import annotations

from PySide6.QtWidgets import QCheckBox, QComboBox, QFormLayout, QHBoxLayout, QLineEdit, QWidget

from app.drivers.base import SettingField
from app.errors import UserError
from widgets.fields import NumberField
from widgets.look import label, plain_tip

SettingValue = bool | int | float | str
_Field = QCheckBox | QComboBox | NumberField | QLineEdit


class SettingForm(QFormLayout):
    """Shows defaults; only what differs from them is a setting of the project."""

    def __init__(self, fields: tuple[SettingField, ...], values: dict[str, SettingValue]) -> None:
        super().__init__()
        self.fields: dict[str, _Field] = {}
        self._settings = {field.name: field for field in fields}
        self._unknown = {name: value for name, value in values.items() if name not in self._settings}
        for field in fields:
            made = _made(field, values.get(field.name, field.default))
            made.setAccessibleName(field.title)
            made.setToolTip(plain_tip(field.help))
            self.fields[field.name] = made
            title = label(field.title)
            title.setToolTip(plain_tip(field.help))
            self.addRow(title, _with_unit(made, field.unit))

    def values(self) -> tuple[dict[str, SettingValue], list[UserError]]:
        """What is set, and what is wrong with it. Settings that this version does not know are kept."""
        found = dict(self._unknown)
        problems: list[UserError] = []
        for name, made in self.fields.items():
            field = self._settings[name]
            try:
                value = _value(made, field)
            except ValueError as error:
                problems.append(UserError("Not a setting", where=field.title, why=str(error), fix=f"The default is {field.default}"))
                continue
            if value != field.default:
                found[name] = value
        return found, problems


def _made(field: SettingField, value: SettingValue) -> _Field:
    if field.kind == "bool":
        box = QCheckBox()
        box.setChecked(bool(value))
        return box
    if field.kind == "choice":
        choice = QComboBox()
        choice.addItems(list(field.choices))
        choice.setCurrentText(str(value))
        return choice
    if field.kind == "text":
        return QLineEdit(str(value))
    number = NumberField(field.title, whole=field.kind == "int")
    number.set_value(value if isinstance(value, int | float) else None)
    return number


def _value(made: _Field, field: SettingField) -> SettingValue:
    """Raises ValueError with a sentence."""
    if isinstance(made, QCheckBox):
        return made.isChecked()
    if isinstance(made, QComboBox):
        return made.currentText()
    if not isinstance(made, NumberField):
        return made.text().strip()
    value = made.value()
    assert value is not None
    if (field.low is not None and value < field.low) or (field.high is not None and value > field.high):
        raise ValueError(
            f"{value:g} is not between {field.low:g} and {field.high:g}" if field.high is not None else f"{value:g} is too small"
        )
    return int(value) if field.kind == "int" else float(value)


def _with_unit(made: _Field, unit: str) -> QWidget:
    if not unit:
        return made
    row = QWidget()
    line = QHBoxLayout(row)
    line.setContentsMargins(0, 0, 0, 0)
    line.addWidget(made, 1)
    line.addWidget(label(unit, "dim"))
    return row
