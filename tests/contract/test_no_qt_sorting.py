"""Nothing in the window has Qt sort or filter rows of a Python model: it calls ``data`` for every row, and takes seconds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import widgets

FORBIDDEN = re.compile(r"\bQSortFilterProxyModel\b|\bQStandardItemModel\b|\bsetFilter(?:FixedString|RegularExpression|Wildcard)\b")


def offences(folder: Path) -> list[str]:
    return [
        f"{path.relative_to(folder)}:{number}: {line.strip()}"
        for path in sorted(folder.rglob("*.py"))
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if FORBIDDEN.search(line)
    ]


def test_that_no_widget_has_qt_sort_or_filter_python_rows() -> None:
    assert offences(Path(widgets.__path__[0])) == []


@pytest.mark.parametrize("line", ["from PySide6.QtCore import QSortFilterProxyModel", "model = QStandardItemModel()"])
def test_that_a_widget_that_does_would_be_found(tmp_path: Path, line: str) -> None:
    (tmp_path / "panel.py").write_text(f"x = 1\n{line}\n", "utf-8")
    assert offences(tmp_path) == [f"panel.py:2: {line}"]
