"""Map: assets with their attributes, and what feeds each; source and IT value side by side, live."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QItemSelectionModel, QModelIndex, QObject, QPoint, Qt, QTimer
from PySide6.QtWidgets import QAbstractItemView, QMenu, QStackedWidget, QTreeView, QVBoxLayout, QWidget

from app.check.map import place_of
from app.edits.mappings import unmap
from app.model.itmodel import Asset
from app.model.mapping import Mapping
from widgets.dialogs import import_asset_types, show_approve, show_asset_type, show_choose_tag, show_new_asset, show_transform
from widgets.keys import on_key
from widgets.look import BadgeDelegate, Card, ChipBar, ColumnFit, EmptyState, SearchField, ValueDelegate, calm_tree, icon, tool_button
from widgets.mapping_edits import map_tags
from widgets.models.mapping_tree import FILTERS, IT_NOW, QUALITY, REVIEW, SOURCE_NOW, MappingTreeModel, MapRow
from widgets.workbench import Workbench

_COLUMNS = ((4, 16), (0, 8), (0, 5), (4, 13), (3, 8), (2, 10), (2, 10), (0, 11), (1, 13))
WANT_DELAY_MS = 120


class MapMode(QWidget):
    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self._workbench = workbench
        self.model = MappingTreeModel(workbench)
        self._collapsed: set[str] = set()
        self._build()
        self._connect()
        self._on_rebuilt()
        self._refresh_counts()

    def _build(self) -> None:
        self.view = QTreeView()
        calm_tree(self.view, "Assets and their mappings")
        self.view.setModel(self.model)
        self._fit = ColumnFit(self.view, _COLUMNS)
        for column in (SOURCE_NOW, IT_NOW):
            self.view.setItemDelegateForColumn(column, ValueDelegate(self.view))
        for column in (QUALITY, REVIEW):
            self.view.setItemDelegateForColumn(column, BadgeDelegate(self.view))
        self.view.setDragDropMode(QAbstractItemView.DragDropMode.DropOnly)
        self.view.setDropIndicatorShown(True)
        self.view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.chips = ChipBar(FILTERS)
        self.search = SearchField("Filter assets, attributes, tags…", "filter")
        self.approve = tool_button("approve", "Approve the selected mappings", role="text")
        self.chips.add_right(self.search)
        self.chips.add_right(self.approve)
        self._empty = EmptyState(
            "asset", "No assets yet", "Make an asset type from an object in the tree, import one from IT, or make one here."
        )
        self._empty.add_button("Import asset types…", "import").clicked.connect(lambda: import_asset_types(self.window(), self._workbench))
        new_type = self._empty.add_button("New asset type…", "asset-type", primary=False)
        new_type.clicked.connect(lambda: show_asset_type(self.window(), self._workbench, ""))
        new_asset = self._empty.add_button("New asset…", "asset", primary=False)
        new_asset.clicked.connect(lambda: show_new_asset(self.window(), self._workbench))
        self._nothing = EmptyState("filter", "Nothing matches", "Choose All to see every attribute.")
        self._pages = QStackedWidget()
        for page in (self.view, self._empty, self._nothing):
            self._pages.addWidget(page)
        card = Card("", self._pages)
        card.body.insertWidget(0, self.chips)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(card)

    def _connect(self) -> None:
        workbench = self._workbench
        self._want_timer = QTimer(self, singleShot=True, interval=WANT_DELAY_MS)
        self._want_timer.timeout.connect(self._want)
        self.chips.chosen.connect(lambda key: self.model.show_only(key, self.search.text()))
        self.search.query.connect(lambda text: self.model.show_only(self.chips.current, text))
        self.approve.clicked.connect(self.approve_selected)
        self.model.rebuilt.connect(self._on_rebuilt)
        self.view.expanded.connect(lambda index: self._on_folded(index, folded=False))
        self.view.collapsed.connect(lambda index: self._on_folded(index, folded=True))
        self.view.verticalScrollBar().valueChanged.connect(self._want_timer.start)
        self.view.viewport().installEventFilter(self)
        self.view.selectionModel().selectionChanged.connect(lambda *_: self._on_selected())
        self.view.doubleClicked.connect(self._on_opened)
        self.view.customContextMenuRequested.connect(self._on_menu)
        workbench.tags_changed.connect(self._on_tags_changed)
        workbench.staleness_ticked.connect(self._repaint_visible)
        workbench.findings_changed.connect(self._refresh_counts)
        workbench.edited.connect(self._want_timer.start)
        workbench.selection_changed.connect(self._on_selection_changed)
        for keys, slot in (
            ("Del", self._unmap),
            ("Ctrl+F", self.search.setFocus),
            ("Return", lambda: self._on_opened(self.view.currentIndex())),
        ):
            on_key(self.view, keys, slot)

    # Rows

    def _on_rebuilt(self) -> None:
        for group in range(self.model.rowCount()):
            index = self.model.index(group, 0)
            self.view.setFirstColumnSpanned(group, QModelIndex(), True)
            self._expand(index)
            for asset in range(self.model.rowCount(index)):
                self.view.setFirstColumnSpanned(asset, index, True)
                self._expand(self.model.index(asset, 0, index))
        has_assets = bool(self._workbench.project.all(Asset))
        self._pages.setCurrentIndex(0 if self.model.rowCount() else 2 if has_assets else 1)
        self._want_timer.start()

    def _expand(self, index: QModelIndex) -> None:
        if self.model.row_at(index).id not in self._collapsed:
            self.view.expand(index)

    def _on_folded(self, index: QModelIndex, *, folded: bool) -> None:
        id_ = self.model.row_at(index).id
        (self._collapsed.add if folded else self._collapsed.discard)(id_)
        self._want_timer.start()

    def _refresh_counts(self) -> None:
        for key, count in self.model.counts().items():
            self.chips.set_count(key, count)

    def visible_rows(self) -> list[MapRow]:
        """Attribute rows inside the viewport."""
        rows: list[MapRow] = []
        index, bottom = self.view.indexAt(QPoint(2, 2)), self.view.viewport().height()
        while index.isValid() and self.view.visualRect(index).top() < bottom:
            row = self.model.row_at(index)
            if row.kind == "attribute":
                rows.append(row)
            index = self.view.indexBelow(index)
        return rows

    def _want(self) -> None:
        self._workbench.live.want("map", self.model.visible_tags(self.visible_rows()) if self.isVisible() else [])

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Another size, or being shown or hidden, changes which rows are visible."""
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Show, QEvent.Type.Hide):
            self._want_timer.start()
        return super().eventFilter(watched, event)

    def _on_tags_changed(self, tags: set[str]) -> None:
        if self.isVisible() and not tags.isdisjoint(self.model.visible_tags(self.visible_rows())):
            self._repaint_visible()

    def _repaint_visible(self) -> None:
        if self.isVisible():
            self.view.viewport().update()

    # Selection

    def selected_rows(self) -> list[MapRow]:
        return [self.model.row_at(index) for index in self.view.selectionModel().selectedRows()]

    def _on_selected(self) -> None:
        rows = self.selected_rows()
        if chosen := [row.id for row in rows if row.kind == "attribute"]:
            self._workbench.select("attribute", chosen)
        elif chosen := [row.id for row in rows if row.kind == "asset"]:
            self._workbench.select("asset", chosen)

    def _on_selection_changed(self) -> None:
        """Show what was selected elsewhere (Problems, Find)."""
        selection = self._workbench.selection
        if selection.kind not in ("attribute", "asset") or not selection.ids:
            return
        if any(row.id in selection.ids for row in self.selected_rows()):
            return
        index = self.model.index_of_id(selection.ids[0])
        if index.isValid():
            flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
            self.view.selectionModel().setCurrentIndex(index, flags)
            self.view.scrollTo(index)

    def selected_mappings(self) -> list[str]:
        """Ids of the mappings of the selected attributes; of all attributes of a selected asset."""
        rows = [child for row in self.selected_rows() for child in (row.children if row.kind == "asset" else [row])]
        return list(dict.fromkeys(row.mapping.id for row in rows if row.mapping is not None))

    # Actions

    def _on_opened(self, index: QModelIndex) -> None:
        row = self.model.row_at(index) if index.isValid() else None
        if row is not None and row.kind == "attribute":
            self._edit(row)

    def _edit(self, row: MapRow) -> None:
        if row.mapping is not None:
            show_transform(self.window(), self._workbench, row.mapping.id)
        else:
            self._choose_tag(row)

    def _choose_tag(self, row: MapRow) -> None:
        targets = self.model.targets_from(row)
        show_choose_tag(self.window(), self._workbench, row.name, lambda tag: map_tags(self._workbench, targets[:1], [tag]))

    def _unmap(self) -> None:
        mappings = self.selected_mappings()
        if mappings:
            self._workbench.attempt(lambda: unmap(self._workbench.project, mappings))

    def approve_selected(self) -> None:
        """Ask for name and reason; what is approved already stays as it is."""
        project = self._workbench.project
        found = [project.all(Mapping)[id_] for id_ in self.selected_mappings()]
        if not found:
            self._workbench.said.emit("Select mapped attributes, or an asset, first")
            return
        show_approve(self.window(), self._workbench, [mapping.id for mapping in found], [place_of(project, mapping) for mapping in found])

    def _on_menu(self, at: QPoint) -> None:
        index = self.view.indexAt(at)
        if not index.isValid():
            return
        row = self.model.row_at(index)
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if row.kind == "attribute":
            menu.addAction(icon("tag"), "Map to tag…").triggered.connect(lambda: self._choose_tag(row))
            edit = menu.addAction(icon("transform"), "Edit transform…\tReturn")
            edit.setEnabled(row.mapping is not None)
            edit.triggered.connect(lambda: self._edit(row))
            if row.mapping is not None and row.mapping.sources:
                tag = row.mapping.sources[0]
                menu.addAction(icon("plot-add"), "Plot the source").triggered.connect(lambda: self._workbench.plot_asked.emit([tag]))
                menu.addAction("Show the source tag").triggered.connect(lambda: self._workbench.tag_asked.emit(tag))
        menu.addSeparator()
        some = bool(self.selected_mappings())
        approve_action = menu.addAction(icon("approve"), "Approve…")
        approve_action.setEnabled(some)
        approve_action.triggered.connect(self.approve_selected)
        remove = menu.addAction(icon("unlink"), "Unmap\tDel")
        remove.setEnabled(some)
        remove.triggered.connect(self._unmap)
        menu.popup(self.view.viewport().mapToGlobal(at))
