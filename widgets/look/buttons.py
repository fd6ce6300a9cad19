"""Buttons of the theme's kinds, and filter chips."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QSizePolicy, QToolButton, QWidget

from widgets.look.icons import icon
from widgets.look.theme import set_look

_ICON_SIZE = QSize(16, 16)

# The colour of an icon inside a button of each kind.
_ICON_ROLE = {"primary": "on_accent", "danger": "on_bad", "flat": "accent", "quiet": "dim"}


def button(text: str, icon_name: str = "", *, kind: str = "", tip: str = "") -> QPushButton:
    """A push button.

    Args:
        text: Its words.
        icon_name: A name of `icons.icon_names()`, or "".
        kind: "" normal; "primary" the one next step of a view; "flat" a link-like action in a title line; "quiet" a dim state such
            as READ-ONLY; "danger" what changes the plant or destroys something.
        tip: Tool tip.
    """
    made = QPushButton(text)
    made.setToolTip(tip)
    made.setIconSize(_ICON_SIZE)
    set_kind(made, kind)
    if icon_name:
        made.setIcon(icon(icon_name, _ICON_ROLE.get(kind, "text")))
    return made


def set_kind(made: QPushButton, kind: str) -> None:
    """Change the kind of a button that is already shown. The icon keeps its colour: set it again where that matters."""
    set_look(made, kind=kind)


def tool_button(icon_name: str, name: str, *, checkable: bool = False, role: str = "dim") -> QToolButton:
    """A square icon button; `name` is its tool tip and its name for screen readers."""
    made = QToolButton()
    made.setIcon(icon(icon_name, role, "accent"))
    made.setIconSize(_ICON_SIZE)
    made.setToolTip(name)
    made.setAccessibleName(name)
    made.setCheckable(checkable)
    made.setAutoRaise(True)
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return made


class Chip(QPushButton):
    """A filter that is on or off, with how many rows it would show."""

    def __init__(self, text: str, count: int | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.words = text
        self.setCheckable(True)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        set_look(self, kind="chip")
        self.set_count(count)

    def set_count(self, count: int | None) -> None:
        """None shows no number."""
        text = self.words if count is None else f"{self.words}  {count:,}"
        if text != self.text():
            self.setText(text)
            self.setAccessibleName(self.words if count is None else f"{self.words}, {count:,}")


class ChipBar(QWidget):
    """A row of chips of which exactly one is on; room for buttons at the right end."""

    chosen = Signal(str)
    """The key of the chip that the user switched on; not emitted by `choose`."""

    def __init__(self, chips: Sequence[tuple[str, str]] = (), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._chips: dict[str, Chip] = {}
        self._group = QButtonGroup(self)
        self._group.setExclusive(True)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(6)
        self._row.addStretch(1)
        for key, text in chips:
            self.add_chip(key, text)

    def add_chip(self, key: str, text: str) -> Chip:
        """Append a chip; the first one is on."""
        chip = Chip(text)
        chip.clicked.connect(lambda: self.chosen.emit(key))
        self._chips[key] = chip
        self._group.addButton(chip)
        self._row.insertWidget(len(self._chips) - 1, chip)
        if len(self._chips) == 1:
            chip.setChecked(True)
        return chip

    def set_chips(self, chips: Sequence[tuple[str, str]]) -> None:
        """Other chips in place of these; the one that is on stays on when it is among them. Unchanged chips are left alone."""
        wanted = dict(chips)
        if wanted == {key: chip.words for key, chip in self._chips.items()}:
            return
        current = self.current
        for chip in self._chips.values():
            self._group.removeButton(chip)
            self._row.removeWidget(chip)
            chip.hide()  # until it is deleted it would stand behind the new ones
            chip.deleteLater()
        self._chips = {}
        for key, text in chips:
            self.add_chip(key, text)
        if current in self._chips:
            self.choose(current)

    def add_right(self, widget: QWidget) -> None:
        """Put a button at the right end."""
        self._row.addWidget(widget)

    def set_count(self, key: str, count: int | None) -> None:
        """The number in a chip. Raises KeyError for an unknown key."""
        self._chips[key].set_count(count)

    def choose(self, key: str) -> None:
        """Switch a chip on. Raises KeyError for an unknown key."""
        self._chips[key].setChecked(True)

    @property
    def current(self) -> str:
        """The key of the chip that is on, "" without chips."""
        return next((key for key, chip in self._chips.items() if chip.isChecked()), "")
