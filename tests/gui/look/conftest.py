from collections.abc import Callable, Iterator

import pytest
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication, QWidget

from widgets.look import Theme, install_theme


@pytest.fixture
def look(qapp: QApplication) -> Iterator[Theme]:
    """The theme, light; as it was before for the next test."""
    theme = install_theme(qapp)
    before = theme.choice
    theme.choose("light")
    yield theme
    theme.choose(before)


@pytest.fixture
def colors_of() -> Callable[[QWidget | QImage], dict[str, int]]:
    """How many pixels of each colour a widget paints, as {"#rrggbb": count}."""

    def count(painted: QWidget | QImage) -> dict[str, int]:
        image = painted if isinstance(painted, QImage) else painted.grab().toImage()
        found: dict[str, int] = {}
        for y in range(image.height()):
            for x in range(image.width()):
                name = QColor(image.pixel(x, y)).name()
                found[name] = found.get(name, 0) + 1
        return found

    return count
