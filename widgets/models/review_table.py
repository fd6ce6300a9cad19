"""Mappings and deliveries with their review state. Sorted and filtered here, never by Qt over Python data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal

from app.edits import Edit
from app.mapping.transform import symbol, transform_text
from app.model.itmodel import Asset, AssetType, Attribute
from app.model.mapping import Delivery, Mapping
from app.model.plant import Tag
from app.model.project import Project
from app.model.resolve import attributes, path_of
from app.model.reviewing import Comment
from app.review.approval import ReviewState, newest_approval
from widgets.attribute_rows import REVIEW_BADGES
from widgets.look import BADGE_ROLE, Badge
from widgets.mapping_edits import target_id
from widgets.review_states import ReviewStates
from widgets.workbench import Workbench

Index = QModelIndex | QPersistentModelIndex
_ROOT: Final = QModelIndex()
FILTERS: Final[tuple[tuple[str, str], ...]] = (
    ("all", "All"),
    ("never reviewed", "Never reviewed"),
    ("changed", "Changed"),
    ("approved", "Approved"),
    ("commented", "Commented"),
)
STATE, COMMENTS = 5, 9
_ORDER: Final[dict[ReviewState, int]] = {"changed": 0, "never reviewed": 1, "approved": 2}


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """What is reviewed, in words.

    Attributes:
        id: Of the mapping or the delivery.
        target: As ``Workbench.selection`` names the attribute; "" for a delivery.
        comments: Open ones.
    """

    id: str
    target: str
    asset: str
    attribute: str
    source: str
    transform: str
    unit: str
    by: str
    at: str
    why: str
    comments: int

    @property
    def words(self) -> str:
        """One line for a list of what is being approved."""
        return f"{self.asset}/{self.attribute}" + (f"   ←   {self.source}" if self.source else "")


@dataclass(frozen=True, slots=True)
class Column:
    title: str
    width: int
    text: Callable[[ReviewRow], str]


COLUMNS: Final = (
    Column("Asset", 30, lambda row: row.asset),
    Column("Attribute", 22, lambda row: row.attribute),
    Column("Source", 24, lambda row: row.source),
    Column("Transform", 18, lambda row: row.transform),
    Column("Unit", 7, lambda row: row.unit),
    Column("State", 20, lambda _: ""),
    Column("Approved by", 13, lambda row: row.by),
    Column("When", 13, lambda row: row.at[:10]),
    Column("Why", 20, lambda row: row.why),
    Column("Comments", 9, lambda row: str(row.comments) if row.comments else ""),
)


class ReviewTableModel(QAbstractTableModel):
    """Rows are built when they are needed, and again when an edit touched what they say.

    Signals:
        rows_changed: Which rows are shown, their order, or counts.
    """

    rows_changed = Signal()

    def __init__(self, workbench: Workbench, states: ReviewStates) -> None:
        super().__init__()
        self._workbench, self._states = workbench, states
        self._built: dict[str, ReviewRow] = {}
        self._filter, self._query = "all", ""
        self._sort: tuple[int, bool] = (-1, False)
        self.rows: list[ReviewRow] = []
        self.rebuild()

    # Which rows

    def show_only(self, key: str, query: str) -> None:
        self._filter, self._query = key, query.casefold()
        self.rebuild()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """-1: by asset and attribute."""
        self._sort = (column, order == Qt.SortOrder.DescendingOrder)
        self.rebuild()

    def forget(self, edit: Edit | None) -> None:
        """Drop what an edit made untrue; None drops all. ``rebuild`` shows it."""
        if edit is None or any(change.kind not in ("mapping", "approval", "comment", "suppression") for change in edit.changes):
            self._built.clear()
            return
        for change in edit.changes:
            for element in (change.before, change.after):
                self._built.pop(getattr(element, "about", change.id), None)

    def rebuild(self) -> None:
        """Filter and sort again, in one reset."""
        ids = self._states.ids()
        missing = [id_ for id_ in ids if id_ not in self._built]
        if missing:
            self._built |= {row.id: row for row in _rows(self._workbench.project, missing)}
        rows = [self._built[id_] for id_ in ids if id_ in self._built and self._passes(self._built[id_])]
        column, descending = self._sort
        rows.sort(key=lambda row: (row.target == "", row.asset.casefold(), row.attribute.casefold()))
        if column == STATE:
            rows.sort(key=lambda row: _ORDER[self._states.state(row.id)], reverse=descending)
        elif 0 <= column < len(COLUMNS):
            text = COLUMNS[column].text
            rows.sort(key=lambda row: text(row).casefold(), reverse=descending)
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()
        self.rows_changed.emit()

    def _passes(self, row: ReviewRow) -> bool:
        if self._filter == "commented" and not row.comments:
            return False
        if self._filter not in ("all", "commented") and self._states.state(row.id) != self._filter:
            return False
        return not self._query or self._query in "\n".join(column.text(row) for column in COLUMNS).casefold()

    def counts(self) -> dict[str, int]:
        """Per filter, over all rows."""
        states: Counter[ReviewState] = self._states.counts()
        comments = {comment.about for comment in self._workbench.project.all(Comment).values() if not comment.resolved}
        named = {str(state): count for state, count in states.items()}
        return {
            **dict.fromkeys((key for key, _ in FILTERS), 0),
            **named,
            "all": states.total(),
            "commented": len(comments & set(self._states.ids())),
        }

    def row_of(self, id_: str) -> int:
        """-1 when it is not shown."""
        return next((number for number, row in enumerate(self.rows) if row.id == id_), -1)

    # What a cell is

    def rowCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section].title
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row, column = self.rows[index.row()], index.column()
        if column == STATE and role in (Qt.ItemDataRole.DisplayRole, BADGE_ROLE):
            state = self._states.state(row.id)
            return state if role == Qt.ItemDataRole.DisplayRole else Badge(REVIEW_BADGES[state])
        if role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[column].text(row)
        if role == Qt.ItemDataRole.ToolTipRole and column != STATE:
            return COLUMNS[column].text(row) or None
        return None

    def text(self, rows: Sequence[int]) -> str:
        """Rows with a heading, tab-separated."""
        lines = ["\t".join(column.title for column in COLUMNS)]
        for number in rows:
            cells = [str(self.data(self.index(number, column)) or "") for column in range(len(COLUMNS))]
            lines.append("\t".join(cells))
        return "\n".join(lines)


def _rows(project: Project, ids: Sequence[str]) -> list[ReviewRow]:
    """Rows of mappings and deliveries; attribute paths are worked out once per asset type."""
    paths: dict[str, dict[tuple[str, tuple[str, ...]], str]] = {}
    found: list[ReviewRow] = []
    for id_ in ids:
        mapping = project.get(Mapping, id_)
        if mapping is not None:
            asset = project.get(Asset, mapping.asset)
            if asset is not None and asset.asset_type not in paths:
                paths[asset.asset_type] = {(row.attribute.id, row.within): row.path for row in attributes(project, asset.asset_type)}
            path = paths[asset.asset_type].get((mapping.attribute, mapping.within), "") if asset else ""
            found.append(_mapping_row(project, mapping, asset, path))
        elif (delivery := project.get(Delivery, id_)) is not None:
            found.append(_delivery_row(project, delivery))
    return found


def _mapping_row(project: Project, mapping: Mapping, asset: Asset | None, path: str) -> ReviewRow:
    attribute = project.get(Attribute, mapping.attribute)
    sources = [tag.name if (tag := project.get(Tag, id_)) else id_ for id_ in mapping.sources]
    return ReviewRow(
        mapping.id,
        target_id((mapping.asset, mapping.attribute, mapping.within)),
        path_of(project, asset) if asset else mapping.asset,
        path or (attribute.name if attribute else mapping.attribute),
        ", ".join(sources),
        transform_text(mapping.transform),
        symbol(attribute.unit) if attribute else "",
        *_review(project, mapping.id),
    )


def _delivery_row(project: Project, delivery: Delivery) -> ReviewRow:
    type_ = project.get(AssetType, delivery.asset_type)
    whose = type_.name if type_ else "default of the project"
    per = "one message" if delivery.message == "asset" else "per attribute"
    return ReviewRow(delivery.id, "", "Delivery", whose, delivery.topic, f"{per}, QoS {delivery.qos}", "", *_review(project, delivery.id))


def _review(project: Project, id_: str) -> tuple[str, str, str, int]:
    newest = newest_approval(project, id_)
    comments = sum(1 for comment in project.comments_about(id_) if not comment.resolved)
    return (newest.by, newest.at, newest.why, comments) if newest else ("", "", "", comments)
