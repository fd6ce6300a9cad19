"""Everything of one node of an address space, read from the source when it is selected."""

from __future__ import annotations

from time import time
from typing import Final

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QMenu

from app.drivers.base import NodeDetails
from app.drivers.opcua.questions import Argument, Contents, Line, MethodSignature, NodeContents, Signature
from app.drivers.opcua.words import INDEXED_ID
from app.drivers.questions import Question
from app.errors import UserError
from app.mapping.transform import symbol
from app.runtime.state import Reply
from widgets.details.lines_view import LinesView
from widgets.details.sheet import Sheet
from widgets.look import KeyValue, button, label, tool_button
from widgets.node_menu import driver_of
from widgets.node_tags import tags_from_nodes
from widgets.reading_text import age_text
from widgets.workbench import Workbench

CALLING: Final = "Calling a method changes the machine: it comes with writing, which this version does not do"


class NodeView(Sheet):
    """Asks for the first selected node; an answer for another node than the one shown is dropped."""

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self._workbench = workbench
        self._shown: tuple[str, str] = ("", "")
        self._tokens: list[int] = []
        self._node: NodeDetails | None = None
        self._build()
        workbench.reread_asked.connect(self.reread)
        workbench.project_replaced.connect(self._on_project_replaced)
        workbench.endpoint_changed.connect(self._on_endpoint_changed)

    def _build(self) -> None:
        self._add = button("Add to the tag table", "add", kind="flat")
        self._add.clicked.connect(self._on_add)
        self._call = button("Call…", "play", kind="flat", tip=CALLING)
        self._call.setEnabled(False)
        self._copy = tool_button("copy", "Copy id, path or value")
        self._copy_menu = QMenu(self._copy)
        self._copy_menu.aboutToShow.connect(self._fill_copy_menu)
        self._copy.setMenu(self._copy_menu)
        self._copy.setPopupMode(self._copy.ToolButtonPopupMode.InstantPopup)
        buttons = QHBoxLayout()
        for made in (self._add, self._call, self._copy):
            buttons.addWidget(made)
        buttons.addStretch(1)
        self.value, self.definition = LinesView("Value", ("Name", "Value", "Type")), LinesView("Data type", ("Name", "Type", ""))
        self._trouble = label("", "warn", wrap=True, selectable=True)
        self.body.insertLayout(2, buttons)
        self.body.insertWidget(3, self.value)
        for widget in (self.definition, self._trouble):
            self.body.addWidget(widget)
        self.body.addStretch(1)
        self._clear()

    def _clear(self) -> None:
        self._node = None
        for widget in (self._add, self._call, self._copy, self._trouble):
            widget.hide()
        for lines in (self.value, self.definition):
            lines.show_lines(())

    # Asking

    def refresh(self) -> None:
        selection = self._workbench.selection
        wanted = (selection.endpoint, selection.ids[0])
        if wanted != self._shown:
            self._shown = wanted
            self._clear()
            more = f"and {len(selection.ids) - 1:,} more" if len(selection.ids) > 1 else ""
            self.show_rows(selection.ids[0], more or "reading…", [])
            self._ask()

    def reread(self) -> None:
        """The same node once more (F5); what is shown stays until the answer is there."""
        if self._shown[1] and self._workbench.selection.kind == "node":
            self._ask()

    def _on_endpoint_changed(self, endpoint: str) -> None:
        """What could not be read while there was no connection is read when there is one."""
        if endpoint == self._shown[0] and self._node is None and self._workbench.live.state(endpoint).phase == "connected":
            self.reread()

    def _on_project_replaced(self) -> None:
        self._shown, self._tokens = ("", ""), []
        self._clear()

    def _ask(self) -> None:
        for token in self._tokens:
            self._workbench.forget(token)
        endpoint, id_ = self._shown
        self._tokens = [self._workbench.ask(self._workbench.live.details(endpoint, [id_]), self._on_details)]

    def _ask_more(self, question: Question) -> None:
        self._tokens.append(self._workbench.ask(self._workbench.live.ask(self._shown[0], question), self._on_more))

    def _on_details(self, reply: Reply) -> None:
        if isinstance(reply.result, UserError):
            self._show_known(f"{reply.result.what}: {reply.result.why}")
            return
        assert isinstance(reply.result, list)
        node = self._node = reply.result[0]
        subtitle = node.error or " · ".join(filter(None, (node.node_class, node.type)))
        self.show_rows(node.name or node.id, subtitle, _rows(node, None))
        self._trouble.hide()
        self._add.setVisible(node.node_class == "variable")
        self._call.setVisible(node.node_class == "method")
        self._copy.setVisible(not node.error)
        if driver_of(self._workbench, self._shown[0]) == "opcua" and not node.error:
            if node.node_class == "method":
                self._ask_more(MethodSignature(node=node.id))
            elif node.node_class in ("variable", "variable type", "data type"):
                self._ask_more(Contents(node=node.id))

    def _show_known(self, trouble: str) -> None:
        """Without an answer: what an earlier reading left in the cache, and how old that is."""
        endpoint, id_ = self._shown
        known = self._workbench.workspace.known_node(self._workbench.cache_key(endpoint), id_)
        if known is None:
            self.show_rows(id_, trouble, [])
            return
        rows = [KeyValue("Id", known.id), KeyValue("Path", known.path), KeyValue("Node class", known.node_class)]
        rows += [KeyValue("Type", known.type)] if known.type else []
        rows.append(KeyValue("Read", f"{age_text(time() - known.seen_s)} ago; not read now"))
        self.show_rows(known.name, trouble, rows)

    def _on_more(self, reply: Reply) -> None:
        result = reply.result
        if isinstance(result, UserError):
            self._trouble.setText(f"{result.what}: {result.why}")
            self._trouble.show()
        elif isinstance(result, NodeContents):
            tree = len(result.value) > 1 or bool(result.definition)  # else the attribute says as much
            self.value.show_lines(result.value if tree else ())
            self.definition.show_lines([_of_definition(line) for line in result.definition])
            if tree and self._node is not None:
                self.rows.set_rows([row for row in _rows(self._node, None) if row.key != "Value" or row.badge])
        elif isinstance(result, Signature) and self._node is not None:
            self.rows.set_rows(_rows(self._node, result))

    # What is done

    def _on_add(self) -> None:
        endpoint, id_ = self._shown
        tags_from_nodes(self._workbench, endpoint, [id_], lambda tags: self._workbench.tag_asked.emit(tags[0]))

    def _fill_copy_menu(self) -> None:
        self._copy_menu.clear()
        for title, text in self.copyable():
            self._copy_menu.addAction(title).triggered.connect(lambda _=False, text=text: QGuiApplication.clipboard().setText(text))

    def copyable(self) -> list[tuple[str, str]]:
        """Title and text of everything that can be copied by itself."""
        node = self._node
        if node is None:
            return []
        texts = {line.name: line.text for line in node.attributes}
        listed = (
            ("Copy id (nsu=…)", node.id),
            ("Copy id by index (ns=…)", texts.get(INDEXED_ID, "")),
            ("Copy browse path", node.path),
            ("Copy name", node.name),
            ("Copy value", texts.get("Value", "")),
        )
        return [(title, text) for title, text in listed if text]


_FIRST = frozenset({"Value", "Source time", "Server time"})
"""What people look for first, whatever its place in the standard's list of attributes."""


def _of_definition(line: Line) -> Line:
    """Its type beside the name, where a value would have its value."""
    return Line(level=line.level, name=line.name, text=" · ".join(filter(None, (line.type, line.text))))


def _rows(node: NodeDetails, signature: Signature | None) -> list[KeyValue]:
    rows = [KeyValue("Id", node.id), KeyValue("Path", node.path)]
    if signature is not None:
        rows += [*_arguments("Inputs", signature.inputs), *_arguments("Outputs", signature.outputs), KeyValue("Attributes", heading=True)]
    if node.unit:
        rows.append(KeyValue("Unit", symbol(node.unit)))
    if node.low is not None and node.high is not None:
        rows.append(KeyValue("Range", f"{node.low:g} … {node.high:g} {symbol(node.unit)}".strip()))
    if node.enum:
        rows.append(KeyValue("States", "\n".join(f"{number} = {name}" for number, name in node.enum.items())))
    if node.description:
        rows.append(KeyValue("Description", node.description))
    said = {("NodeId", node.id), ("Description", node.description)}
    for attribute in sorted(node.attributes, key=lambda one: one.name not in _FIRST):
        if (attribute.name, attribute.text) in said:
            continue
        good = not attribute.status or attribute.status.startswith("Good")
        rows.append(
            KeyValue(
                attribute.name, attribute.text if good else f"{attribute.text} {attribute.status}".strip(), badge="" if good else "bad"
            )
        )
    return rows


def _arguments(title: str, arguments: tuple[Argument, ...]) -> list[KeyValue]:
    rows = [KeyValue(title, heading=True)]
    rows += [KeyValue(argument.name, " · ".join(filter(None, (argument.type, argument.description)))) for argument in arguments]
    return rows if arguments else [*rows, KeyValue("", "none")]
