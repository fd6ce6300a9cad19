"""Assets in their places, their attributes, and what feeds each: live.

The tree is built again when the IT model changes; an edit of a mapping or an approval only touches what rows have cached.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from PySide6.QtCore import QAbstractItemModel, QMimeData, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QFont

from app.check.base import Finding
from app.edits import Edit
from app.mapping.evaluate import ItValue, compile_mapping
from app.mapping.transform import symbol, transform_text
from app.model.itmodel import Asset, AssetType
from app.model.mapping import Mapping
from app.model.resolve import ResolvedAttribute, attributes, places
from app.model.values import Sample
from app.review.approval import ReviewState, review_state
from app.runtime.state import Reading
from widgets.look import BADGE_ROLE, QUALITY_ROLE, UNIT_ROLE, Badge, color, icon
from widgets.mapping_edits import Target, map_nodes, map_tags, target_id
from widgets.mime import NODES, TAGS, nodes_of, tags_of
from widgets.reading_text import plain, quality_key, quality_text, value_key, value_text
from widgets.workbench import Workbench

Index = QModelIndex | QPersistentModelIndex
_ROOT: Final = QModelIndex()
COLUMNS: Final = ("Asset / attribute", "Type", "Unit", "Source tag", "Transform", "Source now", "IT now", "Quality", "Review")
NAME, TYPE, UNIT, SOURCE, TRANSFORM, SOURCE_NOW, IT_NOW, QUALITY, REVIEW = range(9)
FILTERS: Final = (("all", "All"), ("unmapped", "Unmapped"), ("changed", "Changed"), ("findings", "Findings"))
_REBUILD_ON: Final = frozenset({"place", "asset", "assettype", "attribute", "component"})


@dataclass(slots=True, eq=False, repr=False)
class MapRow:
    """A place path, an asset, or an attribute of an asset."""

    kind: str
    id: str
    name: str
    parent: MapRow | None = None
    row: int = 0
    children: list[MapRow] = field(default_factory=list)
    resolved: ResolvedAttribute | None = None
    asset: str = ""
    mapping: Mapping | None = None
    compiled: Callable[[Sample | None], ItValue] | None = None
    findings: list[Finding] = field(default_factory=list)

    @property
    def target(self) -> Target | None:
        """The attribute that a drop on this row feeds."""
        return (self.asset, self.resolved.attribute.id, self.resolved.within) if self.resolved else None


class MappingTreeModel(QAbstractItemModel):
    """The rows of the Map table.

    Signals:
        rebuilt: Rows are new; the view expands them again.
    """

    rebuilt = Signal()

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self._workbench = workbench
        self._top: list[MapRow] = []
        self._filter, self._query = "all", ""
        self._states: dict[str, ReviewState] = {}
        workbench.project_replaced.connect(self.rebuild)
        workbench.edited.connect(self._on_edited)
        workbench.findings_changed.connect(self._on_findings_changed)
        self.rebuild()

    # Rows

    def show_only(self, key: str, query: str) -> None:
        self._filter, self._query = key, query.casefold()
        self.rebuild()

    def rebuild(self) -> None:
        """Build every row that passes the filter, in one reset."""
        self.beginResetModel()
        self._states.clear()
        project = self._workbench.project
        by_place: dict[str, list[MapRow]] = {}
        for asset in project.all(Asset).values():
            row = self._asset_row(asset)
            if row is not None:
                path = " / ".join(place.name for place in places(project, asset)) or "No place"
                by_place.setdefault(path, []).append(row)
        self._top = []
        for number, (path, rows) in enumerate(sorted(by_place.items())):
            group = MapRow("place", path, path, row=number)
            _adopt(group, sorted(rows, key=lambda row: row.name.casefold()))
            self._top.append(group)
        self.endResetModel()
        self.rebuilt.emit()

    def _asset_row(self, asset: Asset) -> MapRow | None:
        row = MapRow("asset", asset.id, asset.name, asset=asset.id)
        found = [self._attribute_row(asset, resolved) for resolved in attributes(self._workbench.project, asset.asset_type)]
        shown = [child for child in found if self._passes(child, asset)]
        if not shown and (self._filter != "all" or self._query):
            return None
        _adopt(row, shown)
        return row

    def _attribute_row(self, asset: Asset, resolved: ResolvedAttribute) -> MapRow:
        row = MapRow(
            "attribute", target_id((asset.id, resolved.attribute.id, resolved.within)), resolved.path, resolved=resolved, asset=asset.id
        )
        self._refresh_row(row)
        return row

    def _refresh_row(self, row: MapRow) -> None:
        assert row.resolved is not None
        project = self._workbench.project
        found = project.mappings_for(row.asset, row.resolved.attribute.id, row.resolved.within)
        row.mapping = found[0] if found else None
        row.compiled = compile_mapping(project, row.mapping) if row.mapping else None

    def _passes(self, row: MapRow, asset: Asset) -> bool:
        if self._query and self._query not in f"{asset.name}/{row.name} {self._source(row)}".casefold():
            return False
        match self._filter:
            case "unmapped":
                return row.mapping is None or not row.mapping.sources
            case "changed":
                return row.mapping is not None and self.state_of(row) == "changed"
            case "findings":
                return bool(self._findings_of(row))
        return True

    def all_rows(self) -> list[MapRow]:
        """Every attribute row that is shown."""
        return [row for group in self._top for asset in group.children for row in asset.children]

    def counts(self) -> dict[str, int]:
        """How many attributes each filter would show."""
        project = self._workbench.project
        total = mapped = 0
        for asset in project.all(Asset).values():
            total += len(attributes(project, asset.asset_type))
            mapped += sum(1 for mapping in project.mappings_of(asset.id) if mapping.sources)
        changed = sum(1 for id_ in project.all(Mapping) if project.approvals_about(id_) and self._state(id_) == "changed")
        about = {finding.about for finding in self._workbench.findings if finding.rule.startswith("MAP")}
        return {"all": total, "unmapped": max(0, total - mapped), "changed": changed, "findings": len(about)}

    # Changes

    def _on_edited(self, edit: Edit) -> None:
        kinds = {change.kind for change in edit.changes}
        self._states.clear()
        if kinds & _REBUILD_ON or (self._filter != "all" and kinds & {"mapping", "approval"}):
            self.rebuild()
            return
        if kinds & {"mapping", "tag", "delivery"}:
            for row in self.all_rows():
                self._refresh_row(row)
        self.repaint_all()

    def _on_findings_changed(self) -> None:
        by_about: dict[str, list[Finding]] = {}
        for finding in self._workbench.findings:
            by_about.setdefault(finding.about, []).append(finding)
        for row in self.all_rows():
            row.findings = by_about.get(row.mapping.id, []) if row.mapping else []
        if self._filter == "findings":
            self.rebuild()
        self.repaint_all()

    def _findings_of(self, row: MapRow) -> list[Finding]:
        about = row.mapping.id if row.mapping else ""
        return [finding for finding in self._workbench.findings if finding.about == about] if about else []

    def repaint_all(self) -> None:
        for group in self._top:
            for asset in group.children:
                if asset.children:
                    self.repaint(asset.children[0], asset.children[-1])

    def repaint(self, first: MapRow, last: MapRow) -> None:
        """Repaint siblings from ``first`` to ``last``."""
        self.dataChanged.emit(self.index_of(first), self.index_of(last, len(COLUMNS) - 1))

    # Tree

    def row_at(self, index: Index) -> MapRow:
        found = index.internalPointer()
        assert isinstance(found, MapRow)
        return found

    def index_of(self, row: MapRow, column: int = 0) -> QModelIndex:
        return self.createIndex(row.row, column, row)

    def index_of_id(self, id_: str) -> QModelIndex:
        """Index of an asset or attribute row; invalid when it is not shown."""
        for group in self._top:
            for asset in group.children:
                for row in (asset, *asset.children):
                    if row.id == id_:
                        return self.index_of(row)
        return QModelIndex()

    def index(self, row: int, column: int, parent: Index = _ROOT) -> QModelIndex:
        siblings = self.row_at(parent).children if parent.isValid() else self._top
        return self.createIndex(row, column, siblings[row]) if 0 <= row < len(siblings) and 0 <= column < len(COLUMNS) else QModelIndex()

    def parent(self, index: Index = _ROOT) -> QModelIndex:  # type: ignore[override]  # PySide types QObject.parent() into it
        above = self.row_at(index).parent if index.isValid() else None
        return self.index_of(above) if above is not None else QModelIndex()

    def rowCount(self, parent: Index = _ROOT) -> int:
        if not parent.isValid():
            return len(self._top)
        return len(self.row_at(parent).children) if parent.column() == 0 else 0

    def columnCount(self, parent: Index = _ROOT) -> int:
        return len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section]
        if role == Qt.ItemDataRole.TextAlignmentRole and section in (SOURCE_NOW, IT_NOW):
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    # Cells

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row, column = self.row_at(index), index.column()
        if row.kind != "attribute":
            return self._group_data(row, column, role)
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(row, column)
        if role == BADGE_ROLE:
            return self._badge(row, column)
        if role == QUALITY_ROLE and column in (SOURCE_NOW, IT_NOW):
            return self._quality(row, column) or None
        if role == UNIT_ROLE:
            return ""
        if role == Qt.ItemDataRole.ForegroundRole and column in (TYPE, UNIT, TRANSFORM):
            return color("dim")
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(row, column)
        return None

    def _group_data(self, row: MapRow, column: int, role: int) -> object:
        if role == Qt.ItemDataRole.FontRole:
            font = QFont()
            font.setWeight(QFont.Weight.DemiBold)
            return font
        if column != NAME:
            return None
        if role == Qt.ItemDataRole.DecorationRole:
            return icon("asset" if row.kind == "asset" else "place", "dim")
        if role == Qt.ItemDataRole.ForegroundRole and row.kind == "place":
            return color("dim")
        if role == Qt.ItemDataRole.DisplayRole:
            return row.name if row.kind == "place" else self._asset_text(row)
        return None

    def _asset_text(self, row: MapRow) -> str:
        asset = self._workbench.project.get(Asset, row.id)
        type_ = self._workbench.project.get(AssetType, asset.asset_type) if asset else None
        mapped = sum(1 for child in row.children if child.mapping is not None and child.mapping.sources)
        parts = [row.name, f"type {type_.name}" if type_ else "no type", f"{mapped} of {len(row.children)} mapped"]
        findings = sum(len(child.findings) for child in row.children)
        if findings:
            parts.append(f"{findings} finding{'' if findings == 1 else 's'}")
        return "   ·   ".join(parts)

    def _text(self, row: MapRow, column: int) -> str:
        assert row.resolved is not None
        attribute = row.resolved.attribute
        match column:
            case 0:
                return f"{row.name} *" if attribute.required else row.name
            case 1:
                return attribute.data_type
            case 2:
                return symbol(attribute.unit)
            case 3:
                return self._source(row)
            case 4:
                return transform_text(row.mapping.transform) if row.mapping else ""
            case 5:
                return self._source_now(row)
            case 6:
                return self._it_now(row)
            case 7:
                reading = self._reading(row)
                return quality_text(reading) if reading else ""
        return self.state_of(row) if row.mapping else "unmapped"

    def _source(self, row: MapRow) -> str:
        if row.mapping is None or not row.mapping.sources:
            return "—"
        tag = self._workbench.tag(row.mapping.sources[0])
        return tag.name if tag else f"unknown tag {row.mapping.sources[0]}"

    def _reading(self, row: MapRow) -> Reading | None:
        if row.mapping is None or not row.mapping.sources:
            return None
        return self._workbench.live.reading(row.mapping.sources[0])

    def _source_now(self, row: MapRow) -> str:
        reading = self._reading(row)
        if reading is None or row.mapping is None:
            return ""
        tag = self._workbench.tag(row.mapping.sources[0])
        return f"{value_text(reading, tag)} {symbol(tag.unit) if tag else ''}".strip() if reading.sample else ""

    def it_value(self, row: MapRow) -> ItValue | None:
        """What IT would get now; None without a mapping."""
        reading = self._reading(row)
        return row.compiled(reading.sample) if reading is not None and row.compiled is not None else None

    def _it_now(self, row: MapRow) -> str:
        value = self.it_value(row)
        reading = self._reading(row)
        if value is None or reading is None or reading.sample is None:
            return ""
        assert row.resolved is not None
        return f"{plain(value.value)} {symbol(row.resolved.attribute.unit)}".strip() if value.value is not None else "no value"

    def _quality(self, row: MapRow, column: int) -> str:
        reading = self._reading(row)
        if reading is None:
            return ""
        key = value_key(reading)
        value = self.it_value(row)
        return "bad" if column == IT_NOW and value is not None and value.value is None and key not in ("stale", "then") else key

    def _badge(self, row: MapRow, column: int) -> object:
        if column == QUALITY:
            reading = self._reading(row)
            if reading is None or not (key := quality_key(reading)):
                return None
            return Badge(key, quality_text(reading), detail=reading.problem)
        if column != REVIEW:
            return None
        if row.mapping is None or not row.mapping.sources:
            return "unmapped"
        review = {"approved": "approved", "changed": "changed", "never reviewed": "mapped"}[self.state_of(row)]
        worst = next((finding for finding in row.findings if finding.severity != "info"), None)
        if worst is not None:
            return [Badge(worst.severity, "finding", detail=worst.message), Badge(review, review)]
        return Badge(review, review)

    def _tip(self, row: MapRow, column: int) -> str | None:
        if column == IT_NOW:
            value = self.it_value(row)
            return f"{value.reason}\n{value.time_kind} time".strip() if value else None
        if column == REVIEW:
            return "\n".join(f"{finding.rule}: {finding.message}. {finding.fix}" for finding in row.findings) or None
        if column == SOURCE and row.mapping and row.mapping.sources:
            tag = self._workbench.tag(row.mapping.sources[0])
            return f"{tag.name}\n{tag.address}" if tag else None
        return row.resolved.attribute.description or None if row.resolved else None

    def state_of(self, row: MapRow) -> ReviewState:
        return self._state(row.mapping.id) if row.mapping else "never reviewed"

    def _state(self, mapping: str) -> ReviewState:
        if mapping not in self._states:
            self._states[mapping] = review_state(self._workbench.project, mapping)
        return self._states[mapping]

    # Dropping

    def flags(self, index: Index) -> Qt.ItemFlag:
        base = super().flags(index)
        return base | Qt.ItemFlag.ItemIsDropEnabled if index.isValid() and self.row_at(index).kind == "attribute" else base

    def mimeTypes(self) -> list[str]:
        return [TAGS, NODES]

    def supportedDropActions(self) -> Qt.DropAction:
        return Qt.DropAction.CopyAction

    def canDropMimeData(self, data: QMimeData, action: Qt.DropAction, row: int, column: int, parent: Index) -> bool:
        return parent.isValid() and self.row_at(parent).kind == "attribute" and bool(tags_of(data) or nodes_of(data))

    def dropMimeData(self, data: QMimeData, action: Qt.DropAction, row: int, column: int, parent: Index) -> bool:
        """Tags go to this attribute and, one by one, to those below it; False, so that no view removes rows at the other end."""
        target = self.row_at(parent) if parent.isValid() else None
        targets = self.targets_from(target) if target else []
        if tags := tags_of(data):
            map_tags(self._workbench, targets, tags)
        elif nodes := nodes_of(data):
            map_nodes(self._workbench, targets, nodes.endpoint, nodes.ids)
        return False

    def targets_from(self, row: MapRow) -> list[Target]:
        """This attribute and those below it in the same asset."""
        siblings = row.parent.children[row.row :] if row.parent else [row]
        return [sibling.target for sibling in siblings if sibling.target]

    def visible_tags(self, rows: Sequence[MapRow]) -> set[str]:
        return {tag for row in rows if row.mapping for tag in row.mapping.sources}


def _adopt(parent: MapRow, children: list[MapRow]) -> None:
    parent.children = children
    for number, child in enumerate(children):
        child.parent, child.row = parent, number
