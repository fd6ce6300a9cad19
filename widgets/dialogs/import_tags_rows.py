"""The rows of a list as they were written, beside what becomes of each; and the headings under which each column has its meaning."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from PySide6.QtCore import QAbstractTableModel, QEvent, QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QComboBox, QHeaderView, QTableView

from app.model.plant import Tag
from app.taglists.base import TagList, TagRow
from app.taglists.columns import Layout
from app.taglists.compare import Comparison
from app.taglists.table import Table
from app.taglists.words import MEANINGS, TITLES
from widgets.look import BADGE_ROLE, Badge, color, plain_tip, scaled_font

Index = QModelIndex | QPersistentModelIndex
Kind = Literal["new", "changed", "same", "bad", "skipped", "gone"]
_ROOT: Final = QModelIndex()
FIXED: Final = ("Line", "Result", "What becomes of it")
LINE, RESULT, BECOMES = range(3)
_BADGES: Final[dict[Kind, Badge]] = {
    "new": Badge("good", "new"), "changed": Badge("changed", "changed"), "same": Badge("off", "as it is"), "bad": Badge("error", "problem"),
    "skipped": Badge("off", "skipped"), "gone": Badge("stale", "not in list"),
}  # fmt: skip
_LOOK: Final = Badge("warning", "look")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the preview: a row of the list, a piece that was skipped, or a tag that the list does not hold.

    ``detail`` says everything there is to say of it, for the row under the cursor.
    """

    kind: Kind
    number: int
    becomes: str
    cells: tuple[str, ...] = ()
    look: bool = False
    place: str = ""
    detail: str = ""


def entries(table: Table, list_: TagList, found: Comparison | None) -> list[Entry]:
    """Everything of a table in its order, then what the list no longer holds."""
    written = {row.number: row.cells for row in table.rows}
    kinds = _kinds(list_, found)
    result = [_of_row(row, kinds[at], written) for at, row in enumerate(list_.rows)]
    for skipped in list_.skipped:
        ending = re.search(r"(\d+)$", skipped.place)
        number = int(ending[1]) if ending else 0
        result.append(Entry("skipped", number, skipped.why, written.get(number) or (skipped.text,)))
    result.sort(key=lambda entry: entry.number)
    return result + [_of_tag(tag) for tag in (found.gone if found is not None else ())]


def unread(table: Table) -> list[Entry]:
    """The rows as they stand, where it is not known which column holds the addresses."""
    return [Entry("skipped", row.number, "no column of addresses", row.cells) for row in table.rows]


def _kinds(list_: TagList, found: Comparison | None) -> list[tuple[Kind, str]]:
    """Kind of each row, and what it becomes; rows that went through the comparison are found again by place and name."""
    if found is None:
        return [("new" if row.tag is not None else "bad", "") for row in list_.rows]
    known: dict[tuple[str, str], tuple[Kind, str]] = {}
    for row in found.same:
        known[_key(row)] = ("same", row.tag.address if row.tag else "")
    for row in found.new:
        known[_key(row)] = ("new", row.tag.address if row.tag else "")
    for change in found.changed:
        known[_key(change.row)] = ("changed", change.text)
    return [known.get(_key(row), ("new", "")) if row.tag is not None else ("bad", "") for row in list_.rows]


def _key(row: TagRow) -> tuple[str, str]:
    return row.place, row.tag.name if row.tag else ""


def _of_row(row: TagRow, kind: tuple[Kind, str], written: dict[int, tuple[str, ...]]) -> Entry:
    if row.tag is None:
        becomes = "; ".join(f"{problem.what}: {problem.why}" for problem in row.problems)
        detail = "\n".join(f"{problem.what}: {problem.why}. {problem.fix}" for problem in row.problems)
    else:
        becomes = "  —  ".join(filter(None, (kind[1] or row.tag.address, *row.marks)))
        detail = "; ".join(row.marks) if row.marks else ""
    look = bool(row.marks) and row.tag is not None
    return Entry(kind[0], row.line, becomes, written.get(row.line, ()), look, row.place, detail)


def _of_tag(tag: Tag) -> Entry:
    return Entry("gone", 0, f"{tag.address}: the list does not hold it", (tag.name,))


class RowsModel(QAbstractTableModel):
    """The entries that the filter lets through. Cells are made when they are painted, so that ten thousand rows cost what is visible."""

    def __init__(self) -> None:
        super().__init__()
        self._all: list[Entry] = []
        self._titles: tuple[str, ...] = ()
        self._filter = ""
        self.entries: list[Entry] = []

    def set_entries(self, found: list[Entry], titles: Sequence[str]) -> None:
        """``titles`` are the list's own headings, one for each of its columns."""
        self.beginResetModel()
        self._all, self._titles = found, tuple(titles)
        self._choose()
        self.endResetModel()

    def filter(self, kind: str) -> None:
        """A ``Kind``, ``look`` for usable rows with a remark, "" for all."""
        self.beginResetModel()
        self._filter = kind
        self._choose()
        self.endResetModel()

    def counts(self) -> Counter[str]:
        """Kind → how many; ``look`` and "" too."""
        found: Counter[str] = Counter(entry.kind for entry in self._all)
        found["look"] = sum(entry.look for entry in self._all)
        found[""] = len(self._all)
        return found

    def _choose(self) -> None:
        wanted = self._filter
        self.entries = [entry for entry in self._all if not wanted or entry.kind == wanted or (wanted == "look" and entry.look)]

    def rowCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self.entries)

    def columnCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(FIXED) + len(self._titles)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation != Qt.Orientation.Horizontal or role != Qt.ItemDataRole.DisplayRole:
            return None
        return FIXED[section] if section < len(FIXED) else self._titles[section - len(FIXED)]

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        entry, column = self.entries[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(entry, column)
        if role == BADGE_ROLE and column == RESULT:
            return [_BADGES[entry.kind], _LOOK] if entry.look else _BADGES[entry.kind]
        if role == Qt.ItemDataRole.ToolTipRole and column >= BECOMES:
            return plain_tip(self._text(entry, column)) or None
        if role == Qt.ItemDataRole.ForegroundRole:
            return self._color(entry, column)
        return None

    def _text(self, entry: Entry, column: int) -> str:
        if column == LINE:
            return str(entry.number or "")
        if column == RESULT:
            return _BADGES[entry.kind].words + (", look" if entry.look else "")
        if column == BECOMES:
            return entry.becomes
        at = column - len(FIXED)
        return entry.cells[at].replace("\n", " ") if at < len(entry.cells) else ""

    def _color(self, entry: Entry, column: int) -> object:
        if column == BECOMES and entry.kind == "bad":
            return color("bad")
        if column == BECOMES and entry.look:
            return color("warn")
        return color("dim") if column == LINE or entry.kind in ("skipped", "gone") else None


class MeaningHeader(QHeaderView):
    """Headings in two lines: the list's own, and below it a choice of what the column means.

    Signals:
        corrected: (column of the list, meaning) that a person chose.
    """

    corrected = Signal(int, str)

    def __init__(self, view: QTableView) -> None:
        super().__init__(Qt.Orientation.Horizontal, view)
        self._combos: list[QComboBox] = []
        self._view = view
        self.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.setHighlightSections(False)
        self.setSectionsClickable(False)
        self.setMinimumSectionSize(48)
        self.setStretchLastSection(True)
        self.sectionResized.connect(lambda *_: self._place())
        view.horizontalScrollBar().valueChanged.connect(lambda _: self._place())
        self.viewport().installEventFilter(self)

    def set_layout(self, layout: Layout | None, *, fixed: bool) -> None:
        """A choice for each column of the list; ``fixed`` where the form says what its columns are."""
        count = len(layout.meanings) if layout is not None and not fixed else 0
        while len(self._combos) > count:
            self._combos.pop().deleteLater()
        while len(self._combos) < count:
            self._combos.append(self._combo(len(self._combos)))
        for at, combo in enumerate(self._combos):
            assert layout is not None
            combo.blockSignals(True)
            combo.setCurrentIndex(MEANINGS.index(layout.meanings[at]))
            combo.blockSignals(False)
            combo.setAccessibleName(f"Meaning of column {layout.title(at) or at + 1}")
        self.updateGeometries()
        self._place()

    def combo(self, column: int) -> QComboBox:
        """The choice of a column of the list."""
        return self._combos[column]

    def sizeHint(self) -> QSize:
        hint = super().sizeHint()
        extra = self._combos[0].sizeHint().height() + 6 if self._combos else 0
        return QSize(hint.width(), hint.height() + extra)

    def paintSection(self, painter: QPainter, rect: QRect, logical: int) -> None:
        """The heading in the upper line; the lower one belongs to the choices."""
        upper = QRect(rect.adjusted(8, 0, -6, 0))
        upper.setHeight(super().sizeHint().height())
        text = str(self.model().headerData(logical, Qt.Orientation.Horizontal) or "").replace("\n", " ")
        painter.save()
        painter.fillRect(rect, color("panel"))
        painter.setPen(color("dim"))
        shown = self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, upper.width())
        painter.drawText(upper, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)
        painter.setPen(color("line"))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        painter.restore()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Show):
            self._place()
        return super().eventFilter(watched, event)

    def _combo(self, column: int) -> QComboBox:
        combo = QComboBox(self.viewport())
        combo.setFont(scaled_font(self.font(), 0.92))
        combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        for meaning in MEANINGS:
            combo.addItem(TITLES[meaning], meaning)
        combo.view().setMinimumWidth(combo.fontMetrics().averageCharWidth() * 24)
        combo.activated.connect(lambda _: self.corrected.emit(column, str(combo.currentData())))
        combo.show()
        return combo

    def _place(self) -> None:
        top = super().sizeHint().height()
        for at, combo in enumerate(self._combos):
            section = at + len(FIXED)
            if section >= self.count():
                combo.hide()
                continue
            left, width = self.sectionViewportPosition(section), self.sectionSize(section)
            combo.setGeometry(left + 2, top, max(20, width - 4), combo.sizeHint().height())
            combo.setVisible(left + width > 0 and left < self.viewport().width())


def widths(view: QTableView, model: RowsModel, sample: int = 60) -> list[int]:
    """Of columns, by heading and what stands in them, within reason."""
    metrics = view.fontMetrics()
    unit = metrics.averageCharWidth()
    found = [8 * unit, 17 * unit, 42 * unit]
    rows = [entry for entry in model.entries if entry.kind not in ("skipped", "gone")][:sample]
    for column in range(len(FIXED), model.columnCount()):
        texts = [entry.cells[column - len(FIXED)] for entry in rows if column - len(FIXED) < len(entry.cells)]
        texts.append(str(model.headerData(column, Qt.Orientation.Horizontal) or ""))
        found.append(min(46 * unit, max(20 * unit, *(metrics.horizontalAdvance(text) + 3 * unit for text in texts))))
    return found
