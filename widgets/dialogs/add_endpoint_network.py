"""OPC UA servers to choose from: those that announce themselves on this computer's networks, and those that a discovery server lists."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from app.drivers.probe_questions import Announced, FindOnNetwork, FindServers, FoundServer, Listened
from app.drivers.probe_target import discovery_url
from app.drivers.questions import Anywhere, Progress
from app.errors import UserError
from app.runtime.state import Reply
from widgets.keys import on_key
from widgets.look import MessageBar, button, calm_tree, icon, label, plain_tip
from widgets.workbench import Workbench

_URL = Qt.ItemDataRole.UserRole


class NetworkPanel(QWidget):
    """Signals: ``chosen``: URL of a server that a person picked; it is looked at next."""

    chosen = Signal(str)

    def __init__(self, workbench: Workbench, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workbench = workbench
        self._token: int | None = None
        self.server = QLineEdit(placeholderText="discovery server, such as 192.168.0.2")
        self.server.setAccessibleName("Discovery server")
        self.listen = button("Servers on this network", "search", tip="Listens to servers that announce themselves; connects to nobody")
        self.ask = button("Ask it", "search", tip="Asks this discovery server for its list, and each server on it how to connect")
        self.stop_button = button("Stop", "stop")
        self.state = label("Nothing has been asked yet.", "dim", wrap=True)
        self.servers = QTreeWidget()
        self.use = button("Look at this one", "right")
        self.message = MessageBar()
        self._build()

    def _build(self) -> None:
        calm_tree(self.servers, "Servers")
        self.servers.setRootIsDecorated(False)
        self.servers.setHeaderLabels(["Server", "Address"])
        self.servers.setColumnWidth(0, 260)
        top = QHBoxLayout()
        top.addWidget(self.listen)
        top.addSpacing(16)
        top.addWidget(self.server, 1)
        top.addWidget(self.ask)
        top.addWidget(self.stop_button)
        foot = QHBoxLayout()
        foot.addWidget(self.state, 1)
        foot.addWidget(self.use)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(top)
        layout.addWidget(self.servers, 1)
        layout.addWidget(self.message)
        layout.addLayout(foot)
        for pressed in (self.listen, self.ask, self.stop_button, self.use):
            pressed.setAutoDefault(False)
        self.listen.clicked.connect(lambda: self._start(FindOnNetwork(), "Listening …"))
        self.ask.clicked.connect(self._on_ask)
        self.server.returnPressed.connect(self._on_ask)
        self.stop_button.clicked.connect(self.stop)
        self.use.clicked.connect(self._on_use)
        self.servers.itemDoubleClicked.connect(lambda *_: self._on_use())
        on_key(self.servers, "Return", self._on_use)
        self.servers.currentItemChanged.connect(lambda *_: self._refresh())
        self.message.dismissed.connect(self.message.hide)
        self._refresh()

    @property
    def is_asking(self) -> bool:
        return self._token is not None

    def ask_server(self, url: str) -> None:
        """The list of a discovery server that was met elsewhere."""
        self.server.setText(url)
        self._on_ask()

    def stop(self) -> None:
        if self._token is not None:
            self._workbench.forget(self._token)
            self._token = None
            self.state.setText("Stopped.")
        self._refresh()

    def _on_ask(self) -> None:
        try:
            url = discovery_url(self.server.text())
        except UserError as error:
            self.message.show_error(error)
            return
        self._start(FindServers(url=url), f"Asking {url} …")

    def _start(self, question: Anywhere, words: str) -> None:
        self.stop()
        self.servers.clear()
        self.message.hide()
        self.state.setText(words)
        self._token = self._workbench.ask(self._workbench.live.ask_anywhere(question), self._on_reply)
        self._refresh()

    def _on_reply(self, reply: Reply) -> None:
        match reply.result:
            case Announced() as heard:
                where = f"Heard on {heard.interface}" + (f", calls itself {heard.host}" if heard.host else "")
                self._add(heard.name, heard.url, where)
            case FoundServer() as found:
                self._add(
                    found.name, found.url or (found.urls[0] if found.urls else ""), found.trouble or found.note, usable=bool(found.url)
                )
            case Listened(trouble=trouble, interface=interface) if trouble:
                self.message.show_message(f"Cannot listen on {interface}", "warning", why=trouble)
            case Progress(done=done, total=total, text=text):
                self.state.setText(f"{text}: {done} of {total}")
            case UserError() as error:
                self.message.show_error(error)
        if reply.done:
            self._token = None
            count = self.servers.topLevelItemCount()
            self.state.setText(f"{count} servers." if count != 1 else "1 server.")
            self._refresh()

    def _add(self, name: str, url: str, words: str, *, usable: bool = True) -> None:
        row = QTreeWidgetItem([name, url])
        row.setIcon(0, icon("endpoint-opcua" if usable else "warning", "text" if usable else "warn"))
        row.setData(0, _URL, url if usable else "")
        if words:
            row.setText(1, f"{url}   {words}" if url else words)
        for column in range(2):
            row.setToolTip(column, plain_tip(row.text(column)))
        self.servers.addTopLevelItem(row)
        if self.servers.currentItem() is None and usable:
            self.servers.setCurrentItem(row)

    def _on_use(self) -> None:
        row = self.servers.currentItem()
        if row is not None and row.data(0, _URL):
            self.chosen.emit(str(row.data(0, _URL)))

    def _refresh(self) -> None:
        row = self.servers.currentItem()
        self.use.setEnabled(row is not None and bool(row.data(0, _URL)))
        self.stop_button.setVisible(self.is_asking)
