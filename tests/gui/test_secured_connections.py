"""What the window asks of a person before a secured connection stands: trust, a password, our certificate on the server's side."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QDialog, QLineEdit

from app.edits.endpoints import add_endpoint
from app.errors import EndpointError
from app.model.plant import Endpoint, Security
from app.trust.store import TrustStore
from app.workspace.paths import pki_dir
from tests.gui.driving import Driver
from tests.peers.opcua_certificates import Made, certificate
from tests.peers.opcua_secure_peer import SecurePeer
from widgets.dialogs.own_certificate import save_certificate
from widgets.dialogs.password import PasswordDialog, show_password
from widgets.dialogs.trust import TrustDialog

PASSWORD = "spring-2026"
SECURED = Security(policy="Basic256Sha256", mode="SignAndEncrypt")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return certificate(tmp_path_factory.mktemp("server"), "Filler PLC")


@pytest.fixture(scope="module")
def running(made: Made) -> Iterator[SecurePeer]:
    peer = SecurePeer(made)
    yield peer
    peer.end()


@pytest.fixture
def peer(running: SecurePeer) -> Iterator[SecurePeer]:
    yield running
    running.behave()


def add(gui: Driver, peer: SecurePeer, security: Security = SECURED) -> str:
    edit = add_endpoint(gui.workbench.project, "filler", peer.url, security=security)
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
    again = show_password(gui.window, gui.workbench, endpoint, gui.workbench.live.state(endpoint).why)
    again.password.setText(PASSWORD)
    again.ok.click()
    gui.until(lambda: gui.phase(endpoint) == "connected", "the right password does not connect")
    assert PASSWORD not in str(gui.workbench.project.all(Endpoint))


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
