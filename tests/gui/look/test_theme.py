from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFontInfo, QPalette
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from widgets.look import Card, Theme, as_choice, color, label, mono_font, row_px, scaled_font, set_look, value_font
from widgets.look.tokens import SERIES, THEMES, ThemeName

SURFACES = ("window", "panel", "field", "zebra", "hover", "chip", "sel", "accent_bg")
Colors = Callable[[QWidget], dict[str, int]]


def luminance(shown: QColor) -> float:
    """WCAG 2.2 relative luminance."""
    channels = (shown.redF(), shown.greenF(), shown.blueF())
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(over: QColor, under: QColor) -> float:
    lighter, darker = sorted((luminance(over), luminance(under)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_that_the_contrast_of_black_on_white_is_twenty_one() -> None:
    assert contrast(QColor("black"), QColor("white")) == pytest.approx(21)


@pytest.mark.parametrize("name", ["light", "dark"])
@pytest.mark.parametrize("surface", SURFACES)
def test_that_text_is_readable_on_every_surface(look: Theme, name: ThemeName, surface: str) -> None:
    look.choose(name)
    assert contrast(color("text"), color(surface)) >= 4.5
    assert contrast(color("dim"), color(surface)) >= 3
    assert contrast(color("stale"), color(surface)) >= 3


@pytest.mark.parametrize("name", ["light", "dark"])
@pytest.mark.parametrize("token", ["good", "warn", "bad", "accent"])
def test_that_state_colours_are_readable_as_text_and_in_their_own_pill(look: Theme, name: ThemeName, token: str) -> None:
    look.choose(name)
    for surface in ("window", "panel", "zebra"):
        assert contrast(color(token), color(surface)) >= 4.5
    assert contrast(color(token), look.tint(token)) >= 4.5


@pytest.mark.parametrize("name", ["light", "dark"])
@pytest.mark.parametrize(
    ("ink", "under"),
    [
        ("on_accent", "accent"),
        ("on_accent", "accent_hover"),
        ("on_bad", "bad"),
        ("rail_text", "rail"),
        ("rail_text", "rail_hover"),
        ("rail_text_active", "rail_active"),
        ("rail_count_text", "rail_count"),
        ("tip_text", "tip"),
        ("accent", "accent_bg"),
    ],
)
def test_that_words_on_coloured_ground_are_readable(look: Theme, name: ThemeName, ink: str, under: str) -> None:
    look.choose(name)
    assert contrast(color(ink), color(under)) >= 4.5


@pytest.mark.parametrize("name", ["light", "dark"])
def test_that_the_words_of_every_pill_are_readable(look: Theme, name: ThemeName) -> None:
    look.choose(name)
    for token in ("dim", "stale"):
        assert contrast(color(token), look.tint(token)) >= 3


@pytest.mark.parametrize("name", ["light", "dark"])
def test_that_curves_stand_out_from_their_panel_and_are_all_different(look: Theme, name: ThemeName) -> None:
    look.choose(name)
    curves = [look.series(index) for index in range(len(SERIES[name]))]
    assert len({curve.name() for curve in curves}) == len(curves)
    assert all(contrast(curve, color("panel")) >= 3 for curve in curves)
    assert look.series(len(curves)) == curves[0]


def test_that_both_themes_know_the_same_tokens() -> None:
    assert THEMES["light"].keys() == THEMES["dark"].keys()
    assert all(QColor(value).isValid() for tokens in THEMES.values() for value in tokens.values())


def test_that_an_unknown_token_is_refused(look: Theme) -> None:
    with pytest.raises(KeyError):
        color("greenish")


@pytest.mark.parametrize("name", ["light", "dark"])
def test_that_the_theme_reaches_the_pixels(look: Theme, qtbot: QtBot, colors_of: Colors, name: ThemeName) -> None:
    words = label("nothing here", "bad")
    large = words.font()
    large.setPixelSize(28)
    words.setFont(large)
    card = Card("Tags", words)
    qtbot.addWidget(card)
    card.resize(240, 120)
    look.choose(name)
    painted = colors_of(card)
    assert max(painted, key=lambda seen: painted[seen]) == color("panel").name()
    for token in ("line", "text", "bad"):
        assert painted.get(color(token).name(), 0) > 10, token


def test_that_a_shown_widget_follows_a_change_of_theme(look: Theme, qtbot: QtBot, colors_of: Colors) -> None:
    card = Card("Tags")
    qtbot.addWidget(card)
    card.resize(120, 60)
    card.show()
    before = colors_of(card)
    look.choose("dark")
    assert color("panel").name() not in before
    assert colors_of(card)[color("panel").name()] > 1000


def test_that_choosing_emits_once_and_only_for_a_change(look: Theme, qapp: QApplication) -> None:
    seen: list[str] = []
    look.changed.connect(lambda: seen.append(look.name))
    look.choose("light")
    assert seen == []
    look.choose("dark")
    assert seen == ["dark"]
    assert qapp.palette().color(QPalette.ColorRole.Window) == color("window")
    assert color("window").name().upper() == THEMES["dark"]["window"]


def test_that_system_follows_the_desktop_while_a_choice_does_not(look: Theme, qapp: QApplication) -> None:
    hints = qapp.styleHints()
    try:
        names = []
        hints.colorSchemeChanged.emit(Qt.ColorScheme.Dark)
        names.append(look.name)
        look.choose("system")
        names.append(look.name)
        hints.colorSchemeChanged.emit(Qt.ColorScheme.Light)
        names.append(look.name)
        assert names == ["light", "dark", "light"]
        assert qapp.palette().color(QPalette.ColorRole.Base) == QColor(THEMES["light"]["panel"])
    finally:
        hints.colorSchemeChanged.emit(Qt.ColorScheme.Unknown)


@pytest.mark.parametrize(
    ("stored", "choice"), [("dark", "dark"), ("light", "light"), ("system", "system"), ("", "system"), ("pink", "system")]
)
def test_that_a_stored_choice_is_understood_or_replaced(stored: str, choice: str) -> None:
    assert as_choice(stored) == choice


def test_that_sizes_follow_the_system_font(look: Theme, qapp: QApplication) -> None:
    before = qapp.font()
    small_px = row_px()
    try:
        large = qapp.font()
        large.setPointSizeF(before.pointSizeF() * 2)
        qapp.setFont(large)
        assert row_px() > small_px + 10
        assert f"min-height: {row_px()}px" in qapp.styleSheet()
        assert mono_font().pointSizeF() == large.pointSizeF()
        assert value_font().pointSizeF() == large.pointSizeF()
        assert scaled_font(large, 0.5).pointSizeF() == pytest.approx(before.pointSizeF())
    finally:
        qapp.setFont(before)


def test_that_a_font_of_its_own_survives_the_look_and_a_change_of_theme(look: Theme, qtbot: QtBot) -> None:
    words = label("large", "title")
    qtbot.addWidget(words)
    words.setFont(scaled_font(words.font(), 2))
    wanted = words.font().pointSizeF()
    words.show()
    assert words.font().pointSizeF() == wanted
    look.choose("dark")
    set_look(words, look="dim")
    assert words.font().pointSizeF() == wanted


def test_that_a_font_given_in_pixels_is_scaled_in_pixels(look: Theme) -> None:
    font = QLabel().font()
    font.setPixelSize(20)
    assert scaled_font(font, 0.5).pixelSize() == 10


def test_that_the_mono_font_has_a_fixed_pitch_and_values_have_tabular_digits(look: Theme) -> None:
    assert QFontInfo(mono_font()).fixedPitch()
    assert [tag.toString().data() for tag in value_font().featureTags()] == [b"tnum"]
