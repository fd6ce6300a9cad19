"""Tags of the project as a table with live readings.

Sorting and filtering are done on ids, by the index of the core, never by Qt over Python data (measured: 13 s at 100,000 rows). What is
repainted as values come is the business of ``live_rows``.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

import msgspec
from PySide6.QtCore import QAbstractTableModel, QMimeData, QModelIndex, QPersistentModelIndex, Qt, Signal

from app.edits import Edit, replace
from app.edits.edit import with_fields
from app.mapping.transform import symbol
from app.model.plant import Group, Tag
from app.runtime.state import Reading
from widgets.clock import clock_text, is_utc, zone_word
from widgets.look import BADGE_ROLE, QUALITY_ROLE, UNIT_ROLE, Badge, plain_tip
from widgets.mime import NODES, TAGS, mime_of_tags, nodes_of
from widgets.models.live_rows import Cells, LiveRows
from widgets.models.tag_order import TagOrder
from widgets.node_tags import tags_from_nodes
from widgets.notation import address_text
from widgets.reading_text import quality_key, quality_text, status_text, suspicions, value_key, value_text
from widgets.workbench import Workbench

Index = QModelIndex | QPersistentModelIndex
_ROOT: Final = QModelIndex()


class ValueCell(NamedTuple):
    """``key``: how the value looks, of ``QUALITY_ROLE``."""

    text: str
    key: str | None


class QualityCell(NamedTuple):
    text: str
    badge: Badge | None


class Column(msgspec.Struct, frozen=True):
    """One column.

    Attributes:
        text: What a cell shows, from the tag and its reading.
        sort: What it is sorted by; text, lower case, when None.
        width: In average characters.
        live: Changes with the reading.
        is_time: The heading says in which time zone.
    """

    title: str
    width: int
    text: Callable[[Workbench, Tag, Reading], str]
    sort: Callable[[Workbench, Tag, Reading], object] | None = None
    live: bool = False
    is_time: bool = False


def _time(kind: str) -> Callable[[Workbench, Tag, Reading], str]:
    def text(workbench: Workbench, _: Tag, reading: Reading) -> str:
        shown = reading.sample if reading.cause != "identity changed" else None  # that one is withheld, and its times with it
        time_ns = getattr(shown, kind) if shown else None
        return clock_text(time_ns, utc=is_utc(workbench)) if time_ns else ""

    return text


def _sort_time(kind: str) -> Callable[[Workbench, Tag, Reading], object]:
    return lambda _, __, reading: (getattr(reading.sample, kind) or 0) if reading.sample else 0


def _number(_: Workbench, tag: Tag, reading: Reading) -> object:
    value = reading.sample.value if reading.sample else None
    return (0, float(value), "") if isinstance(value, bool | int | float) else (1, 0.0, value_text(reading, tag))


def _endpoint_name(workbench: Workbench, tag: Tag, _: Reading) -> str:
    endpoint = workbench.endpoint(tag.endpoint)
    return endpoint.name if endpoint else tag.endpoint


def _address(workbench: Workbench, tag: Tag, _: Reading) -> str:
    return address_text(workbench, workbench.endpoint(tag.endpoint), tag.address)


def _rate(workbench: Workbench, tag: Tag, reading: Reading) -> str:
    if reading.interval_ms is not None:
        return f"{reading.interval_ms:g} ms"
    group = workbench.project.get(Group, tag.group)
    return f"({group.interval_ms if group else 1000} ms)"


def _group(workbench: Workbench, tag: Tag, _: Reading) -> str:
    group = workbench.project.get(Group, tag.group)
    return group.name if group else ""


COLUMNS: Final = (
    Column("Tag", 24, lambda _, tag, __: tag.name),
    Column("Value", 16, lambda _, tag, reading: value_text(reading, tag), _number, live=True),
    Column("Unit", 8, lambda _, tag, __: symbol(tag.unit)),
    Column("Quality", 23, lambda _, __, reading: quality_text(reading), live=True),
    Column("Source time", 21, _time("source_ns"), _sort_time("source_ns"), live=True, is_time=True),
    Column("Server time", 21, _time("server_ns"), _sort_time("server_ns"), live=True, is_time=True),
    Column("Received", 21, _time("receive_ns"), _sort_time("receive_ns"), live=True, is_time=True),
    Column("Rate", 9, _rate, lambda _, __, reading: reading.interval_ms or 0.0, live=True),
    Column("Endpoint", 14, _endpoint_name),
    Column("Address", 26, _address),
    Column("Group", 10, _group),
    Column("Type", 9, lambda _, tag, __: tag.type),
    Column("Description", 30, lambda _, tag, __: tag.description),
)
NAME, VALUE, UNIT, QUALITY = 0, 1, 2, 3
DESCRIPTION: Final = len(COLUMNS) - 1
_ROLES_OF_OTHERS: Final = frozenset((int(Qt.ItemDataRole.DisplayRole), int(Qt.ItemDataRole.ToolTipRole)))
_ROLES: Final = {
    NAME: _ROLES_OF_OTHERS | {int(Qt.ItemDataRole.EditRole)},
    DESCRIPTION: _ROLES_OF_OTHERS | {int(Qt.ItemDataRole.EditRole)},
    VALUE: _ROLES_OF_OTHERS | {UNIT_ROLE, QUALITY_ROLE},
    QUALITY: _ROLES_OF_OTHERS | {BADGE_ROLE},
}
"""Which roles a column answers."""
NO_READING: Final = Reading()
_LIVE: Final = tuple(number for number, column in enumerate(COLUMNS) if column.live)
_LIVE_PLACES: Final = {number: place for place, number in enumerate(_LIVE)}
_FIXED: Final = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsDragEnabled | Qt.ItemFlag.ItemNeverHasChildren
_EDITABLE: Final = _FIXED | Qt.ItemFlag.ItemIsEditable


def title_of(workbench: Workbench, column: Column) -> str:
    return f"{column.title} ({zone_word(workbench)})" if column.is_time else column.title


class TagTableModel(QAbstractTableModel):
    """Rows are tag ids, filtered and sorted.

    Signals:
        rows_changed: Which tags are shown, or their order.
    """

    rows_changed = Signal()

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self._workbench = workbench
        self.tags: Sequence[str] = []
        self._query = ""
        self.is_sorted = False
        self.order = TagOrder(workbench, self)
        self.order.sorted.connect(self.rebuild)
        self.live_rows = LiveRows(self, self._cells, self._on_cells_changed)
        workbench.project_replaced.connect(self.rebuild)
        workbench.edited.connect(self._on_edited)
        workbench.tags_changed.connect(self._on_tags_changed)
        workbench.tags_indexed.connect(self.rebuild)
        workbench.staleness_ticked.connect(self.live_rows.look_at_visible)
        workbench.setting_changed.connect(self._on_setting_changed)
        self.rebuild()

    # Which rows

    def filter(self, text: str) -> None:
        """Show tags whose name, address or description has every word."""
        self._query = " ".join(text.split())
        self.rebuild()

    def show_list(self, watch_list: str) -> None:
        """Show one watch list in its own order, "" for all tags."""
        self.order.shown_list = watch_list
        self.rebuild()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """-1 is the order of the project (or of the watch list)."""
        by = COLUMNS[column] if 0 <= column < len(COLUMNS) else None
        self.order.sort(
            self._sort_key(by) if by else None, descending=order == Qt.SortOrder.DescendingOrder, moves=by is not None and by.live
        )
        self.is_sorted = by is not None
        self.rebuild()

    def rebuild(self) -> None:
        """Filter and sort again, in one reset. A filter over very many tags waits for their index, which says when it has all."""
        if self._query and not self._workbench.tag_index.has_all:
            return
        tags = self._rows()
        self.beginResetModel()
        self.tags = tags
        self.live_rows.forget()
        self.endResetModel()
        self.rows_changed.emit()

    def _rows(self) -> Sequence[str]:
        among = self.order.ids()
        if not self._query:
            return among if among is not None else list(self._workbench.project.all(Tag))
        return self._workbench.tag_index.find(self._query, among)

    def _sort_key(self, column: Column) -> Callable[[Tag], Any]:  # Any: numbers, texts or pairs of them, one kind a column
        workbench = self._workbench
        if column.sort is not None:
            sort = column.sort
            return lambda tag: sort(workbench, tag, workbench.live.reading(tag.id))
        if column.live:
            return lambda tag: column.text(workbench, tag, workbench.live.reading(tag.id)).casefold()
        return lambda tag: column.text(workbench, tag, NO_READING).casefold()

    def _on_edited(self, edit: Edit) -> None:
        """Rows are built again only when tags or lists came, went, or may stand elsewhere now; else they are repainted."""
        kinds = {change.kind for change in edit.changes}
        moved = any(change.kind == "tag" and (change.before is None or change.after is None) for change in edit.changes)
        if moved or "watchlist" in kinds or ("tag" in kinds and (self._query or self.is_sorted)):
            self.rebuild()
        elif self.tags:
            self.live_rows.forget()
            self.dataChanged.emit(self.index(0, 0), self.index(len(self.tags) - 1, len(COLUMNS) - 1))

    def _on_setting_changed(self, name: str) -> None:
        if name in ("utc", "notation"):
            self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(COLUMNS) - 1)
            if self.tags:
                self.live_rows.forget()
                self.dataChanged.emit(self.index(0, 0), self.index(len(self.tags) - 1, len(COLUMNS) - 1))

    def row_of(self, tag: str) -> int:
        """Row of a tag, -1 when it is not shown."""
        return next((row for row, id_ in enumerate(self.tags) if id_ == tag), -1)

    # What is repainted

    def set_visible(self, first: int, last: int) -> None:
        """Which rows the view shows; only these are repainted and asked of the device."""
        self.live_rows.set_visible(first, last)

    def visible_tags(self, margin: int) -> Sequence[str]:
        rows = self.live_rows
        return self.tags[max(0, rows.first - margin) : rows.last + 1 + margin]

    def _on_tags_changed(self, tags: Container[str]) -> None:
        rows = self.live_rows
        rows.look_at(row for row, tag in enumerate(self.tags[rows.first : rows.last + 1], rows.first) if tag in tags)

    def _on_cells_changed(self, row: int, places: list[int]) -> None:
        """Columns beside one another are repainted as one."""
        cuts = [0, *(at for at, (one, next_) in enumerate(pairwise(places), 1) if _LIVE[next_] != _LIVE[one] + 1), len(places)]
        for start, end in pairwise(cuts):
            self.dataChanged.emit(self.index(row, _LIVE[places[start]]), self.index(row, _LIVE[places[end - 1]]))

    def _cells(self, row: int) -> Cells | None:
        tag = self._workbench.tag(self.tags[row]) if row < len(self.tags) else None
        if tag is None:
            return None
        reading = self._workbench.live.reading(tag.id)
        return tuple(self._cell(number, tag, reading) for number in _LIVE)

    def _cell(self, column: int, tag: Tag, reading: Reading) -> object:
        text = COLUMNS[column].text(self._workbench, tag, reading)
        if column == VALUE:
            suspect = suspicions(self._workbench.endpoint(tag.endpoint), tag, reading)
            return ValueCell(text, "suspect" if suspect and quality_key(reading) == "good" else value_key(reading) or None)
        if column == QUALITY:
            key = quality_key(reading)
            return QualityCell(text, Badge(key, text, detail=reading.problem) if key else None)
        return text

    # What a cell is

    def rowCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self.tags)

    def columnCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return title_of(self._workbench, COLUMNS[section])
        if role == Qt.ItemDataRole.TextAlignmentRole and section == VALUE:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        column = index.column()
        if role not in _ROLES.get(column, _ROLES_OF_OTHERS):  # a view asks each cell for eight roles
            return None
        if column in _LIVE_PLACES and role != Qt.ItemDataRole.ToolTipRole:
            cells = self.live_rows.cells(index.row())
            return _shown(cells[_LIVE_PLACES[column]], role) if cells is not None else None
        tag = self._workbench.tag(self.tags[index.row()])
        if tag is None:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[column].text(self._workbench, tag, self._workbench.live.reading(tag.id))
        if role == Qt.ItemDataRole.EditRole and column in (NAME, DESCRIPTION):
            return tag.name if column == NAME else tag.description
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(tag, column)
        return None

    def _tip(self, tag: Tag, column: int) -> str | None:
        reading = self._workbench.live.reading(tag.id)
        if column in (VALUE, QUALITY) and reading.sample is not None and reading.cause != "identity changed":
            status = status_text(self._workbench.endpoint(tag.endpoint), reading.sample.status)
            unchanged = f"unchanged {reading.unchanged_s:.0f} s" if reading.unchanged_s > 5 else ""
            suspect = suspicions(self._workbench.endpoint(tag.endpoint), tag, reading)
            return "\n".join(filter(None, (status, reading.problem, unchanged, *suspect)))
        if column in (VALUE, QUALITY):
            return reading.problem or None
        kept = self._workbench.live.history.usage(tag.id) if column == NAME else None
        history = f"History: {kept}" if kept is not None and kept.rows else ""
        return plain_tip("\n".join(filter(None, (tag.name, tag.address, tag.description, history))))

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.ItemIsDropEnabled
        return _EDITABLE if index.column() in (NAME, DESCRIPTION) else _FIXED

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        tag = self._workbench.tag(self.tags[index.row()])
        if tag is None or role != Qt.ItemDataRole.EditRole:
            return False
        text = str(value).strip()
        field, title = ("name", "Rename") if index.column() == NAME else ("description", "Describe")
        if (field == "name" and not text) or text == getattr(tag, field):
            return False
        return self._workbench.attempt(lambda: replace(f"{title} {tag.name}", self._workbench.project, [with_fields(tag, **{field: text})]))

    # Drag and drop

    def mimeTypes(self) -> list[str]:
        return [TAGS, NODES]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        rows = sorted({index.row() for index in indexes})
        tags = [tag for row in rows if (tag := self._workbench.tag(self.tags[row]))]
        return mime_of_tags([tag.id for tag in tags], [tag.name for tag in tags])

    def canDropMimeData(self, data: QMimeData, action: Qt.DropAction, row: int, column: int, parent: Index) -> bool:
        return nodes_of(data) is not None

    def dropMimeData(self, data: QMimeData, action: Qt.DropAction, row: int, column: int, parent: Index) -> bool:
        """Nodes become tags."""
        nodes = nodes_of(data)
        if nodes is None:
            return False
        tags_from_nodes(self._workbench, nodes.endpoint, nodes.ids)
        return True

    def text(self, rows: Sequence[int]) -> str:
        """The rows with a heading, tab-separated, as a spreadsheet takes them."""
        tags = [tag for row in rows if (tag := self._workbench.tag(self.tags[row]))]
        lines = ["\t".join(title_of(self._workbench, column) for column in COLUMNS)]
        lines += ["\t".join(column.text(self._workbench, tag, self._workbench.live.reading(tag.id)) for column in COLUMNS) for tag in tags]
        return "\n".join(lines)


def _shown(cell: object, role: int) -> object:
    """Of a live cell."""
    if role == BADGE_ROLE:
        return cell.badge if isinstance(cell, QualityCell) else None
    if role == QUALITY_ROLE:
        return cell.key if isinstance(cell, ValueCell) else None
    if role != Qt.ItemDataRole.DisplayRole:
        return "" if role == UNIT_ROLE else None
    return cell.text if isinstance(cell, ValueCell | QualityCell) else cell
