"""A question about one endpoint is open once: who asks again has it brought to the front."""

from __future__ import annotations

from typing import TypeVar

from PySide6.QtWidgets import QDialog, QWidget

_D = TypeVar("_D", bound=QDialog)


def raised(parent: QWidget | None, kind: type[_D], endpoint: str) -> _D | None:
    """The visible dialog of this kind above ``parent`` whose attribute ``endpoint`` is this id, in front; None without."""
    found = parent.findChildren(kind) if parent is not None else []
    for dialog in found:
        if dialog.isVisible() and getattr(dialog, "endpoint", "") == endpoint:
            dialog.raise_()
            dialog.activateWindow()
            return dialog
    return None
