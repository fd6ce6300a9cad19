"""The tag table: filter, watch lists, live values; only the rows that are visible load the device."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QEvent, QItemSelection, QItemSelectionModel, QObject, QPoint, Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QAbstractItemView, QHBoxLayout, QHeaderView, QMenu, QStackedWidget, QTableView, QVBoxLayout, QWidget

from app.model.plant import Tag, WatchList
from widgets.dialogs import show_import_tags, show_paste_tags, watch_all_saying_what_it_costs
from widgets.keys import on_key
from widgets.look import BadgeDelegate, ChipBar, EmptyState, PlainDelegate, SearchField, ValueDelegate, button, calm_table
from widgets.models.tag_table import COLUMNS, NAME, QUALITY, VALUE, TagTableModel
from widgets.tag_menu import fill_tag_menu
from widgets.workbench import Workbench

_FLAGS = QItemSelectionModel.SelectionFlag
MARGIN_ROWS = 15
WANT_DELAY_MS = 120


class TagTable(QWidget):
    """The middle of Connect mode; other modes show it as a source to drag from.

    ``owner`` is the name under which it asks the live project for the visible rows.
    """

    owner = "table"

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self._workbench = workbench
        self._all_watched = False
        self.model = TagTableModel(workbench)
        self._build()
        self._connect()
        self._on_rows_changed()
        self._rebuild_lists()

    def _build(self) -> None:
        self.view = QTableView()
        calm_table(self.view, "Tags")
        self.view.setModel(self.model)
        self.view.setSortingEnabled(True)
        self.view.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.view.horizontalHeader().setSortIndicatorClearable(True)
        self.view.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        self.view.setItemDelegate(PlainDelegate(self.view))
        self.view.setItemDelegateForColumn(VALUE, ValueDelegate(self.view))
        self.view.setItemDelegateForColumn(QUALITY, BadgeDelegate(self.view))
        self.view.setDragDropMode(QAbstractItemView.DragDropMode.DragDrop)
        self.view.setDefaultDropAction(Qt.DropAction.CopyAction)
        self.view.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        self.view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        width = self.view.fontMetrics().averageCharWidth()
        for number, column in enumerate(COLUMNS):
            self.view.setColumnWidth(number, column.width * width + 16)
        self.search = SearchField("Filter tags…", "filter")
        self.lists = ChipBar([("", "All")])
        self.import_csv = button("Import…", "import", kind="flat", tip="CSV, Excel, web page, text from a PDF")
        self.watch_all = button("Watch all", "eye", kind="flat", tip="Watch every tag in the table, not only the visible rows")
        self.watch_all.setCheckable(True)
        bar = QHBoxLayout()
        bar.addWidget(self.lists)
        bar.addStretch(1)
        for widget in (self.search, self.watch_all, self.import_csv):
            bar.addWidget(widget)
        self._empty = EmptyState(
            "tag", "No tags yet", "Drag variables here from the tree, paste rows from a spreadsheet or a PDF, or import a list."
        )
        self._empty.add_button("Import…", "import", primary=False).clicked.connect(self._on_import)
        self._empty.add_button("Paste", "copy", primary=False).clicked.connect(self.paste)
        self._empty.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._pages = QStackedWidget()
        self._pages.addWidget(self.view)
        self._pages.addWidget(self._empty)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addLayout(bar)
        layout.addWidget(self._pages, 1)
        self._empty.setAcceptDrops(True)
        self._empty.installEventFilter(self)

    def _connect(self) -> None:
        workbench = self._workbench
        self._want_timer = QTimer(self, singleShot=True, interval=WANT_DELAY_MS)
        self._want_timer.timeout.connect(self._want)
        self.search.query.connect(self.model.filter)
        self.lists.chosen.connect(self.model.show_list)
        self.import_csv.clicked.connect(self._on_import)
        self.watch_all.toggled.connect(self._on_watch_all)
        self.model.rows_changed.connect(self._on_rows_changed)
        self.model.modelAboutToBeReset.connect(self._keep_selection)
        self.model.modelReset.connect(self._restore_selection)
        self.view.verticalScrollBar().valueChanged.connect(self._on_scrolled)
        self.view.viewport().installEventFilter(self)
        self.view.customContextMenuRequested.connect(self._on_menu)
        self.view.selectionModel().selectionChanged.connect(lambda *_: self._on_selected())
        workbench.tag_asked.connect(self.show_tag)
        for signal in (workbench.edited, workbench.project_replaced):
            signal.connect(self._rebuild_lists)
        for keys, slot in (("Ctrl+C", self._copy), ("Ctrl+V", self.paste), ("Ctrl+F", self.search.setFocus)):
            on_key(self.view, keys, slot)
        on_key(self._empty, "Ctrl+V", self.paste, children=True)  # there the view has no focus

    # Which rows are visible

    def _on_rows_changed(self) -> None:
        self._pages.setCurrentIndex(0 if self._workbench.project.all(Tag) else 1)
        self._on_scrolled()

    def _on_scrolled(self) -> None:
        first = self.view.rowAt(0)
        last = self.view.rowAt(self.view.viewport().height() - 1)
        count = self.model.rowCount() if self.view.isVisible() else 0
        self.model.set_visible(max(first, 0), (last if last >= 0 else count - 1) if count else -1)
        self._want_timer.start()

    def _want(self) -> None:
        if not self.isVisible():
            self._workbench.live.want(self.owner, [])
            return
        self._workbench.live.want(self.owner, self.model.tags if self._all_watched else self.model.visible_tags(MARGIN_ROWS))

    def _on_watch_all(self, wanted: bool) -> None:
        if wanted:
            begin, give_up = partial(self._watch_all, True), partial(self.watch_all.setChecked, False)
            watch_all_saying_what_it_costs(self.window(), self._workbench, self.model.tags, begin, give_up)
        else:
            self._watch_all(False)

    def _watch_all(self, wanted: bool) -> None:
        self._all_watched = wanted
        self._want_timer.start()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Resizing the view, or showing it, changes which rows are visible; the empty state takes drops like the table."""
        if watched is self.view.viewport() and event.type() in (QEvent.Type.Resize, QEvent.Type.Show, QEvent.Type.Hide):
            self._on_scrolled()
        if watched is self._empty and event.type() in (QEvent.Type.DragEnter, QEvent.Type.DragMove, QEvent.Type.Drop):
            return self._on_empty_drag(event)
        return super().eventFilter(watched, event)

    def _on_empty_drag(self, event: QEvent) -> bool:
        data = event.mimeData()  # type: ignore[attr-defined]  # the three drag events have it
        root = self.view.rootIndex()
        if not self.model.canDropMimeData(data, Qt.DropAction.CopyAction, -1, -1, root):
            return False
        if event.type() == QEvent.Type.Drop:
            self.model.dropMimeData(data, Qt.DropAction.CopyAction, -1, -1, root)
        event.acceptProposedAction()  # type: ignore[attr-defined]  # as above
        return True

    # Selection and what is done with it

    def selected(self) -> list[str]:
        """Ids of the selected tags, in the order shown."""
        rows = sorted(index.row() for index in self.view.selectionModel().selectedRows())
        return [self.model.tags[row] for row in rows]

    def _on_selected(self) -> None:
        if tags := self.selected():
            self._workbench.select("tag", tags)

    def _keep_selection(self) -> None:
        """Rows are built again after some edits: what was selected is selected again, where it still is."""
        current = self.view.currentIndex()
        self._kept = (self.selected(), self.model.tags[current.row()] if current.isValid() else "", current.column())

    def _restore_selection(self) -> None:
        tags, current, column = self._kept
        wanted = {*tags, current} - {""}
        rows = {tag: row for row, tag in enumerate(self.model.tags) if tag in wanted} if wanted else {}
        chosen = QItemSelection()
        last = self.model.columnCount() - 1
        for tag in tags:
            if tag in rows:
                chosen.merge(QItemSelection(self.model.index(rows[tag], 0), self.model.index(rows[tag], last)), _FLAGS.Select)
        if current in rows:
            self.view.selectionModel().setCurrentIndex(self.model.index(rows[current], max(column, 0)), _FLAGS.NoUpdate)
        self.view.selectionModel().select(chosen, _FLAGS.ClearAndSelect)

    def show_tag(self, tag: str) -> None:
        """Scroll to a tag and select it; filters that hide it are lifted."""
        if self.model.row_of(tag) < 0:
            self.search.clear()
            self.lists.choose("")
            self.model.filter("")
            self.model.show_list("")
        row = self.model.row_of(tag)
        if row >= 0:
            index = self.model.index(row, NAME)
            flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
            self.view.selectionModel().setCurrentIndex(index, flags)
            self.view.scrollTo(index)

    def _on_menu(self, at: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        fill_tag_menu(menu, self._workbench, self.selected(), watch_list=self.lists.current)
        menu.popup(self.view.viewport().mapToGlobal(at))

    def rename_selected(self) -> None:
        index = self.view.currentIndex()
        if index.isValid():
            self.view.edit(index.siblingAtColumn(NAME))

    def _copy(self) -> None:
        rows = sorted(index.row() for index in self.view.selectionModel().selectedRows())
        if rows:
            QGuiApplication.clipboard().setText(self.model.text(rows))

    def paste(self) -> None:
        """Tags from whatever was copied elsewhere: rows of a spreadsheet, of a web page, of a PDF."""
        copied = QGuiApplication.clipboard().mimeData()
        show_paste_tags(self.window(), self._workbench, copied.text(), copied.html())

    def _on_import(self) -> None:
        show_import_tags(self.window(), self._workbench)

    def _rebuild_lists(self) -> None:
        lists = {list_.id: list_.name for list_ in self._workbench.project.all(WatchList).values()}
        self.lists.set_chips([("", "All"), *sorted(lists.items(), key=lambda pair: pair[1].casefold())])
        if self.model.order.shown_list != self.lists.current:  # the list that was shown has gone
            self.model.show_list(self.lists.current)
        self.lists.set_count("", len(self._workbench.project.all(Tag)))
        for id_ in lists:
            self.lists.set_count(id_, len(self._workbench.project.all(WatchList)[id_].tags))
