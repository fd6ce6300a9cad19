from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.errors import EndpointError
from widgets.look import (
    Card,
    Chip,
    ChipBar,
    ConnectionChip,
    ElidedLabel,
    EmptyState,
    KeyValue,
    KeyValueTable,
    MessageBar,
    Rail,
    RailMode,
    SearchField,
    StatusDot,
    Theme,
    button,
    label,
    tool_button,
)

MODES = (RailMode("connect", "Connect", "connect"), RailMode("map", "Map", "map"), RailMode("review", "Review", "review"))


@pytest.fixture
def stage(look: Theme, qtbot: QtBot) -> Iterator[QVBoxLayout]:
    """The layout of a shown window."""
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(400, 400)
    layout = QVBoxLayout(window)
    window.show()
    yield layout
    # Until here the fixture keeps the window alive: qtbot has a weak reference, the layout none.
    window.close()


def words_in(widget: QWidget) -> list[str]:
    return [shown.text() for shown in widget.findChildren(QLabel) if shown.isVisibleTo(widget) and shown.text()]


# --- rail ---


def test_that_a_click_on_the_rail_chooses_a_mode(look: Theme, qtbot: QtBot) -> None:
    rail = Rail(MODES)
    qtbot.addWidget(rail)
    assert rail.current == "connect"
    with qtbot.waitSignal(rail.chosen) as emitted:
        QTest.mouseClick(rail.button("review"), Qt.MouseButton.LeftButton)
    assert emitted.args == ["review"]
    assert rail.current == "review"


def test_that_the_rail_is_worked_with_the_arrow_keys(stage: QVBoxLayout, qtbot: QtBot) -> None:
    rail = Rail(MODES)
    stage.addWidget(rail)
    chosen: list[str] = []
    rail.chosen.connect(chosen.append)
    rail.window().activateWindow()
    rail.button("connect").setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.waitUntil(rail.button("connect").hasFocus)
    QTest.keyClick(rail.button("connect"), Qt.Key.Key_Down)
    assert rail.current == "map"
    assert chosen == ["map"]
    assert rail.button("map").hasFocus()
    QTest.keyClick(rail.button("map"), Qt.Key.Key_End)
    QTest.keyClick(rail.button("review"), Qt.Key.Key_Down)
    assert chosen == ["map", "review"]
    QTest.keyClick(rail.button("review"), Qt.Key.Key_Home)
    assert rail.current == "connect"


def test_that_choosing_by_program_says_nothing(look: Theme, qtbot: QtBot) -> None:
    rail = Rail(MODES)
    qtbot.addWidget(rail)
    with qtbot.assertNotEmitted(rail.chosen):
        rail.choose("map")
    assert rail.current == "map"
    with pytest.raises(KeyError):
        rail.choose("deploy")


def test_that_a_count_on_the_rail_is_seen_and_read_out(look: Theme, qtbot: QtBot) -> None:
    rail = Rail(MODES)
    qtbot.addWidget(rail)
    before = rail.button("map").grab().toImage()
    rail.set_count("map", 1188, "unmapped")
    assert rail.button("map").accessibleName() == "Map, 1,188 unmapped"
    assert rail.button("map").grab().toImage() != before
    rail.set_count("map", 0)
    assert rail.button("map").accessibleName() == "Map"
    assert rail.button("map").grab().toImage() == before


# --- search ---


def test_that_a_burst_of_typing_asks_once(look: Theme, qtbot: QtBot) -> None:
    field = SearchField("Filter nodes…")
    qtbot.addWidget(field)
    asked: list[str] = []
    field.query.connect(asked.append)
    QTest.keyClicks(field, "flow ")
    assert asked == []
    qtbot.waitUntil(lambda: asked == ["flow"])
    assert field.accessibleName() == "Filter nodes"


def test_that_enter_asks_at_once_and_escape_clears(look: Theme, qtbot: QtBot) -> None:
    field = SearchField("Filter…")
    qtbot.addWidget(field)
    asked: list[str] = []
    field.query.connect(asked.append)
    QTest.keyClicks(field, "flow")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert asked == ["flow"]
    QTest.keyClick(field, Qt.Key.Key_Escape)
    assert asked == ["flow", ""]
    assert field.text() == ""


def test_that_the_clear_button_is_there_only_with_text(stage: QVBoxLayout, qtbot: QtBot) -> None:
    field = SearchField("Filter…")
    stage.addWidget(field)
    clear = next(made for made in field.findChildren(QToolButton) if made.defaultAction().text() == "Clear")
    assert not clear.isVisible()
    field.setText("x")
    qtbot.waitUntil(clear.isVisible)
    QTest.mouseClick(clear, Qt.MouseButton.LeftButton)
    assert field.text() == ""


# --- chips ---


def test_that_one_chip_is_on_and_the_chosen_one_is_told(look: Theme, qtbot: QtBot) -> None:
    bar = ChipBar((("all", "All"), ("bad", "Bad")))
    qtbot.addWidget(bar)
    bar.set_count("bad", 1204)
    chip = next(made for made in bar.findChildren(Chip) if made.text().startswith("Bad"))
    assert chip.text() == "Bad  1,204"
    assert chip.accessibleName() == "Bad, 1,204"
    with qtbot.waitSignal(bar.chosen) as emitted:
        chip.click()
    assert emitted.args == ["bad"]
    assert bar.current == "bad"
    with qtbot.assertNotEmitted(bar.chosen):
        bar.choose("all")
    assert bar.current == "all"


# --- messages ---


def test_that_an_error_shows_what_where_why_and_fix_as_plain_text(stage: QVBoxLayout) -> None:
    bar = MessageBar()
    stage.addWidget(bar)
    assert not bar.isVisible()
    bar.show_error(EndpointError("No answer", where="opc.tcp://<b>h</b>", why="refused", fix="Start it"))
    assert bar.isVisible()
    assert words_in(bar) == ["No answer", "opc.tcp://<b>h</b>", "refused", "Start it"]
    assert all(shown.textFormat() == Qt.TextFormat.PlainText for shown in bar.findChildren(QLabel))
    assert bar.accessibleName() == "error: No answer"


def test_that_details_are_copied_and_dismissing_hides(stage: QVBoxLayout, qtbot: QtBot) -> None:
    bar = MessageBar()
    stage.addWidget(bar)
    bar.show_message("4 rows not taken", "warning", why="no table")
    assert words_in(bar) == ["4 rows not taken", "no table"]
    tools = {made.accessibleName(): made for made in bar.findChildren(QToolButton)}
    tools["Copy details"].click()
    assert QGuiApplication.clipboard().text() == "4 rows not taken\nno table"
    with qtbot.waitSignal(bar.dismissed):
        tools["Dismiss"].click()
    assert not bar.isVisible()


def test_that_an_action_is_gone_with_the_next_message(stage: QVBoxLayout, qtbot: QtBot) -> None:
    bar = MessageBar()
    stage.addWidget(bar)
    bar.show_message("Lost", "error")
    retry = bar.add_action("Retry", "refresh", primary=True)
    with qtbot.waitSignal(retry.clicked):
        retry.click()
    bar.show_message("Back", "ok")
    qtbot.waitUntil(lambda: bar.findChildren(QPushButton) == [])


# --- details ---


def test_that_a_refresh_touches_only_what_changed_and_keeps_the_selection(stage: QVBoxLayout) -> None:
    grid = KeyValueTable()
    stage.addWidget(grid)
    grid.set_rows([("Node", "i=85"), ("Value", "1")])
    grid.selectRow(0)
    node = grid.item(0, 0)
    grid.set_rows([("Node", "i=85"), ("Value", "2")])
    assert grid.selected_text() == "i=85"
    assert grid.item(0, 0) is node
    assert grid.value("Value") == "2"


def test_that_copying_gives_the_value_or_spreadsheet_rows(stage: QVBoxLayout, qtbot: QtBot) -> None:
    grid = KeyValueTable()
    stage.addWidget(grid)
    grid.set_rows([KeyValue("Quality", "Good", badge="good"), ("Rate", "250 ms")])
    grid.selectAll()
    QTest.keyClick(grid, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == "Quality\tGood\nRate\t250 ms"


def test_that_a_long_address_wraps_and_makes_its_row_higher(stage: QVBoxLayout, qtbot: QtBot) -> None:
    grid = KeyValueTable(fit=True)
    stage.addWidget(grid)
    grid.set_rows([("Short", "i=85"), ("Node", "nsu=urn:acme:" + "x" * 200)])
    qtbot.waitUntil(lambda: grid.rowHeight(1) > 3 * grid.rowHeight(0))
    assert grid.height() >= grid.rowHeight(0) + grid.rowHeight(1)
    before = grid.rowHeight(1)
    grid.window().resize(800, 400)
    qtbot.waitUntil(lambda: grid.rowHeight(1) < before)


def test_that_details_cannot_be_edited(stage: QVBoxLayout) -> None:
    grid = KeyValueTable()
    stage.addWidget(grid)
    grid.set_rows([("Node", "i=85")])
    assert grid.editTriggers() == grid.EditTrigger.NoEditTriggers


def test_that_fewer_rows_leave_none_behind(stage: QVBoxLayout) -> None:
    grid = KeyValueTable()
    stage.addWidget(grid)
    grid.set_rows([("a", "1"), ("b", "2"), ("c", "3")])
    grid.set_rows([("b", "2")])
    assert grid.rowCount() == 1
    assert grid.rows() == (KeyValue("b", "2"),)


# --- cards, labels, connection ---


def test_that_a_card_counts_and_an_untitled_one_has_no_title_line(stage: QVBoxLayout) -> None:
    card = Card("Tags")
    stage.addWidget(card)
    card.set_count(12, of=1412)
    assert words_in(card) == ["Tags", "12 of 1,412"]
    card.set_count(None)
    assert words_in(card) == ["Tags"]
    plain = Card("", label("body"))
    stage.addWidget(plain)
    assert words_in(plain) == ["body"]
    plain.add_right(button("Add", "add", kind="flat"))
    assert [made.isVisibleTo(plain) for made in plain.findChildren(QPushButton)] == [True]


def test_that_an_empty_state_offers_the_next_step(stage: QVBoxLayout, qtbot: QtBot) -> None:
    empty = EmptyState("connect", "No endpoint yet", "Connect to a server.")
    stage.addWidget(empty)
    step = empty.add_button("Add endpoint…", "add")
    with qtbot.waitSignal(step.clicked):
        step.click()
    assert words_in(empty) == ["No endpoint yet", "Connect to a server."]
    empty.set_words("Nothing matches")
    assert words_in(empty) == ["Nothing matches"]
    assert empty.accessibleName() == "Nothing matches"


def test_that_an_elided_label_gives_way_and_tells_the_rest_on_hover(stage: QVBoxLayout) -> None:
    shown = ElidedLabel("/Objects/" + "very long " * 40)
    stage.addWidget(shown)
    assert shown.minimumSizeHint().width() < 100
    shown.resize(100, 20)
    assert shown.toolTip() == shown.text()
    shown.setText("short")
    assert shown.toolTip() == ""


def test_that_labels_never_render_markup(look: Theme) -> None:
    assert label("<h1>tag</h1>").textFormat() == Qt.TextFormat.PlainText
    assert ElidedLabel("<h1>tag</h1>").textFormat() == Qt.TextFormat.PlainText


def test_that_a_connection_chip_tells_its_state_in_words_and_does_not_jump(look: Theme, qtbot: QtBot) -> None:
    chip = ConnectionChip("filler")
    qtbot.addWidget(chip)
    chip.set_state("connected", "14,812/s")
    wide = chip.sizeHint().width()
    chip.set_state("connected", "9/s")
    assert chip.sizeHint().width() == wide
    assert chip.accessibleName() == "filler: connected, 9/s"
    chip.set_state("lost")
    assert chip.accessibleName() == "filler: lost"
    assert chip.text() == "filler  lost"
    with qtbot.waitSignal(chip.clicked):
        QTest.mouseClick(chip, Qt.MouseButton.LeftButton)


def test_that_dots_of_different_states_differ_in_shape_and_not_by_colour_alone(look: Theme, qtbot: QtBot) -> None:
    shapes = set()
    for state in ("connected", "connecting", "lost", "paused", "off"):
        dot = StatusDot(state)
        qtbot.addWidget(dot)
        dot.resize(20, 20)
        image = dot.grab().toImage()
        ground = image.pixelColor(0, 0)
        shapes.add(tuple(image.pixelColor(x, y) == ground for y in range(20) for x in range(20)))
        assert dot.accessibleName()
    assert len(shapes) == 5


def test_that_icon_buttons_have_a_name(look: Theme) -> None:
    made = tool_button("refresh", "Refresh (F5)")
    assert made.accessibleName() == made.toolTip() == "Refresh (F5)"
