"""What every panel and mode is given: the project, its connections, the selection, and signals for all that changes.

Lives in the GUI thread. Data from outside enters Qt in exactly one place, ``_on_frame``: a timer that empties the inbox of
the live project. Panels read from here and change the project through ``do`` only; they keep no state of the project.
"""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import QObject, QTimer, Signal

from app.drivers.base import ItemState
from app.edits import Edit, Editor
from app.edits.journal import Journal, recover
from app.edits.projects import new_project
from app.errors import UserError
from app.model.plant import Endpoint, Tag
from app.model.project import Project
from app.projectfile import Fingerprint, open_file, save
from app.projectfile.view import View, read_view, write_view
from app.runtime.live import LiveProject
from app.runtime.state import Reply
from app.secrets import Secrets
from app.workspace.paths import journal_dir, pki_dir
from app.workspace.redaction import never_show
from app.workspace.settings import SettingValue
from app.workspace.workspace import Workspace

if TYPE_CHECKING:
    from app.check.base import Finding
    from app.search.tags import TagIndex

_LOGGER = logging.getLogger(__name__)
FRAME_MS = 50
PUMP_BUDGET_S = 0.005
"""What has not been taken by then waits for the next frame, so that none is late."""
TIDY_MS = 23
"""Between two pieces of the work that arrivals leave to do; in step with the frames they would make these longer."""
CHECK_DELAY_MS = 250
GROW_EVERY_MS = 12
GROW_S = 0.006
"""The index of very many tags grows in slices of this, so that no frame waits for it."""
MANY_TAGS = 20_000
"""From here on the index is begun when the project is opened, and not when somebody filters."""


class Selection(msgspec.Struct, frozen=True, eq=False):
    """What the person looks at; the details panel shows it.

    Attributes:
        kind: ``node`` (of an address space), ``tag``, ``asset``, ``attribute`` (of an asset), ``asset type``, ``endpoint`` or "".
        ids: Node ids, or ids of elements, in the order shown. For ``attribute``: (asset id, attribute id, *within) joined by NUL.
        endpoint: For nodes: where they are.
        names: For nodes that are shown: what they are called, in the order of the ids; no part of what is selected.
    """

    kind: str = ""
    ids: tuple[str, ...] = ()
    endpoint: str = ""
    names: tuple[str, ...] = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Selection) and (self.kind, self.ids, self.endpoint) == (other.kind, other.ids, other.endpoint)

    def __hash__(self) -> int:
        return hash((self.kind, self.ids, self.endpoint))


class Workbench(QObject):
    """One open project in one window.

    Attributes:
        secrets: Where passwords come from; those typed in are kept here until the window is closed.

    Signals:
        project_replaced: Another project is open; rebuild everything.
        edited: An ``Edit`` as it was applied (an undone edit arrives as its inverse).
        saved_changed: The unsaved marker or the file's name may have changed.
        tags_changed: Ids of tags with a new reading, at most 20 times a second; has ``in``, a length, and can be iterated.
        tags_indexed: ``tag_index`` has every tag now, where it needed a while for that.
        endpoint_changed: Id of an endpoint whose connection state changed.
        staleness_ticked: Twice a second: ages have grown; repaint what shows them.
        findings_changed: The findings in ``findings`` are new.
        selection_changed: ``selection`` is new.
        logged: list[LogEntry] that have arrived.
        failed: A UserError to be shown without blocking (message bar).
        said: A short sentence for the status bar.
        mode_asked: Key of a mode to show.
        tag_asked: Tag id that a panel should show and select.
        plot_asked: list[str] of tag ids that should be plotted.
        registers_asked: (endpoint id, id of a table) whose registers should be shown; ``3/holding:100`` also says which of them first.
        node_asked: (endpoint id, id or path of a node) that the address space should go to.
        moves_asked: (endpoint id, ids of nodes, their names) below which what moves is to be found; the ids are of one table for Modbus.
        reread_asked: The selected node should be read again (F5).
        traffic_seen: A ``Seen``: what went over the wire of an endpoint that is traced.
        setting_changed: Name of a setting of the workspace that has another value now.
    """

    project_replaced = Signal()
    edited = Signal(object)
    saved_changed = Signal()
    tags_changed = Signal(object)
    tags_indexed = Signal()
    endpoint_changed = Signal(str)
    staleness_ticked = Signal()
    findings_changed = Signal()
    selection_changed = Signal()
    logged = Signal(object)
    failed = Signal(object)
    said = Signal(str)
    mode_asked = Signal(str)
    tag_asked = Signal(str)
    plot_asked = Signal(object)
    registers_asked = Signal(str, str)
    node_asked = Signal(str, str)
    moves_asked = Signal(str, object, object)
    reread_asked = Signal()
    setting_changed = Signal(str)
    traffic_seen = Signal(object)

    def __init__(self, workspace: Workspace, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.workspace = workspace
        self.selection = Selection()
        self.findings: list[Finding] = []
        self._strayed: dict[str, ItemState] = {}
        self.path: Path | None = None
        self.view = View()
        self.secrets = Secrets(revealed=never_show)
        self._fingerprint: Fingerprint | None = None
        self._waiting: dict[int, Callable[[Reply], None]] = {}
        self._grow = QTimer(self, interval=GROW_EVERY_MS)
        self._grow.timeout.connect(self._on_grow)
        self._tidy = QTimer(self, interval=TIDY_MS)
        self._tidy.timeout.connect(self._on_tidy)
        self._adopt(Editor(new_project()), {})
        self._frame = self._timer(FRAME_MS, self._on_frame)
        self._tick = self._timer(500, self._on_tick)
        self._check = QTimer(self, singleShot=True, interval=CHECK_DELAY_MS)
        self._check.timeout.connect(self._on_check)
        self._check.start()

    def _timer(self, interval_ms: int, slot: Callable[[], None]) -> QTimer:
        timer = QTimer(self, interval=interval_ms)
        timer.timeout.connect(slot)
        timer.start()
        return timer

    def _adopt(self, editor: Editor, reach: dict[str, str]) -> None:
        self.editor = editor
        self.live = LiveProject(editor, reach=reach, secrets=self.secrets.get, pki=str(pki_dir()))
        self.live.on_traffic = self.traffic_seen.emit
        editor.listen(self._on_edited)
        self._tag_index: TagIndex | None = None
        self._grow.stop()
        self._begin_journal()

    def _begin_journal(self) -> None:
        """Edits since the last save go to disk as they happen, from the first; ``recoverable`` is what a crash left of this very file."""
        base = self._fingerprint.sha256 if self._fingerprint else ""
        self.recoverable = recover(journal_dir(), self.path, base) if self.path else None
        self._journal: Journal | None = None
        self._journal_from = (base, self.project.info)

    def _close_journal(self) -> None:
        if self._journal is not None:
            self._journal.close()

    def take_recovered(self) -> None:
        """Do again what a crash took; undo takes it back edit by edit.

        Raises:
            UserError: An edit does not fit; those before it are done.
        """
        recovered, self.recoverable = self.recoverable, None
        if recovered is None:
            return
        for edit in recovered.edits:
            try:
                self.do(edit)
            except ValueError as error:
                where = self.title
                raise UserError(
                    "Not every edit could be recovered", where=where, why=str(error), fix="Look at what is there before saving"
                ) from error
        recovered.discard()

    def drop_recovered(self) -> None:
        recovered, self.recoverable = self.recoverable, None
        if recovered is not None:
            recovered.discard()

    # The project

    @property
    def project(self) -> Project:
        return self.editor.project

    @property
    def title(self) -> str:
        return self.path.name if self.path else f"{self.project.info.name or 'Untitled'} (not saved)"

    @property
    def tag_index(self) -> TagIndex:
        """Finds tags by words; made when it is first asked for."""
        if self._tag_index is None:
            from app.search.tags import TagIndex

            self._tag_index = TagIndex(self.project)
            self._grow.start()
        return self._tag_index

    def _on_grow(self) -> None:
        index = self.tag_index
        had_all = index.has_all
        if index.grow(GROW_S):
            self._grow.stop()
        if index.has_all and not had_all:
            self.tags_indexed.emit()

    def do(self, edit: Edit) -> None:
        """Change the project; undo takes it back as a whole."""
        self.editor.do(edit)

    def attempt(self, make: Callable[[], Edit]) -> bool:
        """Build an edit and do it; a UserError is shown instead. True when it was done."""
        try:
            self.do(make())
        except UserError as error:
            self.failed.emit(error)
            return False
        return True

    def new(self, project: Project | None = None) -> None:
        self._replace(Editor(project or new_project()), None, None, {})

    def open(self, path: Path, reach: dict[str, str] | None = None) -> None:
        """Open a project file. Never connects.

        Raises:
            UserError: Not readable; the open project stays.
        """
        opened = open_file(path)
        known = self.workspace.reach(opened.project.info.id)
        self._replace(Editor(opened.project), path, opened.fingerprint, {**known, **(reach or {})})
        self.workspace.remember_project(path, opened.project.info.name)

    def save(self, path: Path | None = None) -> None:
        """Save, or save as.

        Raises:
            UserError: Not written (changed on disk, no space, no rights); the old file is intact.
        """
        target = path or self.path
        assert target is not None, "the file dialog comes first"
        expected = self._fingerprint if target == self.path else None
        self._fingerprint = save(self.project, target, expected)
        self.path = target
        self.editor.mark_saved()
        write_view(target, self.view)
        self._close_journal()
        self._begin_journal()
        self.workspace.remember_project(target, self.project.info.name)
        self.saved_changed.emit()

    def _replace(self, editor: Editor, path: Path | None, fingerprint: Fingerprint | None, reach: dict[str, str]) -> None:
        self.live.close()
        self._close_journal()
        self._waiting.clear()
        self.path, self._fingerprint = path, fingerprint
        self.view = read_view(path) if path else View()
        self.selection = Selection()
        self._adopt(editor, reach)
        self.project_replaced.emit()
        self.saved_changed.emit()
        self._check.start()
        if len(self.project.all(Tag)) > MANY_TAGS:
            gc.freeze()  # it stays for long, and walking through all of it takes the collector a tenth of a second each time
            self._grow.start()

    def shut_down(self) -> None:
        """End connections and timers; the window calls it when it closes."""
        for timer in (self._frame, self._tick, self._tidy, self._check, self._grow):
            timer.stop()
        self.stop_recording()
        self.live.close()
        self._waiting.clear()  # panels hide after this, and must not cancel what is closed
        self._close_journal()
        self.workspace.close()

    # Recording

    def start_recording(self, path: Path, tags: Iterable[str]) -> None:
        """Record these tags into a file, watched whether they are visible or not, until ``stop_recording``.

        Raises:
            UserError: The file cannot be made.
        """
        from app.samples.recording import Recording

        wanted = list(tags)
        self.stop_recording()
        self.live.recording = Recording.start(path, self.project, wanted)
        self.live.want("record", wanted)
        self.said.emit(f"Recording {len(wanted):,} tags to {path.name}")

    def stop_recording(self) -> None:
        """End the recording, if one runs; what could not be written is shown."""
        recording, self.live.recording = self.live.recording, None
        if recording is None:
            return
        self.live.want("record", [])
        try:
            recording.stop()
        except UserError as error:
            self.failed.emit(error)
        else:
            self.said.emit(f"{recording.rows:,} samples recorded in {recording.path.name}")

    # The selection

    def select(self, kind: str, ids: Iterable[str] = (), endpoint: str = "", *, names: Iterable[str] = ()) -> None:
        wanted = Selection(kind, tuple(ids), endpoint, tuple(names))
        if wanted != self.selection:
            self.selection = wanted
            self.selection_changed.emit()

    def set_setting(self, name: str, value: SettingValue) -> None:
        """Keep a setting and tell everybody; a UserError is shown instead."""
        try:
            self.workspace.set_setting(name, value)
        except UserError as error:
            self.failed.emit(error)
        self.setting_changed.emit(name)

    # Requests

    def ask(self, token: int, on_reply: Callable[[Reply], None]) -> int:
        """Have ``on_reply`` called in the GUI thread for every reply to a request of ``live`` (browse, details, read, crawl…)."""
        self._waiting[token] = on_reply
        return token

    def forget(self, token: int) -> None:
        """Stop waiting for, and cancel, a request: what asked has gone."""
        if self._waiting.pop(token, None) is not None:
            self.live.cancel(token)

    # What happens

    def hold(self) -> None:
        """Let nothing arrive until ``release``: those who have to hear of it are being built. What comes meanwhile waits, as do checks."""
        self._frame.stop()
        self._check.stop()

    def release(self) -> None:
        self._frame.start()
        self._check.start()

    def _on_frame(self) -> None:
        arrivals = self.live.pump(PUMP_BUDGET_S)
        if self.live.history.is_untidy and not self._tidy.isActive():
            self._tidy.start()
        if arrivals.tags:
            self.tags_changed.emit(arrivals.tags)
        for endpoint in arrivals.endpoints:
            self.endpoint_changed.emit(endpoint)
        for reply in arrivals.replies:
            handler = self._waiting.pop(reply.token, None) if reply.done else self._waiting.get(reply.token)
            if handler is not None:
                handler(reply)
        if arrivals.logs:
            self.logged.emit(arrivals.logs)
        if arrivals.dropped:
            _LOGGER.warning("the window fell behind: %d samples were dropped", arrivals.dropped)

    def _on_tidy(self) -> None:
        self.live.history.tidy()
        if not self.live.history.is_untidy:
            self._tidy.stop()

    def _on_tick(self) -> None:
        if self._journal is not None:
            self._journal.sync()
        if (strayed := self.live.strayed()) != self._strayed:
            self._strayed = strayed
            self._check.start()
        self.staleness_ticked.emit()

    def _on_edited(self, edit: Edit) -> None:
        if self._journal is None:
            self._journal = Journal.start(journal_dir(), self.path, *self._journal_from)
        self._journal.append(edit)
        if self._tag_index is not None:
            self._tag_index.follow(edit)
            self._grow.start()
        self.edited.emit(edit)
        self.saved_changed.emit()
        self._check.start()

    def _on_check(self) -> None:
        from app.check import run as run_checks

        self.findings = run_checks(self.project, self._strayed)
        self.findings_changed.emit()

    # Shorthand

    def tag(self, id_: str) -> Tag | None:
        return self.project.get(Tag, id_)

    def endpoint(self, id_: str) -> Endpoint | None:
        return self.project.get(Endpoint, id_)

    def endpoints(self) -> Mapping[str, Endpoint]:
        return self.project.all(Endpoint)

    def cache_key(self, endpoint: str) -> str:
        """Under which the workspace keeps the nodes of an endpoint that were read."""
        return f"{self.project.info.id}/{endpoint}"
