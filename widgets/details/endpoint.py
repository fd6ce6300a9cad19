"""The server card: state and reason, what answered and what it allows; connect, pause, and change how it is connected to."""

from __future__ import annotations

from app.edits.endpoints import set_namespaces
from app.errors import UserError
from widgets.clock import is_utc
from widgets.details import endpoint_rows as card
from widgets.details.sheet import Sheet
from widgets.details.trouble import show_trouble
from widgets.dialogs import remove_endpoint_asking, show_edit_endpoint
from widgets.flow_row import flow_row
from widgets.look import MessageBar, button, tool_button
from widgets.snapshots import back_to_device, is_on_snapshot
from widgets.workbench import Workbench


class EndpointView(Sheet):
    """Shows the selected endpoint. Only what changed is painted again: it is refreshed with every change of the connection."""

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self._workbench = workbench
        self._noted: set[str] = set()
        self._shown_trouble: tuple[str, UserError] | None = None
        self._trouble = MessageBar()
        self._trouble.hide()
        self.body.insertWidget(2, self._trouble)
        self._connect = button("Connect", "link", kind="primary")
        self._edit = button("Edit…", "settings", kind="flat", tip="Addresses, security, user, settings; where this laptop reaches it")
        self._pause = button("Pause all reading", "pause", kind="flat", tip="Ask nothing of any device; connections stay (Ctrl+Shift+P)")
        self._remove = tool_button("remove", "Remove endpoint…")
        self.back = button("Back to the live device", "link", kind="flat", tip="Reach it at its own address again, not as a snapshot")
        self.body.insertWidget(3, flow_row(self._connect, self.back, self._edit, self._remove, self._pause))
        self.body.addStretch(1)
        self._connect.clicked.connect(self._on_connect)
        self.back.clicked.connect(lambda: back_to_device(workbench, self._id))
        self._edit.clicked.connect(lambda: show_edit_endpoint(self.window(), workbench, self._id))
        self._pause.clicked.connect(self._on_pause)
        self._remove.clicked.connect(lambda: remove_endpoint_asking(self.window(), workbench, self._id))
        workbench.endpoint_changed.connect(self._on_endpoint_changed)
        workbench.staleness_ticked.connect(self._show_pause)

    @property
    def _id(self) -> str:
        return self._workbench.selection.ids[0]

    def _on_endpoint_changed(self, endpoint: str) -> None:
        if self.isVisible() and self._workbench.selection.kind == "endpoint" and endpoint == self._id:
            self.refresh()
            self._note_namespaces(endpoint)

    def refresh(self) -> None:
        endpoint = self._workbench.endpoint(self._id)
        if endpoint is None:
            self.show_rows("", "this endpoint is no longer in the project", [])
            return
        live = self._workbench.live
        state = live.state(endpoint.id)
        rows = card.change_rows(state)
        rows += card.settings_rows(endpoint, live.url_of(endpoint.id), len(self._workbench.project.tags_of(endpoint.id)))
        utc = is_utc(self._workbench)
        rows += card.live_rows(state, live.rates(endpoint.id), utc=utc) + card.outage_rows(state, utc=utc)
        rows += card.quarantine_rows(state.learned)
        if state.report is not None:
            rows += card.report_rows(state.report) + card.certificate_rows(state.report) + card.offer_rows(state.report)
            rows += card.limit_rows(state.report, state.learned) + card.namespace_rows(state.report)
        self.show_rows(endpoint.name, card.phase_text(state), rows)
        self.back.setVisible(is_on_snapshot(self._workbench, endpoint.id))
        self._connect.setText("Connect" if state.phase in ("off", "stopped") else "Disconnect")
        self._show_trouble(endpoint.id, state.why)
        self._show_pause()

    def _show_trouble(self, endpoint: str, why: UserError | None) -> None:
        """Once for each: its buttons must not be made anew while a person presses one."""
        wanted = None if why is None else (endpoint, why)
        if wanted == self._shown_trouble:
            return
        self._shown_trouble = wanted
        self._trouble.hide()
        if why is not None:
            show_trouble(self._trouble, self._workbench, endpoint, why)

    def _show_pause(self) -> None:
        paused = self._workbench.live.paused
        words = "Go on reading" if paused else "Pause all reading"
        if self._pause.text() != words:
            self._pause.setText(words)

    def _on_pause(self) -> None:
        live = self._workbench.live
        live.pause(not live.paused)
        self._workbench.said.emit("Reading is paused: nothing is asked of any device" if live.paused else "Reading goes on")
        self._show_pause()

    def _note_namespaces(self, id_: str) -> None:
        """Index-only gateways need the order in which the server lists its namespaces: noted once, and not again when undone.

        Only where there are tags; to the first tags of an endpoint it is noted with them, in the same edit.
        Not in ``refresh``, which an edit calls: what shows the project must not change it meanwhile.
        """
        endpoint, state = self._workbench.endpoint(id_), self._workbench.live.state(id_)
        if endpoint is None or endpoint.namespaces or id_ in self._noted or state.phase != "connected" or state.held:
            return
        if not self._workbench.project.tags_of(id_):
            return
        if state.report is not None and state.report.namespaces:
            self._noted.add(id_)
            self._workbench.do(set_namespaces(self._workbench.project, id_, state.report.namespaces))

    def _on_connect(self) -> None:
        live = self._workbench.live
        if live.state(self._id).phase in ("off", "stopped"):
            live.connect(self._id)
        else:
            live.disconnect(self._id)
