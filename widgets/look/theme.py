"""The theme of the running application: palette, stylesheet, colours and fonts.

One `Theme` belongs to the QApplication. It is made by `install_theme` or, where a widget is shown without a main window (tests,
single panels), by the first question for a colour. GUI thread only.
"""

from __future__ import annotations

import logging
from pathlib import Path
from string import Template
from typing import Final, Literal, cast

import shiboken6
from PySide6.QtCore import QObject, Qt, QTemporaryDir, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontMetrics, QPalette
from PySide6.QtWidgets import QApplication, QWidget

from resources import FOLDER
from widgets.look.tokens import SERIES, THEMES, TINT, ThemeName

log = logging.getLogger(__name__)

Choice = Literal["light", "dark", "system"]

# Images that a stylesheet can only take as files: (name in the stylesheet, icon file, colour token).
_STYLE_IMAGES: Final = (
    ("chevron_down", "chevron-down", "dim"),
    ("chevron_up", "chevron-up", "dim"),
    ("chevron_right", "chevron-right", "dim"),
    ("chevron_left", "chevron-left", "dim"),
    ("chevron_down_off", "chevron-down", "disabled"),
    ("chevron_up_off", "chevron-up", "disabled"),
    ("menu_check", "check", "text"),
    ("check", "check", "on_accent"),
    ("minus", "minus", "on_accent"),
    ("close", "close", "dim"),
    ("float", "float", "dim"),
)

_PALETTE: Final = (
    (QPalette.ColorRole.Window, "window"),
    (QPalette.ColorRole.WindowText, "text"),
    (QPalette.ColorRole.Base, "panel"),
    (QPalette.ColorRole.AlternateBase, "zebra"),
    (QPalette.ColorRole.Text, "text"),
    (QPalette.ColorRole.Button, "panel"),
    (QPalette.ColorRole.ButtonText, "text"),
    (QPalette.ColorRole.BrightText, "bad"),
    (QPalette.ColorRole.Highlight, "sel"),
    (QPalette.ColorRole.HighlightedText, "text"),
    (QPalette.ColorRole.ToolTipBase, "tip"),
    (QPalette.ColorRole.ToolTipText, "tip_text"),
    (QPalette.ColorRole.PlaceholderText, "dim"),
    (QPalette.ColorRole.Link, "accent"),
    (QPalette.ColorRole.LinkVisited, "accent"),
    (QPalette.ColorRole.Accent, "accent"),
    (QPalette.ColorRole.Light, "hover"),
    (QPalette.ColorRole.Midlight, "line"),
    (QPalette.ColorRole.Mid, "line"),
    (QPalette.ColorRole.Dark, "line_strong"),
    (QPalette.ColorRole.Shadow, "line_strong"),
)
_DISABLED_ROLES: Final = (QPalette.ColorRole.WindowText, QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText)


class Theme(QObject):
    """Light, dark, or whatever the desktop shows now. Ask it for colours while painting; a stored colour is wrong after the next change."""

    changed = Signal()
    """Palette and stylesheet are already applied. Needed only by what keeps colours outside Qt's painting (plots, rendered HTML)."""

    def __init__(self, application: QApplication, choice: Choice = "system") -> None:
        super().__init__(application)
        self._application = application
        self._choice: Choice = choice
        self._images = QTemporaryDir()
        if not self._images.isValid():
            log.warning("No temporary folder: arrows and check marks will be missing (%s)", self._images.errorString())
        application.setStyle("Fusion")
        hints = application.styleHints()
        self._system_scheme = hints.colorScheme()
        hints.colorSchemeChanged.connect(self._on_system_scheme_changed)
        application.fontChanged.connect(self._on_system_font_changed)
        self._apply()

    @property
    def choice(self) -> Choice:
        """What the user asked for."""
        return self._choice

    @property
    def name(self) -> ThemeName:
        """What is shown."""
        if self._choice == "system":
            return "dark" if self._system_scheme == Qt.ColorScheme.Dark else "light"
        return self._choice

    def choose(self, choice: Choice) -> None:
        """Switch at once; window frames follow where the desktop allows it."""
        if choice == self._choice:
            return
        before = self.name
        self._choice = choice
        scheme = {"light": Qt.ColorScheme.Light, "dark": Qt.ColorScheme.Dark}.get(choice, Qt.ColorScheme.Unknown)
        self._application.styleHints().setColorScheme(scheme)
        if self.name != before:
            self._apply()

    def color(self, token: str) -> QColor:
        """The colour of a token of `tokens.THEMES` now. Raises KeyError for an unknown token."""
        return QColor(THEMES[self.name][token])

    def tint(self, token: str) -> QColor:
        """An opaque pale background in the colour of `token`, on which text in that colour stays readable."""
        return mixed(self.color(token), self.color("panel"), TINT)

    def series(self, index: int) -> QColor:
        """The colour of the index-th curve."""
        colors = SERIES[self.name]
        return QColor(colors[index % len(colors)])

    def _on_system_scheme_changed(self, scheme: Qt.ColorScheme) -> None:
        before = self.name
        self._system_scheme = scheme
        if self.name != before:
            self._apply()

    def _on_system_font_changed(self) -> None:
        # Row heights in the stylesheet are counted from the font.
        self._apply()

    def _apply(self) -> None:
        """Without a stylesheet in between: Qt 6.11 takes four times as long to replace one than to drop it and set another."""
        self._application.setStyleSheet("")
        self._application.setPalette(self._palette())
        self._application.setStyleSheet(self._stylesheet())
        self.changed.emit()

    def _palette(self) -> QPalette:
        palette = QPalette()
        for role, token in _PALETTE:
            palette.setColor(role, self.color(token))
        for role in _DISABLED_ROLES:
            palette.setColor(QPalette.ColorGroup.Disabled, role, self.color("disabled"))
        palette.setColor(QPalette.ColorGroup.Disabled, QPalette.ColorRole.Highlight, self.color("chip"))
        return palette

    def _stylesheet(self) -> str:
        text = FOLDER.joinpath("styles", "look.qss").read_text(encoding="utf-8")
        values = dict(THEMES[self.name])
        for token in ("good", "warn", "bad", "accent"):
            values[f"{token}_tint"] = mixed(self.color(token), self.color("panel"), TINT / 2).name()
        values["focus_soft"] = mixed(self.color("accent"), self.color("panel"), 0.5).name()
        values["item_px"] = str(row_px())
        values["title_px"] = str(QFontMetrics(self._application.font()).height())
        for name, icon, token in _STYLE_IMAGES:
            values[f"img_{name}"] = self._style_image(icon, token)
        return Template(text).substitute(values)

    def _style_image(self, icon: str, token: str) -> str:
        """Writes the recoloured icon once per theme. The theme is in the file name because Qt caches these images by name."""
        if not self._images.isValid():
            return "none"
        path = Path(self._images.path()) / f"{self.name}-{icon}-{token}.svg"
        if not path.exists():
            svg = FOLDER.joinpath("icons", f"{icon}.svg").read_text(encoding="utf-8")
            path.write_text(svg.replace("currentColor", self.color(token).name()), encoding="utf-8")
        return f'url("{path.as_posix()}")'


def mixed(over: QColor, under: QColor, share: float) -> QColor:
    """Opaque: what ``over`` looks like on ``under`` when it covers so much of it (0 to 1)."""
    return QColor.fromRgbF(
        over.redF() * share + under.redF() * (1 - share),
        over.greenF() * share + under.greenF() * (1 - share),
        over.blueF() * share + under.blueF() * (1 - share),
    )


_installed: Theme | None = None


def install_theme(application: QApplication, choice: Choice = "system") -> Theme:
    """Dress the application, or change the theme of one that is already dressed."""
    global _installed  # noqa: PLW0603 - one application per process, one theme per application
    if _installed is None or not shiboken6.isValid(_installed):
        _installed = Theme(application, choice)
    else:
        _installed.choose(choice)
    return _installed


def theme() -> Theme:
    """The theme of the running application."""
    if _installed is not None and shiboken6.isValid(_installed):
        return _installed
    application = QApplication.instance()
    if not isinstance(application, QApplication):
        raise RuntimeError("a theme needs a running QApplication")
    return install_theme(application)


def color(token: str) -> QColor:
    """The colour of `token` in the theme shown now. Call it while painting, never keep the result."""
    return theme().color(token)


def row_px() -> int:
    """Height of a table or tree row for the system font: 26 px at 9 pt and 96 dpi."""
    return max(24, QFontMetrics(QApplication.font()).height() + 12)


def scaled_font(base: QFont, factor: float, weight: QFont.Weight | None = None) -> QFont:
    """A copy of `base` by a relative size, so that the user's system size is kept whatever it is."""
    font = QFont(base)
    if base.pointSizeF() > 0:
        font.setPointSizeF(base.pointSizeF() * factor)
    else:
        font.setPixelSize(max(1, round(base.pixelSize() * factor)))
    if weight is not None:
        font.setWeight(weight)
    return font


def value_font(base: QFont | None = None) -> QFont:
    """`base` (or the system font) with digits of one width, so that changing numbers do not jump."""
    font = QFont(base) if base is not None else QApplication.font()
    # The stub knows only the str overload of the tag; the C++ one takes it by QFont.Tag.
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


def mono_font(base: QFont | None = None) -> QFont:
    """The system's fixed-pitch font at the size of `base` (or the system font), for addresses, payloads and bytes."""
    size_of = base if base is not None else QApplication.font()
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
    if size_of.pointSizeF() > 0:
        font.setPointSizeF(size_of.pointSizeF())
    else:
        font.setPixelSize(size_of.pixelSize())
    font.setStyleHint(QFont.StyleHint.Monospace)
    return font


def set_look(widget: QWidget, **properties: str | bool) -> None:
    """Set the dynamic properties that `look.qss` selects on, and have the widget styled again."""
    for name, value in properties.items():
        widget.setProperty(name, value)
    if not widget.testAttribute(Qt.WidgetAttribute.WA_WState_Polished):
        # Its first show will style it. Polishing it now as well makes Qt 6.11 forget a font set in between.
        return
    style = widget.style()
    style.unpolish(widget)
    style.polish(widget)


def as_choice(text: str) -> Choice:
    """A stored setting as a choice; anything unknown is "system"."""
    return cast("Choice", text) if text in {"light", "dark", "system"} else "system"
