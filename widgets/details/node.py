"""Every attribute of a node of an address space, read from the source when it is selected."""

from __future__ import annotations

from PySide6.QtCore import Qt

from app.drivers.base import NodeDetails
from app.errors import UserError
from app.mapping.transform import symbol
from app.runtime.state import Reply
from widgets.details.sheet import Sheet
from widgets.look import KeyValue, button
from widgets.node_tags import tags_from_nodes
from widgets.workbench import Workbench


class NodeView(Sheet):
    """Asks for the details of the first selected node; an answer for another node than the one shown is dropped."""

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self._workbench = workbench
        self._shown: tuple[str, str] = ("", "")
        self._token: int | None = None
        self._add = button("Add to the tag table", "add", kind="flat")
        self._add.clicked.connect(self._on_add)
        self.body.addWidget(self._add, 0, Qt.AlignmentFlag.AlignLeft)
        self.body.addStretch(1)

    def refresh(self) -> None:
        selection = self._workbench.selection
        wanted = (selection.endpoint, selection.ids[0])
        if wanted == self._shown:
            return
        self._shown = wanted
        if self._token is not None:
            self._workbench.forget(self._token)
        more = f"and {len(selection.ids) - 1:,} more" if len(selection.ids) > 1 else ""
        self.show_rows(selection.ids[0], more or "reading…", [])
        self._add.setVisible(False)
        self._token = self._workbench.ask(self._workbench.live.details(selection.endpoint, [selection.ids[0]]), self._on_reply)

    def _on_reply(self, reply: Reply) -> None:
        self._token = None
        if isinstance(reply.result, UserError):
            self.show_rows(self._shown[1], f"{reply.result.what}: {reply.result.why}", [])
            return
        assert isinstance(reply.result, list)
        node = reply.result[0]
        subtitle = node.error or " · ".join(filter(None, (node.node_class, node.type)))
        self.show_rows(node.name or node.id, subtitle, _rows(node))
        self._add.setVisible(node.node_class == "variable")

    def _on_add(self) -> None:
        endpoint, id_ = self._shown
        tags_from_nodes(self._workbench, endpoint, [id_], lambda tags: self._workbench.tag_asked.emit(tags[0]))


def _rows(node: NodeDetails) -> list[KeyValue]:
    rows = [KeyValue("Id", node.id), KeyValue("Path", node.path)]
    if node.unit:
        rows.append(KeyValue("Unit", symbol(node.unit)))
    if node.low is not None and node.high is not None:
        rows.append(KeyValue("Range", f"{node.low:g} … {node.high:g} {symbol(node.unit)}".strip()))
    if node.enum:
        rows.append(KeyValue("States", "\n".join(f"{number} = {name}" for number, name in node.enum.items())))
    if node.description:
        rows.append(KeyValue("Description", node.description))
    for attribute in node.attributes:
        good = not attribute.status or attribute.status.startswith("Good")
        rows.append(
            KeyValue(
                attribute.name, attribute.text if good else f"{attribute.text} {attribute.status}".strip(), badge="" if good else "bad"
            )
        )
    return rows
