"""Icons drawn by the theme: `resources/icons/NAME.svg` in the colour of a token, sharp at the pixel size asked for.

They ask for their colour at every paint, so a theme change recolours all of them, also those kept by models and actions.
"""

from __future__ import annotations

from functools import cache

from PySide6.QtCore import QByteArray, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QIconEngine, QPainter, QPixmap, QPixmapCache
from PySide6.QtSvg import QSvgRenderer

from resources import FOLDER
from widgets.look.theme import theme

_APP_ICON_SIZES_PX = (16, 20, 24, 32, 48, 64, 128, 256)


@cache
def icon_names() -> frozenset[str]:
    """Every name that `icon` knows."""
    folder = FOLDER / "icons"
    return frozenset(entry.name.removesuffix(".svg") for entry in folder.iterdir() if entry.name.endswith(".svg"))


def icon(name: str, role: str = "text", on_role: str | None = None) -> QIcon:
    """An icon that always shows the current theme; make it once and keep it.

    Args:
        name: One of `icon_names()`. Raises KeyError for another, so that a typing error shows in the first test.
        role: The token of its colour. "logo" ignores it.
        on_role: The token of its colour in a checked button; default the same. (Trees paint the icons of open branches as "on", too.)
    """
    if name not in icon_names():
        raise KeyError(name)
    return QIcon(_ThemedEngine(name, role, on_role or role))


def icon_pixmap(name: str, tint: QColor, size_px: int, ratio: float) -> QPixmap:
    """One rendered icon, `size_px` logical pixels wide, for a screen of `ratio` device pixels per logical pixel. Cached by Qt.

    Icons are square.
    """
    pixmap = _rendered(name, tint, QSize(round(size_px * ratio), round(size_px * ratio)))
    pixmap.setDevicePixelRatio(ratio)
    return pixmap


def draw_icon(painter: QPainter, rect: QRect, name: str, tint: QColor) -> None:
    """Paint an icon centred in `rect`, as large as the smaller side."""
    side = min(rect.width(), rect.height())
    if side <= 0:
        return
    pixmap = icon_pixmap(name, tint, side, painter.device().devicePixelRatio())
    painter.drawPixmap(rect.x() + (rect.width() - side) // 2, rect.y() + (rect.height() - side) // 2, pixmap)


def app_icon() -> QIcon:
    """The application's icon in fixed colours, in the sizes that window systems take."""
    result = QIcon()
    for size_px in _APP_ICON_SIZES_PX:
        result.addPixmap(_rendered("logo", QColor("black"), QSize(size_px, size_px)))
    return result


@cache
def _svg(name: str) -> str:
    return FOLDER.joinpath("icons", f"{name}.svg").read_text(encoding="utf-8")


def _rendered(name: str, tint: QColor, size: QSize) -> QPixmap:
    """A pixmap of exactly `size` device pixels, ratio 1."""
    key = f"look:{name}:{tint.rgba():08x}:{size.width()}x{size.height()}"
    pixmap = QPixmap()
    if QPixmapCache.find(key, pixmap):
        return pixmap
    pixmap = QPixmap(size)
    pixmap.fill(Qt.GlobalColor.transparent)
    svg = _svg(name).replace("currentColor", tint.name())
    painter = QPainter(pixmap)
    painter.setOpacity(tint.alphaF())
    side = min(size.width(), size.height())
    box = QRectF((size.width() - side) / 2, (size.height() - side) / 2, side, side)
    QSvgRenderer(QByteArray(svg.encode())).render(painter, box)
    painter.end()
    QPixmapCache.insert(key, pixmap)
    return pixmap


class _ThemedEngine(QIconEngine):
    """Asks the theme for its colour at every paint."""

    # QIcon calls clone() only when someone adds pixmaps to a copy. PySide 6.11 hands the clone to C++ but leaves its Python half
    # the owner (a segmentation fault when that is collected), so the halves are kept here; C++ deletes the engines.
    _clones: list[_ThemedEngine] = []  # noqa: RUF012 - one list for all, on purpose

    def __init__(self, name: str, role: str, on_role: str) -> None:
        super().__init__()
        self._name = name
        self._role = role
        self._on_role = on_role

    def _tint(self, mode: QIcon.Mode, state: QIcon.State) -> QColor:
        if mode == QIcon.Mode.Disabled:
            return theme().color("disabled")
        if state == QIcon.State.On:
            return theme().color(self._on_role)
        if mode == QIcon.Mode.Active and self._role == "dim":
            return theme().color("text")
        return theme().color(self._role)

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        ratio = painter.device().devicePixelRatio()
        size = QSize(round(rect.width() * ratio), round(rect.height() * ratio))
        pixmap = _rendered(self._name, self._tint(mode, state), size)
        pixmap.setDevicePixelRatio(ratio)
        painter.drawPixmap(rect, pixmap)

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        return _rendered(self._name, self._tint(mode, state), size)

    def clone(self) -> QIconEngine:
        twin = _ThemedEngine(self._name, self._role, self._on_role)
        self._clones.append(twin)
        return twin

    def key(self) -> str:
        return "tagloom-themed"
