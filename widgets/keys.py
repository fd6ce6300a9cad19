"""Keys of one widget."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget


def on_key(widget: QWidget, keys: str, slot: Callable[[], object], *, children: bool = False) -> None:
    """Call ``slot`` when the keys are pressed in this widget (or in its children), and in no other.

    PySide6 6.11 takes no notice of ``context`` in the constructor of QShortcut: the same keys in two tables would be ambiguous,
    and then do nothing at all.
    """
    contexts = Qt.ShortcutContext
    shortcut = QShortcut(QKeySequence(keys), widget, slot)
    shortcut.setContext(contexts.WidgetWithChildrenShortcut if children else contexts.WidgetShortcut)
