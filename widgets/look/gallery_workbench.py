"""The gallery page that looks like the window at work. Its words are samples; nothing here is connected to anything."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QHBoxLayout,
    QPlainTextEdit,
    QSplitter,
    QTableWidget,
    QTableWidgetItem,
    QTabWidget,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from widgets.look import (
    BADGE_ROLE,
    QUALITY_ROLE,
    UNIT_ROLE,
    Badge,
    BadgeDelegate,
    Card,
    ChipBar,
    EmptyState,
    KeyValue,
    KeyValueTable,
    SearchField,
    ValueDelegate,
    button,
    calm_table,
    calm_tree,
    divider,
    icon,
    label,
    mono_font,
    set_badge,
    tool_button,
)

_TAGS: Final = (
    ("FT-101.PV", "1,184", "", "good", "14:02:11.243", "250 ms"),
    ("TIC-104.PV", "145.8", "°F", "good", "14:02:11.557", "250 ms"),
    ("PT-103.PV", "2.417", "bar", "uncertain", "14:02:11.618", "250 ms"),
    ("Torque", "-1.92", "N·m", "bad", "14:02:11.067", "250 ms"),
    ("Recipe", "COLA-0.5 / a long recipe name that must give way", "", "good", "14:02:11.857", "250 ms"),
    ("Good caps", "184,220,118,204,333", "1/min", "good", "14:02:11.013", "250 ms"),
    ("3/holding:100", "230.4", "V", "stale", "received 14:02:07", "1 s"),
)

_MAPPINGS: Final = (
    ("fillFlow", "double", "Line 4/Filler 1/FT-101.PV", "gain 0.01", "11.84", "m³/h", "good", (Badge("approved"),)),
    ("fillTemperature", "double", "Line 4/Filler 1/TIC-104.PV", "°F → °C", "63.2", "°C", "good", (Badge("changed"),)),
    ("tankLevel", "double", "Line 4/Filler 1/LT-102.PV", "0…27648 → 0…100", "48.9", "%", "good", (Badge("never"),)),
    ("goodBottles", "uint32", "DB20 word 44 uint16", "", "18,220", "", "bad", (Badge("error", "overflow"), Badge("changed"))),
    ("speed", "double", "", "", "", "1/min", "good", (Badge("unmapped"),)),
    ("torque", "double", "Line 4/Capper 1/Torque", "", "1.92", "N·m", "good", (Badge("suggested", "suggested 0.97"),)),
    ("voltageL1", "float", "3/holding:100:float32:CDAB", "", "230.4", "V", "stale", (Badge("mapped"),)),
)

_PROBLEMS: Final = (
    (
        "error",
        "MAP-012 overflow",
        "Filler 1 / goodBottles",
        "Fell from 65,531 to 2 twice while watched: it is read as uint16",
        "Read as uint32 ABCD",
    ),
    ("error", "MAP-001 required", "Filler 1 / speed", "Filler v2 requires speed, and no tag is mapped", "3 suggestions"),
    (
        "warning",
        "SEC-003 no security",
        "meter-modbus",
        "Modbus TCP has no authentication; anyone on the cell network can write",
        "Use TLS or note why",
    ),
    ("info", "UNS-004 case twins", "Line 4", "“Capper 1” and “capper 1” become one topic on some brokers", "Rename"),
)


def workbench_page() -> QWidget:
    """Tree, tables, details and problems side by side."""
    page = QWidget()
    column = QVBoxLayout(page)
    column.setContentsMargins(8, 8, 8, 4)
    column.setSpacing(8)
    column.addLayout(_top_line())
    across = QSplitter()
    across.setChildrenCollapsible(False)
    for part, width_px in ((_endpoints(), 290), (_middle(), 770), (_details(), 270)):
        across.addWidget(part)
        part.resize(width_px, part.height())
    across.setSizes([290, 770, 270])
    column.addWidget(across, 1)
    column.addWidget(_problems())
    return page


def _top_line() -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(8)
    row.addWidget(label("line4.tagloom", "title"))
    row.addWidget(label("branch main, 3 changes", "dim"))
    row.addStretch(1)
    find = SearchField("Find a command, tag, asset, attribute…    Ctrl+K")
    find.setMinimumWidth(380)
    row.addWidget(find)
    row.addStretch(1)
    row.addWidget(button("READ-ONLY", "lock", kind="quiet"))
    return row


def _endpoints() -> Card:
    tree = QTreeWidget()
    calm_tree(tree, "Endpoints")
    tree.setHeaderHidden(True)
    tree.setAlternatingRowColors(False)
    tree.setColumnCount(2)
    opc = _branch(tree, "filler-opcua", "endpoint-opcua")
    line = _branch(_branch(opc, "Objects", "folder"), "Line 4", "folder-open")
    filler = _branch(line, "Filler 1", "object")
    for name, value, unit, quality in (
        ("FT-101.PV", "1,184", "", "good"),
        ("TIC-104.PV", "145.8", "°F", "good"),
        ("LT-102.PV", "13,519", "", "stale"),
    ):
        leaf = _branch(filler, name, "variable", value)
        leaf.setData(1, UNIT_ROLE, unit)
        leaf.setData(1, QUALITY_ROLE, quality)
    _branch(filler, "StartFilling", "method")
    _branch(line, "Capper 1", "object")
    modbus = _branch(tree, "meter-modbus", "endpoint-modbus")
    table = _branch(_branch(modbus, "Unit 3", "unit-id"), "Holding registers", "register-table")
    _branch(table, "100  float32 CDAB", "variable", "230.4")
    tree.header().setStretchLastSection(False)
    tree.header().setSectionResizeMode(0, tree.header().ResizeMode.Stretch)
    tree.header().setSectionResizeMode(1, tree.header().ResizeMode.ResizeToContents)
    tree.setItemDelegateForColumn(1, ValueDelegate(tree))
    tree.setCurrentItem(leaf)
    card = Card("Endpoints")
    card.add_right(button("Add", "add", kind="flat"))
    card.add(SearchField("Filter 18,522 nodes…", "filter"))
    card.add(tree, 1)
    return card


def _branch(parent: QTreeWidget | QTreeWidgetItem, name: str, icon_name: str, value: str = "") -> QTreeWidgetItem:
    item = QTreeWidgetItem(parent, [name, value])
    item.setIcon(0, icon(icon_name, "dim"))
    item.setExpanded(True)
    return item


def _middle() -> QWidget:
    split = QSplitter(Qt.Orientation.Vertical)
    split.addWidget(_mappings())
    split.addWidget(_tags())
    return split


def _mappings() -> Card:
    chips = ChipBar((("all", "All"), ("unmapped", "Unmapped"), ("suggested", "Suggested"), ("findings", "Findings")))
    for key, count in (("all", 412), ("unmapped", 12), ("suggested", 31), ("findings", 5)):
        chips.set_count(key, count)
    chips.add_right(button("Accept 28", "check", kind="primary"))
    table = _table("Mappings", ("Attribute", "Type", "Source tag", "Transform", "IT value now", "State"), len(_MAPPINGS))
    for row, (name, kind, source, transform, value, unit, quality, badges) in enumerate(_MAPPINGS):
        for column, text in enumerate((name, kind, source, transform)):
            table.setItem(row, column, QTableWidgetItem(text))
        table.setItem(row, 4, _value_cell(value, unit, quality))
        state = QTableWidgetItem(" ".join(badge.words for badge in badges))
        state.setData(BADGE_ROLE, badges)
        table.setItem(row, 5, state)
    table.setItemDelegateForColumn(4, ValueDelegate(table, unit_chars=6))
    table.setItemDelegateForColumn(5, BadgeDelegate(table))
    _right_header(table, 4)
    _set_widths(table, (110, 60, 166, 102, 104))
    table.selectRow(1)
    card = Card("", chips)
    card.add(table, 1)
    return card


def _tags() -> Card:
    table = _table("Tags", ("Tag", "Value", "Quality", "Source time", "Rate"), len(_TAGS))
    for row, (name, value, unit, quality, time, rate) in enumerate(_TAGS):
        for column, text in ((0, name), (3, time), (4, rate)):
            table.setItem(row, column, QTableWidgetItem(text))
        table.setItem(row, 1, _value_cell(value, unit, quality))
        table.setItem(row, 2, QTableWidgetItem())
        set_badge(table.model(), table.model().index(row, 2), Badge(quality, "stale 4 s" if quality == "stale" else ""))
    table.setItemDelegateForColumn(1, ValueDelegate(table, unit_chars=6))
    table.setItemDelegateForColumn(2, BadgeDelegate(table))
    _right_header(table, 1)
    _set_widths(table, (140, 150, 120, 140))
    card = Card("Tags", table)
    card.set_count(7, of=212)
    card.add_right(label("drag from the tree, paste from a spreadsheet", "dim"))
    return card


def _details() -> Card:
    grid = KeyValueTable(fit=True)
    grid.set_rows(
        [
            KeyValue("Source", heading=True),
            ("Tag", "TIC-104.PV"),
            ("Node", "nsu=urn:acme:bottling:line4:a-long-namespace;s=Filler1.TIC104.ProcessValue"),
            KeyValue("Quality", "Good", badge="good", tip="0x00000000"),
            ("Source time", "14:02:11.482"),
            ("Rate", "250 ms (asked 100)"),
            KeyValue("Raw", "0x4366 0x6666", mono=True),
        ]
    )
    payload = QPlainTextEdit('{\n  "asset": "plant1/filler1",\n  "fillFlow": 11.84,\n  "fillTemperature": 63.2\n}')
    payload.setReadOnly(True)
    payload.setFont(mono_font())
    card = Card("fillTemperature")
    card.add_right(tool_button("copy", "Copy"))
    card.add_right(tool_button("pin", "Keep this shown", checkable=True))
    card.add(label("Filler 1", "dim"))
    card.add(grid)
    card.add(divider())
    card.add(label("Approved by M. on 19 Nov as °C (no conversion). Changed to °F → °C today.", "warn", wrap=True))
    card.add(label("Payload, live", "title"))
    payload.setMinimumHeight(48)
    card.add(payload, 1)
    return card


def _problems() -> Card:
    table = _table("Problems", ("Rule", "Where", "What", "Fix"), len(_PROBLEMS))
    for row, (severity, rule, where, what, fix) in enumerate(_PROBLEMS):
        table.setItem(row, 0, QTableWidgetItem())
        set_badge(table.model(), table.model().index(row, 0), Badge(severity, rule))
        for column, text in ((1, where), (2, what), (3, fix)):
            table.setItem(row, column, QTableWidgetItem(text))
    table.setItemDelegateForColumn(0, BadgeDelegate(table))
    _set_widths(table, (190, 170, 520))
    tabs = QTabWidget()
    tabs.addTab(table, "Problems  5")
    tabs.addTab(EmptyState("log", "Nothing logged yet"), "Log")
    tabs.addTab(QWidget(), "Wire")
    card = Card("", tabs)
    card.setFixedHeight(184)
    return card


def _table(name: str, headers: tuple[str, ...], rows: int) -> QTableWidget:
    table = QTableWidget(rows, len(headers))
    calm_table(table, name)
    table.setHorizontalHeaderLabels(headers)
    return table


def _value_cell(value: str, unit: str, quality: str) -> QTableWidgetItem:
    cell = QTableWidgetItem(value)
    cell.setData(UNIT_ROLE, unit)
    cell.setData(QUALITY_ROLE, quality)
    return cell


def _right_header(table: QTableWidget, column: int) -> None:
    header = table.horizontalHeaderItem(column)
    if header is not None:
        header.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)


def _set_widths(table: QTableWidget, widths_px: tuple[int, ...]) -> None:
    for column, width_px in enumerate(widths_px):
        table.setColumnWidth(column, width_px)
