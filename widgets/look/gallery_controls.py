"""The gallery pages of controls and icons. Their words are samples; nothing here is connected to anything."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDockWidget,
    QDoubleSpinBox,
    QFormLayout,
    QGridLayout,
    QGroupBox,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QPlainTextEdit,
    QProgressBar,
    QRadioButton,
    QSlider,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.errors import EndpointError
from widgets.look import (
    STATES,
    BadgeLabel,
    Card,
    Chip,
    ConnectionChip,
    ElidedLabel,
    EmptyState,
    MessageBar,
    SearchField,
    StatusDot,
    button,
    divider,
    icon,
    icon_names,
    label,
    set_look,
    tool_button,
)


def controls_page() -> QWidget:
    """Every standard control and primitive once, with its disabled and focused forms."""
    page = QWidget()
    grid = QGridLayout(page)
    grid.setContentsMargins(8, 8, 8, 8)
    grid.setSpacing(8)
    grid.addWidget(_buttons(), 0, 0)
    grid.addWidget(_inputs(), 1, 0)
    grid.addWidget(_messages(), 0, 1, 2, 1)
    grid.addWidget(_choices(), 0, 2)
    grid.addWidget(_states(), 1, 2)
    for column, stretch in enumerate((3, 4, 3)):
        grid.setColumnStretch(column, stretch)
    grid.setRowStretch(1, 1)
    return page


def _buttons() -> Card:
    card = Card("Buttons")
    for kinds in (
        (("Normal", ""), ("Primary", "primary"), ("Danger", "danger")),
        (("Flat", "flat"), ("READ-ONLY", "quiet"), ("With menu", "")),
    ):
        for enabled in (True, False):
            line = QWidget()
            row = QHBoxLayout(line)
            row.setContentsMargins(0, 0, 0, 0)
            row.setSpacing(8)
            for words, kind in kinds:
                made = button(words, {"Normal": "export", "Danger": "unlock", "Flat": "add", "READ-ONLY": "lock"}.get(words, ""), kind=kind)
                made.setEnabled(enabled)
                if words == "With menu":
                    made.setMenu(QMenu(made))
                row.addWidget(made)
            row.addStretch(1)
            card.add(line)
    tools = QWidget()
    row = QHBoxLayout(tools)
    row.setContentsMargins(0, 0, 0, 0)
    for name, words in (("undo", "Undo"), ("redo", "Redo"), ("play", "Play"), ("zoom-fit", "Fit"), ("settings", "Settings")):
        row.addWidget(tool_button(name, words))
    on = tool_button("pause", "Pause all reading", checkable=True)
    on.setChecked(True)
    row.addWidget(on)
    off = tool_button("remove", "Remove")
    off.setEnabled(False)
    row.addWidget(off)
    split = QToolButton()
    split.setText("Export")
    split.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)
    split.addAction(QAction("CSV", split))
    row.addWidget(split)
    row.addStretch(1)
    card.add(tools)
    card.body.addStretch(1)
    return card


def _inputs() -> Card:
    card = Card("Inputs")
    holder = QWidget()
    form = QFormLayout(holder)
    form.setContentsMargins(0, 0, 0, 0)
    url = QLineEdit("opc.tcp://10.0.0.5:4840")
    url.setObjectName("focus-me")
    form.addRow("URL", url)
    wrong = QLineEdit("holding:99999")
    set_look(wrong, invalid=True)
    form.addRow("Address", wrong)
    off = QLineEdit("not now")
    off.setEnabled(False)
    form.addRow("Disabled", off)
    search = SearchField("Filter…", "filter")
    search.setText("flow")
    form.addRow("Search", search)
    combo = QComboBox()
    combo.addItems(["ABCD", "CDAB", "BADC", "DCBA"])
    form.addRow("Order", combo)
    spin = QSpinBox()
    spin.setSuffix(" ms")
    spin.setRange(0, 10_000)
    spin.setValue(250)
    form.addRow("Rate", spin)
    gain = QDoubleSpinBox()
    gain.setEnabled(False)
    form.addRow("Gain", gain)
    form.addRow("Note", QPlainTextEdit("Why this is armed"))
    card.add(holder, 1)
    return card


def _messages() -> Card:
    card = Card("Messages")
    bars = [MessageBar() for _ in range(3)]
    for bar in bars:
        card.add(bar)
    bars[0].show_error(
        EndpointError(
            "Cannot connect to filler-opcua",
            where="opc.tcp://10.0.0.5:4840",
            why="BadSecurityChecksFailed (0x80130000): the server does not trust this laptop's certificate yet.",
            fix="On the server, move “Tagloom@LAPTOP-7” from Rejected to Trusted, then press Retry.",
        )
    )
    bars[0].add_action("Retry", "refresh", primary=True)
    bars[0].add_action("Edit endpoint…")
    bars[1].show_message("4 of 212 rows were not taken", "warning", why="Lines 7, 19, 20 and 44: the address has no table.")
    bars[2].show_message("Saved", "ok", where="line4.tagloom")
    empty = EmptyState("connect", "No endpoint yet", "Connect to an OPC UA server or a Modbus device, or open the demo plant.")
    empty.add_button("Add endpoint…", "add")
    empty.add_button("Open demo plant", primary=False)
    card.add(empty, 1)
    return card


def _choices() -> Card:
    card = Card("Choices and progress")
    for words, state in (
        ("Checked", Qt.CheckState.Checked),
        ("Partly", Qt.CheckState.PartiallyChecked),
        ("Unchecked", Qt.CheckState.Unchecked),
    ):
        box = QCheckBox(words)
        box.setTristate(state == Qt.CheckState.PartiallyChecked)
        box.setCheckState(state)
        card.add(box)
    off = QCheckBox("Disabled, checked")
    off.setChecked(True)
    off.setEnabled(False)
    card.add(off)
    group = QGroupBox("Time shown")
    column = QVBoxLayout(group)
    for words in ("Local", "UTC"):
        column.addWidget(QRadioButton(words))
    radio = group.findChild(QRadioButton)
    if radio is not None:
        radio.setChecked(True)
    card.add(group)
    card.add(label("Browsing 12,044 of 18,522, 3,100/s, 2 s left", "dim"))
    progress = QProgressBar()
    progress.setValue(65)
    progress.setAccessibleName("Browsing")
    card.add(progress)
    slider = QSlider(Qt.Orientation.Horizontal)
    slider.setValue(40)
    slider.setAccessibleName("Zoom")
    card.add(slider)
    chips = QWidget()
    row = QHBoxLayout(chips)
    row.setContentsMargins(0, 0, 0, 0)
    for words, count, on in (("Good", 180, True), ("Bad", 3, False), ("Stale", 0, False)):
        chip = Chip(words, count)
        chip.setChecked(on)
        row.addWidget(chip)
    row.addStretch(1)
    card.add(chips)
    return card


def _states() -> Card:
    card = Card("States")
    badges = QWidget()
    grid = QGridLayout(badges)
    grid.setContentsMargins(0, 0, 0, 0)
    for at, name in enumerate(STATES):
        grid.addWidget(BadgeLabel(name), at // 2, at % 2, Qt.AlignmentFlag.AlignLeft)
    card.add(badges)
    card.add(divider())
    for name, state, detail in (
        ("filler", "connected", "4,812/s"),
        ("drive", "connecting", ""),
        ("meter", "lost", "closed by peer"),
        ("line 5", "paused", ""),
        ("old", "off", ""),
    ):
        line = QWidget()
        row = QHBoxLayout(line)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(StatusDot(state))  # type: ignore[arg-type]  # the loop widens the literal to str
        chip = ConnectionChip(name)
        chip.set_state(state, detail)  # type: ignore[arg-type]  # as above
        row.addWidget(chip, 1)
        card.add(line)
    card.add(ElidedLabel("/Objects/2:Line 4/2:Filler 1/2:TIC-104/2:a name so long that it gives way", "dim", Qt.TextElideMode.ElideMiddle))
    card.body.addStretch(1)
    return card


def icons_page() -> QWidget:
    """Every icon with its name, some checked, some disabled."""
    page = QWidget()
    row = QHBoxLayout(page)
    card = Card("Icons")
    card.set_count(len(icon_names()))
    holder = QWidget()
    grid = QGridLayout(holder)
    for at, name in enumerate(sorted(icon_names())):
        shown = QToolButton()
        shown.setIcon(icon(name))
        shown.setIconSize(QSize(20, 20))
        shown.setText(name)
        shown.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        shown.setCheckable(True)
        shown.setChecked(at % 7 == 3)
        shown.setEnabled(at % 7 != 5)
        grid.addWidget(shown, at // 10, at % 10)
    card.add(holder, 1)
    row.addWidget(card)
    dock = QDockWidget("A dock")
    dock.setWidget(label("content"))
    row.addWidget(dock)
    return page
