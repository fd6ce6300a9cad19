"""An endpoint: what answered, how it is protected, where it is reached from here; connect, and change the address."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QInputDialog

from app.drivers import spec_for
from app.edits.endpoints import set_namespaces
from app.errors import UserError
from app.model.plant import Endpoint
from app.runtime.state import ConnectionState
from widgets.details.sheet import Sheet
from widgets.dialogs.remove_endpoint import remove_endpoint_asking
from widgets.look import KeyValue, MessageBar, button
from widgets.workbench import Workbench


class EndpointView(Sheet):
    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self._workbench = workbench
        self._noted: set[str] = set()
        self._trouble = MessageBar()
        self._trouble.hide()
        self.body.insertWidget(2, self._trouble)
        self._connect = button("Connect", "link", kind="primary")
        self._reach = button("Reach as…", "link", kind="flat", tip="Where this laptop reaches it; never part of the project")
        self._reach.clicked.connect(self._on_reach)
        self._remove = button("Remove…", "remove", kind="flat")
        buttons = QHBoxLayout()
        buttons.addWidget(self._connect)
        buttons.addWidget(self._reach)
        buttons.addWidget(self._remove)
        buttons.addStretch(1)
        self.body.addLayout(buttons)
        self.body.addStretch(1)
        self._connect.clicked.connect(self._on_connect)
        self._remove.clicked.connect(lambda: remove_endpoint_asking(self.window(), workbench, self._id))
        workbench.endpoint_changed.connect(self._on_endpoint_changed)

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
        state = self._workbench.live.state(endpoint.id)
        self.show_rows(endpoint.name, _phase_text(state), [*self._settings(endpoint), *_report_rows(state)])
        self._connect.setText("Connect" if state.phase in ("off", "stopped") else "Disconnect")
        self._trouble.setVisible(state.why is not None)
        if state.why is not None:
            self._trouble.show_error(state.why)

    def _settings(self, endpoint: Endpoint) -> list[KeyValue]:
        rows = [KeyValue("Address", endpoint.addresses["default"])]
        here = self._workbench.live.url_of(endpoint.id)
        if here != endpoint.addresses["default"]:
            rows.append(KeyValue("Reached as", here))
        rows += [KeyValue(f"Address {name}", url) for name, url in endpoint.addresses.items() if name != "default"]
        security = endpoint.security
        rows.append(
            KeyValue(
                "Security",
                f"{security.policy} {security.mode}" if security.mode != "None" else "none",
                badge="" if security.mode != "None" else "warning",
            )
        )
        rows.append(KeyValue("User", security.name or security.user))
        if endpoint.description:
            rows.append(KeyValue("Description", endpoint.description))
        rows.append(KeyValue("Tags", f"{len(self._workbench.project.tags_of(endpoint.id)):,}"))
        return rows

    def _note_namespaces(self, id_: str) -> None:
        """Index-only gateways need the order in which the server lists its namespaces: noted once, and not again when undone.

        Not in ``refresh``, which an edit calls: what shows the project must not change it meanwhile.
        """
        endpoint, state = self._workbench.endpoint(id_), self._workbench.live.state(id_)
        if endpoint is None or endpoint.namespaces or id_ in self._noted or state.phase != "connected":
            return
        if state.report is not None and state.report.namespaces:
            self._noted.add(id_)
            self._workbench.do(set_namespaces(self._workbench.project, id_, state.report.namespaces))

    def _on_reach(self) -> None:
        """Ask for the address this laptop uses; empty is the project's own."""
        dialog = QInputDialog(self.window())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowTitle("Reach this endpoint as")
        dialog.setLabelText(
            "Address from this laptop, empty for the project's own.\nIt is kept on this laptop and changes neither project nor approvals."
        )
        dialog.setTextValue(self._workbench.live.url_of(self._id))
        id_ = self._id
        dialog.textValueSelected.connect(lambda text: self._reach_as(id_, text.strip()))
        dialog.resize(520, 120)
        dialog.open()

    def _reach_as(self, endpoint: str, text: str) -> None:
        try:
            url = spec_for(text).parse_url(text) if text else None
        except UserError as error:
            self._workbench.failed.emit(error)
            return
        self._workbench.live.set_reach(endpoint, url)
        self._workbench.workspace.set_reach(self._workbench.project.info.id, endpoint, url)
        self.refresh()

    def _on_connect(self) -> None:
        live = self._workbench.live
        if live.state(self._id).phase in ("off", "stopped"):
            live.connect(self._id)
        else:
            live.disconnect(self._id)


def _phase_text(state: ConnectionState) -> str:
    words = {
        "off": "not connected",
        "connecting": "connecting…",
        "connected": "connected",
        "waiting": "waiting to try again",
        "stopped": "stopped",
    }
    return words[state.phase] + (", no answer at the moment" if state.phase == "connected" and state.stale else "")


def _report_rows(state: ConnectionState) -> list[KeyValue]:
    report = state.report
    if report is None:
        return []
    rows = [KeyValue("Answers as", report.title)]
    if report.application_uri:
        rows.append(KeyValue("Application URI", report.application_uri))
    if report.namespaces:
        rows.append(KeyValue("Namespaces", "\n".join(f"{index}  {uri}" for index, uri in enumerate(report.namespaces))))
    if report.units:
        rows.append(KeyValue("Unit ids", ", ".join(map(str, report.units))))
    if report.offered:
        rows.append(KeyValue("Offers", "\n".join(f"{offer.policy} {offer.mode}: {', '.join(offer.users)}" for offer in report.offered)))
    if report.limits:
        rows.append(KeyValue("Limits", "\n".join(f"{name} {number or 'not stated'}" for name, number in report.limits.items())))
    rows.append(KeyValue("Round trip", f"{state.round_trip_s * 1000:.1f} ms"))
    if report.clock_offset_s is not None:
        rows.append(KeyValue("Server clock", f"{report.clock_offset_s:+.3f} s against this laptop"))
    if state.memory_bytes:
        rows.append(KeyValue("Connector", f"{state.memory_bytes / 2**20:.0f} MiB"))
    rows += [KeyValue("Note", note) for note in report.notes]
    return rows
