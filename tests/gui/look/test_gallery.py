import os
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QColor, QImage
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QApplication, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from widgets.look import Theme
from widgets.look.gallery import PAGES, Gallery
from widgets.look.tokens import THEMES, ThemeName

ROOT = Path(__file__).parents[3]


def rendered(tmp_path: Path, name: ThemeName, page: str, scale: int) -> QImage:
    """The gallery as a process of its own draws it: the scale is read at start-up."""
    out = tmp_path / f"{name}-{page}-{scale}x.png"
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "QT_SCALE_FACTOR": str(scale)}
    subprocess.run([sys.executable, "-m", "widgets.look.gallery", name, page, str(out)], check=True, cwd=ROOT, env=environment, timeout=60)
    image = QImage(str(out))
    assert not image.isNull()
    return image


def share(image: QImage, token: str, name: ThemeName) -> float:
    """How much of the picture has exactly this colour; pixels of a 7 px raster are looked at."""
    wanted = QColor(THEMES[name][token]).rgb()
    seen = [image.pixel(x, y) == wanted for y in range(0, image.height(), 7) for x in range(0, image.width(), 7)]
    return sum(seen) / len(seen)


@pytest.mark.parametrize("name", ["light", "dark"])
@pytest.mark.parametrize("page", sorted(PAGES))
def test_that_the_gallery_is_drawn_in_both_themes_and_sharp_at_both_scales(tmp_path: Path, name: ThemeName, page: str) -> None:
    once, twice = (rendered(tmp_path, name, page, scale) for scale in (1, 2))
    assert once.width() == 1366
    # Hinting at one scale makes lines of text a little taller or shorter at the other.
    assert twice.width() == pytest.approx(2 * once.width(), rel=0.02)
    assert twice.height() == pytest.approx(2 * once.height(), rel=0.04)
    for image in (once, twice):
        assert share(image, "panel", name) > 0.3
        assert share(image, "window", name) > 0.05
        assert share(image, "rail", name) > 0.03
        assert share(image, "text", name) > 0.001
    other: ThemeName = "dark" if name == "light" else "light"
    assert share(once, "panel", other) < 0.001
    # Sharp: a picture blown up from the smaller one would have equal pixels in every block of two by two.
    uneven = sum(twice.pixel(x, y) != twice.pixel(x + 1, y) for y in range(0, twice.height(), 8) for x in range(0, twice.width() - 1, 2))
    assert uneven > 500


@pytest.mark.parametrize("page", sorted(PAGES))
def test_that_everything_that_takes_the_focus_has_a_name_for_screen_readers(look: Theme, qtbot: QtBot, page: str) -> None:
    window = Gallery(page)
    qtbot.addWidget(window)
    window.show()
    unnamed = []
    for widget in window.findChildren(QWidget):
        relevant = isinstance(widget, QAbstractButton | QAbstractItemView | QLineEdit)
        if (
            not relevant
            or not widget.isVisible()
            or widget.focusPolicy() == Qt.FocusPolicy.NoFocus
            or widget.objectName().startswith("qt_")
        ):
            continue
        interface = QAccessible.queryAccessibleInterface(widget)
        if not interface.text(QAccessible.Text.Name):
            unnamed.append(f"{type(widget).__name__} {widget.objectName()}")
    assert unnamed == []


@pytest.mark.parametrize("page", sorted(PAGES))
def test_that_building_a_page_opens_no_stray_windows(look: Theme, qtbot: QtBot, page: str) -> None:
    before = {id(widget) for widget in QApplication.topLevelWidgets() if widget.isVisible()}
    window = Gallery(page)
    qtbot.addWidget(window)
    assert [widget for widget in QApplication.topLevelWidgets() if widget.isVisible() and id(widget) not in before] == []
