"""What the window asks of a person before a secured connection stands: trust, a password, our certificate on the server's side."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QDialog, QLineEdit, QPushButton

from app.edits.edit import replace, with_fields
from app.edits.endpoints import add_endpoint
from app.errors import EndpointError
from app.model.plant import Endpoint, Identity, Security
from app.trust.facts import facts
from app.trust.store import TrustStore
from app.workspace.paths import pki_dir
from tests.gui.driving import Driver
from tests.peers.opcua_certificates import Made, certificate
from tests.peers.opcua_secure_peer import SecurePeer
from widgets.dialogs.edit_endpoint import show_edit_endpoint
from widgets.dialogs.own_certificate import save_certificate, show_save_certificate
from widgets.dialogs.password import PasswordDialog, show_password
from widgets.dialogs.trust import TrustDialog
from widgets.look import MessageBar

PASSWORD = "spring-2026"
SECURED = Security(policy="Basic256Sha256", mode="SignAndEncrypt")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return certificate(tmp_path_factory.mktemp("server"), "Filler PLC")


@pytest.fixture(scope="module")
def running(made: Made) -> Iterator[SecurePeer]:
    peer = SecurePeer(made)
    yield peer
    peer.kill()


@pytest.fixture
def peer(running: SecurePeer) -> Iterator[SecurePeer]:
    yield running
    running.behave()


def add(gui: Driver, peer: SecurePeer, security: Security = SECURED, name: str = "filler") -> str:
    edit = add_endpoint(gui.workbench.project, name, peer.url, security=security)
    gui.workbench.do(edit)
    return edit.changes[0].id


def refused(gui: Driver, endpoint: str, code: str) -> EndpointError:
    """Connect, and wait for this trouble."""
    gui.workbench.live.connect(endpoint)
    gui.until(lambda: getattr(gui.workbench.live.state(endpoint).why, "code", "") == code, f"no trouble of the kind {code}")
    why = gui.workbench.live.state(endpoint).why
    assert isinstance(why, EndpointError)
    return why


def asked_to_trust(gui: Driver, endpoint: str) -> TrustDialog:
    """The dialog that opens by itself."""
    refused(gui, endpoint, "certificate")
    dialog = opened(gui, TrustDialog)
    assert isinstance(dialog, TrustDialog)
    return dialog


def opened(gui: Driver, kind: type[QDialog]) -> QDialog:
    gui.until(lambda: [one for one in gui.window.findChildren(kind) if one.isVisible()], f"no {kind.__name__} opened")
    (dialog,) = [one for one in gui.window.findChildren(kind) if one.isVisible()]
    return dialog


def remedies(gui: Driver) -> list[QPushButton]:
    """The buttons of the trouble in the details."""
    bars = [one for one in gui.window.docks()["details"].findChildren(MessageBar) if one.isVisible()]
    return [one for bar in bars for one in bar.findChildren(QPushButton) if one.isVisible() and one.text()]


def test_that_a_new_server_is_trusted_once_by_a_person_and_then_connects(gui: Driver, peer: SecurePeer, made: Made) -> None:
    endpoint = add(gui, peer)
    dialog = asked_to_trust(gui, endpoint)
    assert dialog.boxes == {}
    assert dialog.later.isDefault()
    dialog.trust.click()
    gui.until(lambda: gui.phase(endpoint) == "connected", "the trusted server was not connected")
    assert [known.der for known in TrustStore(pki_dir()).trusted()] == [made.der]


def test_that_a_server_trusted_once_connects_and_is_marked_so(gui: Driver, peer: SecurePeer) -> None:
    endpoint = add(gui, peer)
    asked_to_trust(gui, endpoint).once.click()
    gui.until(lambda: gui.phase(endpoint) == "connected", "the server trusted once was not connected")
    assert [known.once for known in TrustStore(pki_dir()).trusted()] == [True]


def test_that_what_is_wrong_with_a_certificate_must_be_accepted_point_by_point(gui: Driver, peer: SecurePeer, tmp_path: Path) -> None:
    odd = certificate(tmp_path, "Old PLC", hosts=("plc.example",), uri="urn:someone:else", begins_in_days=-400, ends_in_days=-3)
    peer.behave(odd)
    endpoint = add(gui, peer)
    dialog = asked_to_trust(gui, endpoint)
    assert {problem.code for problem in dialog.boxes.values()} == {"expired", "wrong host", "wrong uri"}
    assert not dialog.trust.isEnabled()
    for box in dialog.boxes:
        assert not dialog.trust.isEnabled()
        box.click()
    dialog.trust.click()
    gui.until(lambda: gui.phase(endpoint) == "connected", "what was accepted is still refused")


def test_that_another_certificate_than_last_time_is_a_red_stop(gui: Driver, peer: SecurePeer, made: Made, tmp_path: Path) -> None:
    TrustStore(pki_dir()).trust(made.der)
    peer.behave(certificate(tmp_path, "Filler PLC"))
    dialog = asked_to_trust(gui, add(gui, peer))
    assert [problem.code for problem in dialog.boxes.values()] == ["changed"]
    assert not dialog.trust.isEnabled()


def test_that_a_refused_server_stays_refused(gui: Driver, peer: SecurePeer) -> None:
    endpoint = add(gui, peer)
    asked_to_trust(gui, endpoint).refuse.click()
    gui.until(lambda: gui.phase(endpoint) == "off", "the refused connection goes on")
    again = asked_to_trust(gui, endpoint)
    assert not again.trust.isEnabled()
    assert "refused" in {problem.code for problem in again.verdict.problems}


def test_that_a_missing_password_is_asked_for_and_a_wrong_one_told(gui: Driver, peer: SecurePeer, made: Made) -> None:
    TrustStore(pki_dir()).trust(made.der)
    peer.behave(users={"operator": PASSWORD})
    secured = Security(policy="Basic256Sha256", mode="SignAndEncrypt", user="password", name="operator", secret="secret://filler/password")
    endpoint = add(gui, peer, secured)
    refused(gui, endpoint, "secret")
    dialog = opened(gui, PasswordDialog)
    assert isinstance(dialog, PasswordDialog)
    assert dialog.password.echoMode() == QLineEdit.EchoMode.Password
    assert not dialog.ok.isEnabled()
    dialog.password.setText("wrong")
    dialog.ok.click()
    gui.until(lambda: getattr(gui.workbench.live.state(endpoint).why, "code", "") == "user", "the wrong password was not told")
    again = opened(gui, PasswordDialog)
    assert isinstance(again, PasswordDialog)
    assert again is not dialog
    assert show_password(gui.window, gui.workbench, endpoint) is again, "it is open once"
    again.password.setText(PASSWORD)
    again.ok.click()
    gui.until(lambda: gui.phase(endpoint) == "connected", "the right password does not connect")
    assert PASSWORD not in str(gui.workbench.project.all(Endpoint))


def test_that_a_user_who_is_refused_without_a_name_is_not_asked_for_a_password(gui: Driver, peer: SecurePeer, made: Made) -> None:
    TrustStore(pki_dir()).trust(made.der)
    peer.behave(user_code=0x80210000)
    endpoint = add(gui, peer)
    refused(gui, endpoint, "user")
    gui.endpoints.select_endpoint(endpoint)
    gui.until(lambda: remedies(gui), "the trouble is not shown")
    assert [one.text() for one in remedies(gui)] == ["Connection…"]
    gui.run(700)
    assert not [one for one in gui.window.findChildren(PasswordDialog) if one.isVisible()]


def test_that_trusting_a_renewed_certificate_confirms_it_for_the_project_in_one_step(
    gui: Driver, peer: SecurePeer, made: Made, tmp_path: Path
) -> None:
    TrustStore(pki_dir()).trust(made.der)
    endpoint = add(gui, peer)
    held = gui.workbench.project.all(Endpoint)[endpoint]
    known = Identity(application_uri="urn:peer:secure", thumbprint=facts(made.der).thumbprint)
    gui.workbench.do(replace("Know", gui.workbench.project, [with_fields(held, identity=known)]))
    renewed = certificate(tmp_path, "Filler PLC")
    peer.behave(renewed)
    dialog = asked_to_trust(gui, endpoint)
    for box in dialog.boxes:
        box.click()
    dialog.trust.click()
    gui.until(lambda: gui.phase(endpoint) == "connected", "the renewed certificate is refused")
    assert not gui.workbench.live.state(endpoint).held, "the same question is asked twice"
    identity = gui.workbench.project.all(Endpoint)[endpoint].identity
    assert identity == Identity(application_uri="urn:peer:secure", thumbprint=facts(renewed.der).thumbprint)
    gui.workbench.editor.undo()
    assert gui.workbench.project.all(Endpoint)[endpoint].identity == known


def test_that_trust_for_once_changes_no_project(gui: Driver, peer: SecurePeer, made: Made, tmp_path: Path) -> None:
    TrustStore(pki_dir()).trust(made.der)
    endpoint = add(gui, peer)
    held = gui.workbench.project.all(Endpoint)[endpoint]
    known = Identity(thumbprint=facts(made.der).thumbprint)
    gui.workbench.do(replace("Know", gui.workbench.project, [with_fields(held, identity=known)]))
    peer.behave(certificate(tmp_path, "Filler PLC"))
    dialog = asked_to_trust(gui, endpoint)
    for box in dialog.boxes:
        box.click()
    dialog.once.click()
    assert gui.workbench.project.all(Endpoint)[endpoint].identity == known


def test_that_several_servers_are_asked_about_one_after_the_other(gui: Driver, peer: SecurePeer) -> None:
    first, second = add(gui, peer), add(gui, peer, name="labeller")
    for endpoint in (first, second):
        gui.workbench.live.connect(endpoint)
    gui.until(lambda: {gui.phase(one) for one in (first, second)} == {"stopped"}, "both are refused")
    dialog = opened(gui, TrustDialog)
    assert isinstance(dialog, TrustDialog)
    dialog.reject()
    gui.until(
        lambda: [one for one in gui.window.findChildren(TrustDialog) if one.isVisible() and one is not dialog], "the other is forgotten"
    )
    other = opened(gui, TrustDialog)
    assert isinstance(other, TrustDialog)
    assert {dialog.endpoint, other.endpoint} == {first, second}
    other.reject()
    gui.run(700)
    assert not [one for one in gui.window.findChildren(TrustDialog) if one.isVisible()], "what was put off is asked again by itself"


def test_that_a_refusal_that_comes_at_once_is_asked_about_again(gui: Driver, peer: SecurePeer) -> None:
    endpoint = add(gui, peer)
    asked_to_trust(gui, endpoint).reject()
    before = gui.workbench.live.state(endpoint).why
    gui.workbench._frame.stop()  # as when a whole attempt falls between two frames: the window never sees it connecting
    gui.workbench.live.connect(endpoint)
    gui.run(1_000)
    gui.workbench._frame.start()
    gui.until(lambda: gui.workbench.live.state(endpoint).why not in (None, before), "it was not refused again")
    opened(gui, TrustDialog).reject()


def test_that_a_question_waits_for_a_dialog_that_blocks_the_window(gui: Driver, peer: SecurePeer) -> None:
    endpoint = add(gui, peer)
    editing = show_edit_endpoint(gui.window, gui.workbench, endpoint)
    assert editing is not None
    refused(gui, endpoint, "certificate")
    gui.run(700)
    assert not gui.window.findChildren(TrustDialog)
    editing.reject()
    opened(gui, TrustDialog).reject()


def test_that_a_remedy_opens_above_the_window_and_only_once(gui: Driver, peer: SecurePeer) -> None:
    endpoint = add(gui, peer)
    dialog = asked_to_trust(gui, endpoint)
    gui.endpoints.select_endpoint(endpoint)
    gui.until(lambda: remedies(gui), "the trouble is not shown")
    remedies(gui)[0].click()
    assert opened(gui, TrustDialog) is dialog
    dialog.reject()
    remedies(gui)[0].click()
    again = opened(gui, TrustDialog)
    assert again.parentWidget() is gui.window
    assert not again.isModal()
    again.reject()


def test_that_the_kind_of_file_that_is_chosen_is_the_kind_that_is_saved(gui: Driver, tmp_path: Path) -> None:
    gui.workbench.workspace.set_last_folder(tmp_path)
    dialog = show_save_certificate(gui.window, gui.workbench)
    assert Path(dialog.selectedFiles()[0]).name == "tagloom.der"
    pem = dialog.nameFilters()[1]
    dialog.selectNameFilter(pem)
    dialog.filterSelected.emit(pem)
    assert dialog.defaultSuffix() == "pem", "a name without a suffix would be saved as the other kind"
    dialog.reject()


def test_that_our_certificate_is_saved_for_the_server_that_does_not_know_us(
    gui: Driver, peer: SecurePeer, made: Made, tmp_path: Path
) -> None:
    TrustStore(pki_dir()).trust(made.der)
    peer.behave(reject="error", trusted=str(tmp_path))
    endpoint = add(gui, peer)
    why = refused(gui, endpoint, "rejected")
    own = TrustStore(pki_dir()).own()
    assert own.name in f"{why.why} {why.fix}"
    save_certificate(gui.workbench, tmp_path / "ours.der")
    assert (tmp_path / "ours.der").read_bytes() == own.der == why.evidence
    save_certificate(gui.workbench, tmp_path / "ours.pem")
    assert b"PRIVATE" not in (tmp_path / "ours.pem").read_bytes()
    peer.behave()
    gui.until(lambda: gui.phase(endpoint) == "connected", "it did not connect by itself once the server trusts us")
