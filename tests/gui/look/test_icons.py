import gc
import re
from importlib.resources import files

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QIcon, QImage, QPixmap

from widgets.look import STATES, Theme, app_icon, color, icon, icon_names
from widgets.look.tokens import ThemeName

WANTED = frozenset(
    """
    connect map plot review deploy checkout folder object variable property method type view endpoint-opcua endpoint-modbus
    unit-id register-table add remove refresh search filter play pause stop record save open new undo redo copy paste
    settings warning error info ok uncertain bad stale link unlink lock unlock up down chevron-right chevron-down export
    import folder-open plot-add cursor zoom-fit image csv approve changed comment eye pin group asset asset-type attribute
    place transform close more logo
    """.split()  # noqa: SIM905 - a list of sixty quoted words is not easier to read
)


def ink(image: QImage) -> list[QColor]:
    """The fully covered pixels."""
    found = (image.pixelColor(x, y) for y in range(image.height()) for x in range(image.width()))
    return [pixel for pixel in found if pixel.alpha() == 255]


@pytest.mark.parametrize("name", sorted(icon_names()))
def test_that_every_icon_has_ink_and_keeps_inside_its_square(look: Theme, name: str) -> None:
    image = icon(name).pixmap(QSize(40, 40), 1.0).toImage()
    assert len(ink(image)) > 20
    if name != "logo":
        edge = [image.pixelColor(a, b) for at in range(40) for a, b in ((at, 0), (at, 39), (0, at), (39, at))]
        assert all(pixel.alpha() == 0 for pixel in edge)


@pytest.mark.parametrize("name", sorted(icon_names()))
def test_that_every_icon_is_plain_geometry_in_the_colour_of_the_text(name: str) -> None:
    svg = files("resources").joinpath("icons", f"{name}.svg").read_text(encoding="utf-8")
    assert set(re.findall(r"<([a-z]+)", svg)) <= {"svg", "path", "rect", "circle"}
    if name != "logo":
        assert "#" not in svg
        assert 'viewBox="0 0 20 20"' in svg
        assert 'stroke-width="1.5"' in svg


def test_that_the_set_is_complete() -> None:
    assert icon_names() >= WANTED
    assert {state.icon for state in STATES.values()} <= icon_names()


def test_that_an_unknown_icon_is_refused(look: Theme) -> None:
    with pytest.raises(KeyError):
        icon("floppy")


@pytest.mark.parametrize("name", ["light", "dark"])
def test_that_an_icon_kept_over_a_change_of_theme_is_recoloured(look: Theme, name: ThemeName) -> None:
    kept = icon("stop", "warn")
    look.choose(name)
    assert color("warn") in ink(kept.pixmap(QSize(40, 40), 1.0).toImage())


def test_that_disabled_and_checked_icons_say_so(look: Theme) -> None:
    shown = icon("stop", "text", "accent")
    size = QSize(40, 40)
    off = shown.pixmap(size, QIcon.Mode.Disabled).toImage()
    on = shown.pixmap(size, QIcon.Mode.Normal, QIcon.State.On).toImage()
    assert color("disabled") in ink(off)
    assert color("text") not in ink(off)
    assert color("accent") in ink(on)


@pytest.mark.parametrize("ratio", [1.0, 1.5, 2.0, 3.0])
def test_that_icons_are_rendered_at_the_pixels_of_the_screen(look: Theme, ratio: float) -> None:
    pixmap = icon("map").pixmap(QSize(16, 16), ratio)
    assert pixmap.size() == QSize(round(16 * ratio), round(16 * ratio))
    assert pixmap.devicePixelRatio() == ratio


def test_that_a_copy_of_an_icon_may_be_changed_and_collected(look: Theme) -> None:
    first = icon("map")
    second = QIcon(first)
    second.addPixmap(QPixmap(4, 4))
    del first, second
    gc.collect()
    assert not icon("map").pixmap(16, 16).isNull()


def test_that_the_application_icon_comes_in_the_sizes_of_desktops(look: Theme) -> None:
    sizes = {size.width() for size in app_icon().availableSizes()}
    assert {16, 32, 48, 256} <= sizes
