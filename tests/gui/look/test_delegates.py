from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QFontMetrics, QImage, QPainter
from PySide6.QtWidgets import QApplication, QStyleOptionViewItem, QTableWidget, QTableWidgetItem, QWidget
from pytestqt.qtbot import QtBot

from widgets.look import (
    BADGE_ROLE,
    QUALITY_ROLE,
    STATES,
    UNIT_ROLE,
    Badge,
    BadgeDelegate,
    BadgeLabel,
    Theme,
    ValueDelegate,
    calm_table,
    color,
    draw_badge,
    plain_tip,
    set_badge,
)
from widgets.look.badges import badge_width, badges_of
from widgets.look.tokens import ThemeName
from widgets.look.values import fitted

Colors = Callable[[QWidget], dict[str, int]]


@pytest.fixture
def table(look: Theme, qtbot: QtBot) -> QTableWidget:
    """One column, one row, in letters large enough to have pixels of their pure colour."""
    made = QTableWidget(1, 1)
    qtbot.addWidget(made)
    calm_table(made, "Sample")
    made.setAlternatingRowColors(False)
    made.setItem(0, 0, QTableWidgetItem())
    large = made.font()
    large.setPixelSize(28)
    large.setBold(True)
    made.setFont(large)
    made.setRowHeight(0, 60)
    made.resize(400, 110)
    return made


def cell(table: QTableWidget) -> QTableWidgetItem:
    item = table.item(0, 0)
    assert item is not None
    return item


@pytest.mark.parametrize("name", ["light", "dark"])
@pytest.mark.parametrize("state", sorted(STATES))
def test_that_every_state_shows_its_colour_and_its_ground(
    look: Theme, table: QTableWidget, colors_of: Colors, state: str, name: ThemeName
) -> None:
    table.setItemDelegate(BadgeDelegate(table))
    set_badge(table.model(), table.model().index(0, 0), state)
    look.choose(name)
    painted = colors_of(table)
    assert painted.get(look.tint(STATES[state].token).name(), 0) > 200
    assert painted.get(color(STATES[state].token).name(), 0) > 5
    assert cell(table).text() == STATES[state].label


def test_that_badges_come_from_their_role_and_never_from_the_words(table: QTableWidget, colors_of: Colors) -> None:
    table.setItemDelegate(BadgeDelegate(table))
    cell(table).setText("approved")
    painted = colors_of(table)
    assert color("good").name() not in painted
    assert color("text").name() not in painted


def test_that_several_badges_stand_side_by_side(look: Theme, table: QTableWidget, colors_of: Colors) -> None:
    table.setItemDelegate(BadgeDelegate(table))
    cell(table).setData(BADGE_ROLE, (Badge("error", "overflow"), "approved"))
    painted = colors_of(table)
    assert painted[look.tint("bad").name()] > 200
    assert painted[look.tint("good").name()] > 200


def test_that_an_unknown_state_is_refused_with_the_known_ones() -> None:
    with pytest.raises(KeyError, match="approved"):
        badges_of("aproved")
    with pytest.raises(KeyError, match="approved"):
        badges_of([Badge("fine")])
    with pytest.raises(TypeError):
        badges_of(7)


def test_that_nothing_is_no_badge() -> None:
    assert badges_of(None) == badges_of("") == badges_of(()) == []


@pytest.mark.parametrize("width", [0, 5, 18, 30, 60, 90, 400])
def test_that_a_pill_never_leaves_its_cell(look: Theme, width: int) -> None:
    image = QImage(460, 30, QImage.Format.Format_RGB32)
    image.fill(QColor("#010203"))
    painter = QPainter(image)
    used = draw_badge(painter, image.rect().adjusted(20, 0, -(440 - width), 0), Badge("suggested", "suggested 0.97"))
    full = badge_width(painter.fontMetrics(), Badge("suggested", "suggested 0.97"))
    painter.end()
    assert used <= min(width, full)
    inked = [x for x in range(image.width()) for y in range(30) if image.pixelColor(x, y) != QColor("#010203")]
    assert all(20 <= x < 20 + width for x in inked)


def test_that_a_badge_label_is_named_and_takes_no_room_when_empty(look: Theme, qtbot: QtBot) -> None:
    pill = BadgeLabel("stale")
    qtbot.addWidget(pill)
    assert pill.accessibleName() == "stale"
    assert pill.sizeHint().width() > 30
    pill.set_badge(None)
    assert pill.sizeHint().width() == 0


@pytest.mark.parametrize(("quality", "token"), [("good", "text"), ("uncertain", "text"), ("bad", "bad"), ("stale", "stale")])
def test_that_a_value_has_the_colour_of_its_quality_and_a_dim_unit(
    table: QTableWidget, colors_of: Colors, quality: str, token: str
) -> None:
    table.setItemDelegate(ValueDelegate(table))
    cell(table).setText("-145.8")
    cell(table).setData(QUALITY_ROLE, quality)
    table.horizontalHeader().hide()
    assert colors_of(table).get(color(token).name(), 0) > 10
    others = {"text", "bad", "stale"} - {token}
    assert all(color(other).name() not in colors_of(table) for other in others)
    cell(table).setData(UNIT_ROLE, "MMMM")
    assert colors_of(table).get(color("stale" if quality == "stale" else "dim").name(), 0) > 10


def test_that_digits_end_at_the_same_place_whatever_the_unit(look: Theme, table: QTableWidget) -> None:
    table.setItemDelegate(ValueDelegate(table, unit_chars=5))
    table.horizontalHeader().hide()
    cell(table).setText("145.8")

    def last_ink() -> int:
        image = table.grab().toImage()
        text = color("text")
        return max(x for x in range(image.width()) for y in range(image.height()) if image.pixelColor(x, y) == text)

    ends = set()
    for unit in ("", "V", "bar"):
        cell(table).setData(UNIT_ROLE, unit)
        ends.add(last_ink())
    assert len(ends) == 1


@given(number=st.floats(allow_nan=False, allow_infinity=False), width=st.integers(0, 400))
def test_that_a_number_is_shown_whole_or_not_at_all(qapp: QApplication, number: float, width: int) -> None:
    metrics = QFontMetrics(qapp.font())
    for text in (repr(number), f"{number:,.3f}"):
        shown = fitted(metrics, text, width)
        assert shown == text or set(shown) == {"#"}
        assert shown != text or metrics.horizontalAdvance(text) <= width


def test_that_a_text_with_digits_is_elided_as_text(qapp: QApplication) -> None:
    metrics = QFontMetrics(qapp.font())
    assert fitted(metrics, "COLA-0.5 / 2", metrics.horizontalAdvance("COLA-0.")).endswith("…")


def test_that_a_leading_minus_stays_visible_when_struck_through(look: Theme, table: QTableWidget) -> None:
    table.setItemDelegate(ValueDelegate(table))
    table.horizontalHeader().hide()
    table.resize(100, 70)

    def painted(text: str) -> QImage:
        cell(table).setText(text)
        return table.grab().toImage()

    cell(table).setData(QUALITY_ROLE, "bad")
    assert painted("-8") != painted("8")
    # Left of the digit there is the minus alone; a line through everything would have joined it with the digit.
    image = painted("-8")
    columns = [any(image.pixelColor(x, y) == color("bad") for y in range(image.height())) for x in range(image.width())]
    first = columns.index(True)
    assert False in columns[first : len(columns) - columns[::-1].index(True)]


def test_that_size_hints_leave_room_for_all_of_it(look: Theme, table: QTableWidget) -> None:
    delegate = ValueDelegate(table, unit_chars=5)
    cell(table).setText("184,220")
    option = QStyleOptionViewItem()
    option.font = table.font()
    bare = delegate.sizeHint(option, table.model().index(0, 0))
    cell(table).setData(UNIT_ROLE, "a very long unit")
    assert delegate.sizeHint(option, table.model().index(0, 0)).width() > bare.width()
    assert BadgeDelegate(table).sizeHint(option, table.model().index(0, 0)) != QSize()


@pytest.mark.parametrize("text", ["plain", "a < b", "<b>bold</b> & more", "two\nlines <i>"])
def test_that_a_tool_tip_never_renders_plant_text_as_markup(text: str) -> None:
    tip = plain_tip(text)
    assert "<b>" not in tip
    assert "<i>" not in tip
    assert tip == text or tip.startswith("<span>")
