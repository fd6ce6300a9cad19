from pathlib import Path

import pytest

from app.drivers.opcua.session_refusals import refused
from app.drivers.opcua.session_transport import Ending, StepError, fault_in_the_clear
from app.drivers.opcua.status import status_text
from app.trust.facts import spaced
from app.trust.own import OwnCertificate
from app.trust.store import TrustStore

URL = "opc.tcp://10.0.0.5:4840"
CHANNEL, CREATE, ACTIVATE = "opening the secure channel", "creating the session", "activating the session"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> OwnCertificate:
    return TrustStore(Path(tmp_path_factory.mktemp("pki"))).own()


def step(doing: str, status: int = 0, ending: Ending = "") -> StepError:
    return StepError(URL, doing, status_text(status) if status else "the reason", status, ending)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (0x80120000, "BadCertificateInvalid (0x80120000): the server does not trust our certificate"),
        (0x80130000, "BadSecurityChecksFailed (0x80130000): the server does not trust our certificate"),
        (0x801A0000, "BadCertificateUntrusted (0x801A0000): the server does not trust our certificate"),
        (0x80580000, "BadApplicationSignatureInvalid (0x80580000): the server does not trust our certificate"),
        (0x80140000, "is expired or not valid yet"),
        (0x80150000, "is expired or not valid yet"),
        (0x80160000, "the server finds another host in our certificate"),
        (0x80170000, "the server does not find our application URI, urn:"),
        (0x80180000, "for the use as a client"),
        (0x801D0000, "for revoked, or cannot find out"),
    ],
)
@pytest.mark.parametrize("doing", [CHANNEL, CREATE])
def test_that_every_reason_to_reject_our_certificate_is_told_in_words(own: OwnCertificate, doing: str, status: int, words: str) -> None:
    error = refused(step(doing, status), URL, own, "anonymous")
    assert (error.code, error.evidence, error.where) == ("rejected", own.der, URL)
    assert error.why.startswith(f"{doing}: Bad")
    assert words in error.why
    assert own.name in error.why
    assert spaced(own.thumbprint) in error.why
    assert "tried again by itself" in error.fix


@pytest.mark.parametrize(
    ("error", "user", "code"),
    [
        (step(CHANNEL, ending="closed"), "anonymous", "rejected"),
        (step(CHANNEL, ending="silent"), "anonymous", "rejected"),
        (step(CREATE, ending="closed"), "anonymous", "rejected"),
        (step(CHANNEL, ending="invalid"), "anonymous", ""),
        (step("opening the connection", ending="silent"), "anonymous", ""),
        (step("the OPC UA hello", ending="closed"), "anonymous", ""),
        (step(CHANNEL, 0x80550000), "anonymous", ""),
        (step(ACTIVATE, 0x801F0000), "password", "user"),
        (step(ACTIVATE, 0x80210000), "certificate", "user"),
        (step(ACTIVATE, 0x80130000), "certificate", "user"),
        (step(ACTIVATE, 0x80130000), "password", "rejected"),
        (step(ACTIVATE, 0x801F0000), "anonymous", "user"),
        (step(CREATE, 0x80020000), "anonymous", ""),
    ],
)
def test_that_a_rejected_certificate_a_refused_user_and_other_trouble_are_told_apart(
    own: OwnCertificate, error: StepError, user: str, code: str
) -> None:
    told = refused(error, URL, own, user)
    assert told.code == code
    assert told.fix
    assert refused(error, URL, None, user).code in ("", "user"), "without security our certificate was never shown"


def test_that_a_wrong_policy_is_named() -> None:
    assert "the server does not accept this security policy and mode" in refused(step(CHANNEL, 0x80550000), URL, None, "anonymous").why


def clear_fault(uri: bytes = b"http://opcfoundation.org/UA/SecurityPolicy#None", type_id: bytes = b"\x01\x00\x8d\x01") -> bytes:
    header = b"\x00" * 8 + b"\x01\x00\x00\x00" + (0x80130000).to_bytes(4, "little") + b"\x00" + b"\xff" * 4 + b"\x00\x00\x00"
    security = len(uri).to_bytes(4, "little") + uri + b"\xff" * 8
    body = b"\x00" * 4 + security + b"\x01\x00\x00\x00\x02\x00\x00\x00" + type_id + header
    return b"OPNF" + (len(body) + 8).to_bytes(4, "little") + body


def test_that_a_fault_without_security_is_read_for_its_status_alone() -> None:
    assert fault_in_the_clear(clear_fault()) == 0x80130000
    assert fault_in_the_clear(clear_fault(b"http://opcfoundation.org/UA/SecurityPolicy#Basic256")) == 0
    assert fault_in_the_clear(clear_fault(type_id=b"\x01\x00\xc1\x01")) == 0
    assert fault_in_the_clear(b"MSGF" + clear_fault()[4:]) == 0
    assert all(fault_in_the_clear(clear_fault()[:end]) in (0, 0x80130000) for end in range(len(clear_fault())))
