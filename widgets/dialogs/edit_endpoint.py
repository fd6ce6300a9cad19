"""Edit a connection: addresses, security and user, the driver's settings; and where this laptop reaches it, which no project knows."""

from __future__ import annotations

from PySide6.QtWidgets import QComboBox, QFormLayout, QLineEdit, QTabWidget, QVBoxLayout, QWidget

from app.drivers import spec_for
from app.drivers.base import OfferedEndpoint
from app.drivers.probe_target import usable_offers
from app.edits import Edit
from app.edits.connections import change_connection
from app.errors import CollectedError, UserError
from app.model.plant import Endpoint, Security
from widgets.dialogs.edit_dialog import EditDialog
from widgets.dialogs.named_addresses import NamedAddresses
from widgets.dialogs.sign_in import SignIn
from widgets.look import label
from widgets.setting_fields import SettingForm
from widgets.workbench import Workbench

_POLICIES = ("Aes256_Sha256_RsaPss", "Aes128_Sha256_RsaOaep", "Basic256Sha256")
_MODES = {"SignAndEncrypt": "signed and encrypted", "Sign": "signed"}


class EditEndpointDialog(EditDialog):
    """OK is one edit; *reach as* is kept in the workspace beside it. What is connected connects again with the new settings."""

    def __init__(self, workbench: Workbench, endpoint: Endpoint, parent: QWidget | None = None) -> None:
        super().__init__(workbench, f"Connection of {endpoint.name}", "Save", parent)
        self._endpoint = endpoint
        self.spec = spec_for(endpoint.addresses["default"])
        self.name = QLineEdit(endpoint.name)
        self.name.setAccessibleName("Name")
        self.addresses = NamedAddresses(endpoint.addresses)
        self.reach = QLineEdit(self._reached_elsewhere())
        self.reach.setAccessibleName("Reach as")
        self.reach.setPlaceholderText("as the default address says")
        self.way = QComboBox()
        self.way.setAccessibleName("Security")
        self.sign_in = SignIn(workbench)
        self.register = QLineEdit(endpoint.identity.register)
        self.register.setAccessibleName("Identity register")
        self.register.setPlaceholderText("such as 1/holding:100:uint32, which holds a serial number")
        self.settings = SettingForm(self.spec.settings, dict(endpoint.settings))
        self.tabs = QTabWidget()
        self.tabs.addTab(self._address_page(), "Addresses")
        if self.spec.key == "opcua":
            self.tabs.addTab(self._security_page(), "Security")
        self.tabs.addTab(self._settings_page(), "Settings")
        self.body.addWidget(self.tabs)
        self.resize(640, 480)

    # Pages

    def _address_page(self) -> QWidget:
        page, column = _page()
        form = QFormLayout()
        form.addRow("Name", self.name)
        column.addLayout(form)
        column.addWidget(self.addresses, 1)
        reach = QFormLayout()
        reach.addRow("Reach as", self.reach)
        column.addLayout(reach)
        words = "Where this laptop reaches it. Kept on this laptop: it changes neither the project nor approvals."
        column.addWidget(label(words, "dim", wrap=True))
        if self.spec.key != "opcua":
            identity = QFormLayout()
            identity.addRow("Identity register", self.register)
            column.addLayout(identity)
        return page

    def _security_page(self) -> QWidget:
        page, column = _page()
        held = self._endpoint.security
        self._offers = self._known_offers()
        for policy, mode, offer in self._offers:
            words = "Without security" if mode == "None" else f"{policy}, {_MODES.get(mode, mode)}"
            self.way.addItem(words, offer)
        place = next((place for place, (policy, mode, _) in enumerate(self._offers) if (policy, mode) == (held.policy, held.mode)), 0)
        self.way.setCurrentIndex(place)
        form = QFormLayout()
        form.addRow("Security", self.way)
        column.addLayout(form)
        self.advice = label("", "dim", wrap=True)
        column.addWidget(self.advice)
        column.addWidget(self.sign_in)
        column.addStretch(1)
        self.way.currentIndexChanged.connect(self._on_way_changed)
        self._on_way_changed()
        self.sign_in.set_security(held)
        return page

    def _settings_page(self) -> QWidget:
        page, column = _page()
        column.addLayout(self.settings)
        column.addStretch(1)
        return page

    def _known_offers(self) -> list[tuple[str, str, OfferedEndpoint | None]]:
        """What the server offered last time; all that there is where it was not met yet; what the project says in any case."""
        report = self.workbench.live.state(self._endpoint.id).report
        offers = usable_offers(report) if report is not None else ()
        held = self._endpoint.security
        found: list[tuple[str, str, OfferedEndpoint | None]] = [(offer.policy, offer.mode, offer) for offer in offers]
        if not found:
            found = [*((policy, mode, None) for mode in _MODES for policy in _POLICIES), ("None", "None", None)]
        if all((policy, mode) != (held.policy, held.mode) for policy, mode, _ in found):
            found.append((held.policy, held.mode, None))
        return found

    def _on_way_changed(self) -> None:
        _, _, offer = self._offers[self.way.currentIndex()]
        self.sign_in.allow(offer)
        self.advice.setText(offer.advice if offer is not None else "")
        self.advice.setVisible(bool(offer is not None and offer.advice))

    def _reached_elsewhere(self) -> str:
        url = self.workbench.live.url_of(self._endpoint.id)
        return "" if url == self._endpoint.addresses["default"] else url

    # Saving

    def make_edit(self) -> Edit:
        problems: list[UserError] = []
        addresses, wrong = self.addresses.addresses(self.spec)
        settings, more = self.settings.values()
        problems += [*wrong, *more]
        for check in (self._check_reach, self._check_security, self._check_register):
            try:
                check()
            except UserError as error:
                problems.append(error)
        if problems:
            raise CollectedError("Cannot save the connection", where=self._endpoint.name, problems=problems)
        security, register = self._check_security(), self._check_register()
        return change_connection(
            self.workbench.project, self._endpoint.id, name=self.name.text(), addresses=addresses, security=security, settings=settings,
            register=register, passphrase=self.sign_in.needs_passphrase,
        )  # fmt: skip

    def _check_reach(self) -> str | None:
        """Each of the three raises ``UserError``."""
        text = self.reach.text().strip()
        return spec_for(text).parse_url(text) if text else None

    def _check_security(self) -> Security:
        if self.spec.key != "opcua":
            return self._endpoint.security
        policy, mode, offer = self._offers[self.way.currentIndex()]
        return self.sign_in.security(offer or OfferedEndpoint(url="", policy=policy, mode=mode))

    def _check_register(self) -> str:
        text = self.register.text().strip()
        return self.spec.parse_address(text) if text else ""

    def _on_ok(self) -> None:
        try:
            edit, reach = self.make_edit(), self._check_reach()
        except UserError as error:
            self.show_problems(error)
            return
        id_, live = self._endpoint.id, self.workbench.live
        reached = live.url_of(id_)
        if edit.changes:
            self.workbench.do(edit)
        live.set_reach(id_, reach)
        self.workbench.workspace.set_reach(self.workbench.project.info.id, id_, reach)
        self._keep_secret()
        if edit.changes or reached != live.url_of(id_) or self.sign_in.password.text():
            self._connect_again()
        self.accept()

    def _keep_secret(self) -> None:
        changed = self.workbench.endpoint(self._endpoint.id)
        self.sign_in.keep_secret(changed.security.secret if changed is not None else "")

    def _connect_again(self) -> None:
        """Security and settings count from the next connection on."""
        live, id_ = self.workbench.live, self._endpoint.id
        if live.state(id_).phase != "off":
            live.disconnect(id_)
            live.connect(id_)


def _page() -> tuple[QWidget, QVBoxLayout]:
    page = QWidget()
    column = QVBoxLayout(page)
    column.setContentsMargins(12, 12, 12, 12)
    column.setSpacing(8)
    return page, column


def show_edit_endpoint(parent: QWidget | None, workbench: Workbench, endpoint: str) -> EditEndpointDialog | None:
    """None when there is no such endpoint."""
    found = workbench.endpoint(endpoint)
    if found is None:
        return None
    dialog = EditEndpointDialog(workbench, found, parent)
    dialog.open()
    return dialog
