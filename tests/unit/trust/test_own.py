"""Our own certificate: made once, kept, renewed, never in pieces."""

import os
import re
import ssl
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given
from hypothesis import strategies as st

from app.errors import UserError
from app.model.plant import Identity
from app.processes import module_environment
from app.trust.facts import facts
from app.trust.judge import judge
from app.trust.own import application_uri, common_name
from app.trust.store import OwnCertificate, TrustStore
from tests.certificates import NOW_NS, server

DAY_NS = 86_400 * 1_000_000_000
POSIX = pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")


def at(folder: Path, now_ns: int = NOW_NS) -> OwnCertificate:
    return TrustStore(folder, now_ns=lambda: now_ns).own()


def test_that_it_is_what_opc_ua_asks_for(tmp_path: Path) -> None:
    own = at(tmp_path / "pki")
    certificate = x509.load_der_x509_certificate(own.der)
    found = facts(own.der)
    assert re.fullmatch(r"urn:[a-z0-9][a-z0-9-]{0,30}[a-z0-9]:tagloom", own.application_uri)
    assert (found.application_uri, found.key, found.signature) == (own.application_uri, "RSA 2048", "SHA-256")
    assert own.name == found.name
    assert own.name.startswith("Tagloom on ")
    assert not found.is_ca
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert len(names.get_values_for_type(x509.UniformResourceIdentifier)) == 1
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature
    assert usage.content_commitment
    assert usage.key_encipherment
    assert usage.data_encipherment
    purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert set(purposes) == {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH}
    assert datetime.fromtimestamp(own.not_after_ns / 1e9, UTC).year == 2031
    certificate.verify_directly_issued_by(certificate)


def test_that_the_key_belongs_to_it_and_openssl_loads_the_file(tmp_path: Path) -> None:
    own = at(tmp_path / "pki")
    signature = own.key.sign(b"text", padding.PKCS1v15(), hashes.SHA256())
    key = x509.load_der_x509_certificate(own.der).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    assert key == own.key.public_key()
    key.verify(signature, b"text", padding.PKCS1v15(), hashes.SHA256())
    ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(own.key_path)


def test_that_a_server_that_judges_as_we_do_would_accept_it(tmp_path: Path) -> None:
    own = at(tmp_path / "pki")
    store = TrustStore(tmp_path / "server")
    store.trust(own.der)
    assert judge(store, [own.der], host="", application_uri=own.application_uri, known=Identity(), now_ns=NOW_NS).problems == ()


def test_that_it_stays_the_same_and_lies_there_to_be_copied(tmp_path: Path) -> None:
    first, second = at(tmp_path), at(tmp_path)
    assert (first.der, first.thumbprint, second.notes) == (second.der, second.thumbprint, ())
    assert second.certificate_path.read_bytes() == first.der
    second.certificate_path.unlink()
    assert at(tmp_path).certificate_path.read_bytes() == first.der
    assert x509.load_pem_x509_certificate(first.pem()) == x509.load_der_x509_certificate(first.der)
    assert b"PRIVATE" not in first.pem()


@POSIX
def test_that_nobody_else_can_read_the_key(tmp_path: Path) -> None:
    mask = os.umask(0)
    try:
        own = at(tmp_path / "pki")
    finally:
        os.umask(mask)
    assert own.key_path.stat().st_mode & 0o777 == 0o600
    assert own.key_path.parent.stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "pki").stat().st_mode & 0o777 == 0o700


@POSIX
@pytest.mark.expect_log(r"WARNING app\.trust\.files: a private key could be read by other users")
def test_that_a_key_that_others_could_read_is_closed_again(tmp_path: Path) -> None:
    path = at(tmp_path).key_path
    path.chmod(0o644)
    at(tmp_path)
    assert path.stat().st_mode & 0o777 == 0o600


def test_that_it_is_renewed_a_month_before_its_end_and_not_earlier(tmp_path: Path) -> None:
    first = at(tmp_path)
    assert at(tmp_path, first.not_after_ns - 31 * DAY_NS).der == first.der
    late = first.not_after_ns - 29 * DAY_NS
    renewed = at(tmp_path, late)
    assert renewed.key.public_key() != first.key.public_key()
    assert renewed.application_uri == first.application_uri
    assert renewed.not_after_ns > first.not_after_ns
    assert "was renewed; servers must trust the new one" in renewed.notes[0]
    assert at(tmp_path, late).thumbprint == renewed.thumbprint
    assert at(tmp_path, late).notes == ()


@pytest.mark.parametrize("how", ["empty", "truncated", "rubbish", "another key", "no key", "key changed"])
@pytest.mark.expect_log(r"WARNING app\.trust\.own: our own certificate was damaged")
def test_that_a_damaged_file_is_kept_aside_told_and_made_anew(tmp_path: Path, how: str) -> None:
    first = at(tmp_path)
    whole = first.key_path.read_bytes()
    damaged = {
        "empty": b"", "truncated": whole[: len(whole) // 2], "rubbish": b"\0" * 4096, "another key": server().key_pem() + first.pem(),
        "no key": first.pem(), "key changed": whole.replace(whole[100:110], b"AAAAAAAAAA"),
    }[how]  # fmt: skip
    first.key_path.write_bytes(damaged)
    second = at(tmp_path)
    assert second.thumbprint != first.thumbprint
    assert "was made anew; servers must trust it again" in second.notes[0]
    aside = tmp_path / "own" / "tagloom.pem.bad-1"
    assert aside.read_bytes() == damaged
    assert str(aside) in second.notes[0]
    assert at(tmp_path).thumbprint == second.thumbprint


def test_that_processes_that_begin_at_once_end_with_one_certificate(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib\nfrom app.trust.store import TrustStore\n"
        "sys.stdin.readline()\nprint(TrustStore(pathlib.Path(sys.argv[1])).own().thumbprint)"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "pki")], env=module_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for _ in range(3)
    ]
    for one in started:
        assert one.stdin is not None
        one.stdin.write(b"\n")
        one.stdin.flush()
    said = {one.communicate(timeout=60)[0].strip().decode() for one in started}
    assert [one.returncode for one in started] == [0, 0, 0]
    assert said == {TrustStore(tmp_path / "pki").own().thumbprint}


@POSIX
def test_that_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UserError, match="The certificate store cannot be used"):
        at(tmp_path / "file" / "pki")


def test_that_what_it_is_made_of_shows_no_key(tmp_path: Path) -> None:
    own = at(tmp_path)
    assert "key" not in repr(own).replace("key_path", "")


@given(st.text(max_size=300))
def test_that_any_host_name_makes_a_legal_urn_and_name(host: str) -> None:
    assert re.fullmatch(r"urn:(?!urn)[a-z0-9][a-z0-9-]{0,30}[a-z0-9]:tagloom", application_uri(host))
    name = common_name(host)
    assert len(name.encode()) <= 64
    x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


@pytest.mark.parametrize(
    ("host", "uri"),
    [
        ("LAPTOP-7", "urn:laptop-7:tagloom"),
        ("pc_line 4.plant.local", "urn:pc-line-4-plant-local:tagloom"),
        ("", "urn:pc:tagloom"),
        ("x", "urn:pc-x:tagloom"),
        ("urn-5", "urn:pc-urn-5:tagloom"),
        ("Ж", "urn:pc:tagloom"),
    ],
)
def test_that_the_application_uri_is_made_of_the_host(host: str, uri: str) -> None:
    assert application_uri(host) == uri
