"""Cells painted the short way look as Qt paints them."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QStandardItemModel
from PySide6.QtWidgets import QStyledItemDelegate, QTableView
from pytestqt.qtbot import QtBot

from widgets.look import PlainDelegate, Theme, calm_table
from widgets.look.tokens import ThemeName

TEXTS = ("14:02:03.123", "FT-101.PV  gjÄ", "a text that is much too long for its column", "", "流量計")


def painted(qtbot: QtBot, delegate: type[QStyledItemDelegate]) -> QImage:
    model = QStandardItemModel(len(TEXTS), 2)
    for row, text in enumerate(TEXTS):
        for column in range(2):
            model.setData(model.index(row, column), text, Qt.ItemDataRole.DisplayRole)
    view = QTableView()
    qtbot.addWidget(view)
    calm_table(view, "cells")
    view.setModel(model)
    view.setItemDelegate(delegate(view))
    view.selectRow(1)
    view.resize(320, 160)
    view.show()
    image = view.viewport().grab().toImage()
    model.deleteLater()
    return image


@pytest.mark.parametrize("name", ["light", "dark"])
def test_that_a_plain_cell_looks_as_every_other(qtbot: QtBot, look: Theme, name: ThemeName) -> None:
    look.choose(name)
    assert painted(qtbot, PlainDelegate) == painted(qtbot, QStyledItemDelegate)
