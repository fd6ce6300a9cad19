"""Re-bind: tags whose variable is not what, or not where, it was get the place and fingerprint that it has now, in one edit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QStackedLayout, QTableView, QWidget

from app.drivers.base import NodeDetails
from app.edits.rebinding import Rebinding, rebind
from app.edits.tags import counted
from app.errors import UserError
from app.model.plant import Endpoint, Tag
from app.runtime.rebinding import Candidate, candidates, rebindings
from app.runtime.state import Reply
from widgets.dialogs.edit_dialog import EditDialog
from widgets.dialogs.rebind_rows import HOW, RebindModel
from widgets.look import BadgeDelegate, ColumnFit, EmptyState, calm_table, label
from widgets.workbench import Workbench

OWNER = "rebind"
_WEIGHTS = ((3, 14), (2, 27), (4, 20), (5, 24))
_LOOKING = "Every tag of the connected endpoints is looked at while this is open."


class RebindDialog(EditDialog):
    """Rows come as devices answer. What is chosen is read once more before the edit: its type and path become the tag's fingerprint.

    Args:
        tags: Only these; all tags of connected endpoints when None.
    """

    def __init__(self, workbench: Workbench, tags: Sequence[str] | None = None, parent: QWidget | None = None) -> None:
        super().__init__(workbench, "Re-bind tags", "Re-bind", parent)
        self._tags = None if tags is None else frozenset(tags)
        self._read: list[Rebinding] = []
        self._asked: dict[int, list[Candidate]] = {}
        self.resize(880, 420)
        self.model = RebindModel(workbench)
        self.body.addWidget(label("Where the variables of tags are now", "title"))
        hint = "Names, scales and mappings stay; what was approved shows as changed. Undo takes it back as a whole."
        self.body.addWidget(label(hint if tags is not None else f"{_LOOKING} {hint}", "dim", wrap=True))
        self._build_table()
        self.model.ticked.connect(self._on_ticked)
        workbench.staleness_ticked.connect(self.look)
        workbench.edited.connect(self.look)
        self.finished.connect(self._on_finished)
        workbench.live.want(OWNER, self._wanted())
        self.look()

    def _build_table(self) -> None:
        self.view = QTableView()
        calm_table(self.view, "Tags that strayed")
        self.view.setModel(self.model)
        self.view.setItemDelegateForColumn(HOW, BadgeDelegate(self.view))
        ColumnFit(self.view, _WEIGHTS)
        holder = QWidget()
        self._stack = QStackedLayout(holder)
        self._stack.addWidget(EmptyState("ok", "Nothing strayed", "Every variable that was looked at is what and where it was."))
        self._stack.addWidget(self.view)
        self.body.addWidget(holder, 1)

    def _wanted(self) -> Iterable[str]:
        """Of endpoints that are connected only: others would be asked for when they come, and this may be closed by then."""
        if self._tags is not None:
            return self._tags
        project, live = self.workbench.project, self.workbench.live
        on = {id_ for id_ in project.all(Endpoint) if live.state(id_).phase == "connected" and not live.state(id_).held}
        return [tag.id for tag in project.all(Tag).values() if tag.endpoint in on]

    def look(self) -> None:
        """At what the devices say by now."""
        strayed = self.workbench.live.strayed()
        found = candidates(self.workbench.project, strayed.items())
        self.model.set_rows([one for one in found if self._tags is None or one.tag in self._tags])
        self._stack.setCurrentIndex(1 if self.model.rows else 0)

    def _on_ticked(self) -> None:
        count = len(self.model.chosen)
        self.ok.setText(f"Re-bind {count} {'tag' if count == 1 else 'tags'}" if count else "Re-bind")
        self.ok.setEnabled(count > 0 and not self._asked)

    def _on_ok(self) -> None:
        """The fingerprints are asked of each endpoint; the edit follows the last answer."""
        live, by_endpoint = self.workbench.live, dict[str, list[Candidate]]()
        for one in self.model.chosen:
            by_endpoint.setdefault(one.endpoint, []).append(one)
        self._read = []
        self.message.hide()
        for endpoint, chosen in by_endpoint.items():
            token = live.details(endpoint, [one.address for one in chosen])
            self._asked[token] = chosen
            self.workbench.ask(token, self._on_details)
        self._on_ticked()

    def _on_details(self, reply: Reply) -> None:
        chosen = self._asked.pop(reply.token)
        if isinstance(reply.result, list):
            nodes = [node for node in reply.result if isinstance(node, NodeDetails)]
            self._read += rebindings(chosen, nodes)
        elif isinstance(reply.result, UserError):
            self.show_problems(reply.result)
        if not self._asked:
            self._rebind()

    def _rebind(self) -> None:
        wanted = {one.tag for one in self.model.chosen}
        missing = wanted - {one.tag for one in self._read}
        try:
            self.workbench.do(rebind(self.workbench.project, self._read))
        except UserError as error:
            self.show_problems(error)
            return
        if missing:
            self.look()
            why = f"{self.model.names(sorted(missing))} could not be read where it would be now"
            self.show_problems(UserError("Not every tag was re-bound", where=f"{len(missing)} tags", why=why, fix="Look at what is left"))
            return
        self.workbench.said.emit(f"Re-bound {counted([tag.name for one in self._read if (tag := self.workbench.tag(one.tag))])}")
        self.accept()

    def _on_finished(self) -> None:
        for token in list(self._asked):
            self.workbench.forget(token)
        self.workbench.live.want(OWNER, [])


def show_rebind(parent: QWidget | None, workbench: Workbench, tags: Sequence[str] | None = None) -> RebindDialog:
    """One at a time: it says what is watched for it."""
    for dialog in parent.findChildren(RebindDialog) if parent is not None else []:
        dialog.reject()
    dialog = RebindDialog(workbench, tags, parent)
    dialog.setWindowModality(Qt.WindowModality.NonModal)
    dialog.show()
    return dialog


def can_rebind(workbench: Workbench, tags: Sequence[str]) -> bool:
    """Whether one of these tags has strayed, as far as is known now."""
    return any(reading.rebind or reading.cause == "identity changed" for reading in map(workbench.live.reading, tags))
