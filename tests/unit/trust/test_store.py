"""What people decided, as files that several processes share."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.errors import UserError
from app.processes import module_environment
from app.trust.facts import thumbprint_of
from app.trust.store import TrustStore, certificate_der
from tests.certificates import NOW_NS, authority, revocations, rsa_key, server

ONE, TWO = server(), server("PLC8", uri="urn:plc8:server", hosts=("plc8", "10.0.4.21"), key=rsa_key("plc8"))


def names(store: TrustStore) -> tuple[list[str], list[str], list[str]]:
    return tuple([one.facts.name for one in many] for many in (store.trusted(), store.refused(), store.issuers()))  # type: ignore[return-value]  # three


def test_that_a_store_that_is_not_there_is_empty_and_makes_no_file(tmp_path: Path) -> None:
    empty = TrustStore(tmp_path / "pki")
    assert (names(empty), empty.users(), empty.crls()) == (([], [], []), [], [])
    assert not (tmp_path / "pki").exists()


def test_that_a_decision_is_seen_by_every_other_store_at_once(store: TrustStore) -> None:
    other = TrustStore(store.folder)
    known = store.trust(ONE.der, accepting=["expired", "wrong host:10.0.4.20", "expired", "untrusted"])
    assert other.trusted() == [known]
    assert (known.kind, known.der, known.since_ns, known.accepting) == ("trusted", ONE.der, NOW_NS, ("expired", "wrong host:10.0.4.20"))
    assert known.path == store.folder / "trusted" / f"{known.thumbprint}.der"
    other.remove(known.thumbprint)
    assert store.trusted() == []
    assert list((store.folder / "trusted").iterdir()) == []


def test_that_trusting_again_keeps_what_was_accepted_and_when(store: TrustStore) -> None:
    store.trust(ONE.der, accepting=["expired"])
    later = TrustStore(store.folder, now_ns=lambda: NOW_NS + 1)
    again = later.trust(ONE.der, accepting=["wrong host:x"])
    assert (again.since_ns, again.accepting) == (NOW_NS, ("expired", "wrong host:x"))


def test_that_who_is_refused_must_be_forgotten_before_being_trusted(store: TrustStore) -> None:
    store.trust(ONE.der)
    store.refuse(ONE.der)
    assert names(store) == ([], ["PLC7"], [])
    with pytest.raises(UserError, match="it was refused here on 2026-11-22 12:00 UTC"):
        store.trust(ONE.der)
    store.remove(thumbprint_of(ONE.der))
    store.trust(ONE.der)
    assert names(store) == (["PLC7"], [], [])


@pytest.mark.parametrize("code", ["refused", "bad signature", "revoked", "not a certificate", "bad signature:x"])
def test_that_nobody_can_accept_the_gravest(store: TrustStore, code: str) -> None:
    with pytest.raises(UserError, match="nobody may overrule that"):
        store.trust(ONE.der, accepting=[code])
    assert store.trusted() == []


def test_that_only_problems_that_there_are_can_be_accepted(store: TrustStore) -> None:
    with pytest.raises(UserError, match='there is no problem called "everything"') as error:
        store.trust(ONE.der, accepting=["everything"])
    assert "wrong host" in error.value.fix


def test_that_only_certificates_are_kept(store: TrustStore) -> None:
    for keep in (store.trust, store.refuse, store.add_issuer):
        with pytest.raises(UserError, match="This is no certificate"):
            keep(b"rubbish")
    with pytest.raises(UserError, match="This is no certificate of a CA"):
        store.add_issuer(ONE.der)
    for content in (b"rubbish", b"", ONE.der, ONE.pem, b"-----BEGIN X509 CRL-----\n%%\n-----END X509 CRL-----\n"):
        with pytest.raises(UserError, match="This is no revocation list"):
            store.add_crl(content)
    assert not [path for path in store.folder.rglob("*") if path.is_file() and path.name != ".lock"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (thumbprint_of(ONE.der)[:6].lower(), "PLC7"),
        (" ".join(thumbprint_of(TWO.der)[at : at + 4] for at in range(0, 12, 4)), "PLC8"),
        (":".join(thumbprint_of(TWO.der)[at : at + 2] for at in range(0, 40, 2)), "PLC8"),
        ("plc8", "PLC8"),
        ("urn:plc7", "PLC7"),
        ("10.0.4.21", "PLC8"),
        ("plant ca", "Plant CA"),
    ],
    ids=("beginning", "in groups", "with colons", "host", "uri", "address", "authority"),  # thumbprints are others in each run
)
def test_that_a_certificate_is_found_by_what_people_know_of_it(store: TrustStore, text: str, name: str) -> None:
    store.trust(ONE.der)
    store.refuse(TWO.der)
    store.add_issuer(server("Plant CA", ca=True, uri="", hosts=(), key=rsa_key("Plant CA")).der)
    assert store.find(text).facts.name == name


@pytest.mark.parametrize("text", ["", "  ", "nobody", "abc", "00" * 20])
def test_that_what_nobody_is_called_is_not_found(store: TrustStore, text: str) -> None:
    store.trust(ONE.der)
    with pytest.raises(UserError, match="No such certificate"):
        store.find(text)
    with pytest.raises(UserError, match="no certificate of this thumbprint"):
        store.remove(text)


def test_that_several_that_fit_are_named(store: TrustStore) -> None:
    store.trust(ONE.der)
    store.trust(TWO.der)
    with pytest.raises(UserError, match="Which certificate") as error:
        store.find("server")
    assert "PLC7" in error.value.why
    assert "PLC8" in error.value.why


def test_that_files_a_person_puts_there_count(store: TrustStore) -> None:
    ca = authority()
    for folder, name, content in (
        ("trusted", "filler.crt", ONE.pem),
        ("refused", "old one.cer", TWO.der),
        ("issuers", "ca.PEM", ca.pem),
        ("trusted", "notes.txt", b"x"),
        ("trusted", ".hidden.der", b"x"),
    ):
        (store.folder / folder).mkdir(parents=True, exist_ok=True)
        (store.folder / folder / name).write_bytes(content)
    assert names(store) == (["PLC7"], ["PLC8"], ["Plant CA"])
    assert store.trusted()[0].accepting == ()
    assert store.trusted()[0].since_ns == (store.folder / "trusted" / "filler.crt").stat().st_mtime_ns
    store.remove(thumbprint_of(ONE.der))
    assert not (store.folder / "trusted" / "filler.crt").exists()


@pytest.mark.expect_log(
    r"left out: .*bad\.der: it cannot be decoded", r"left out: .*big\.der: it has more than", r"left out: .*crl.bad\.crl"
)
def test_that_what_is_no_certificate_is_left_out_and_logged_once(store: TrustStore, caplog: pytest.LogCaptureFixture) -> None:
    store.trust(ONE.der)
    (store.folder / "trusted" / "bad.der").write_bytes(b"rubbish")
    (store.folder / "trusted" / "big.der").write_bytes(b"\x30" * 500_000)
    (store.folder / "crl").mkdir()
    (store.folder / "crl" / "bad.crl").write_bytes(b"rubbish")
    for _ in range(3):
        assert names(store) == (["PLC7"], [], [])
        assert store.crls() == []
    assert len(caplog.records) == 3


@pytest.mark.expect_log(r"left out: .*\.json")
@pytest.mark.parametrize("record", ["", "{", '{"accepting":5}', "[]", '{"since_ns":"x"}', "\xff"])
def test_that_a_damaged_record_accepts_nothing(store: TrustStore, record: str) -> None:
    known = store.trust(ONE.der, accepting=["expired"])
    known.path.with_suffix(".json").write_bytes(record.encode("latin-1"))
    assert [one.accepting for one in store.trusted()] == [()]


def test_that_a_record_beside_no_certificate_is_nothing(store: TrustStore) -> None:
    known = store.trust(ONE.der, accepting=["expired"])
    known.path.unlink()  # as after a kill between the two
    assert store.trusted() == []
    assert json.loads(known.path.with_suffix(".json").read_bytes())["accepting"] == ["expired"]
    assert store.trust(ONE.der).accepting == ()


def test_that_revocation_lists_come_as_der_and_pem(store: TrustStore) -> None:
    made = revocations(authority(), 1, 2, 3)
    found = store.add_crl(b"-----BEGIN X509 CRL-----\n" + base64.encodebytes(made) + b"-----END X509 CRL-----\n")
    assert (found.der, found.issuer, found.count) == (made, "CN=Plant CA", 3)
    assert [one.der for one in store.crls()] == [made]


def test_that_pem_is_taken_with_text_around_it() -> None:
    assert certificate_der(b"Bag Attributes\n  x: y\n" + ONE.pem + TWO.pem) == ONE.der
    for content in (b"-----BEGIN CERTIFICATE-----", b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----", TWO.key_pem()):
        with pytest.raises(UserError, match="This is no certificate"):
            certificate_der(content)


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="permissions of POSIX; root may write anywhere")
def test_that_a_store_that_cannot_be_written_is_told(store: TrustStore) -> None:
    store.folder.mkdir()
    store.folder.chmod(0o500)
    with pytest.raises(UserError, match="certificate store"):
        store.trust(ONE.der)
    store.folder.chmod(0o700)


def test_that_a_file_where_a_folder_should_be_is_told(store: TrustStore) -> None:
    store.folder.mkdir()
    (store.folder / "trusted").write_bytes(b"")
    with pytest.raises(UserError):
        store.trust(ONE.der)


TRUST_ONCE = """
import sys
from pathlib import Path
from app.trust.store import TrustStore
store = TrustStore(Path(sys.argv[1]))
store.trust(sys.stdin.buffer.read(), accepting=["expired"], once=True)
assert [one.once for one in store.trusted()] == [True]
"""


def test_that_what_is_trusted_once_ends_with_the_program_that_was_told_so(store: TrustStore) -> None:
    command = [sys.executable, "-c", TRUST_ONCE, str(store.folder)]
    subprocess.run(command, input=ONE.der, env=module_environment(), check=True, timeout=60)
    assert store.trusted() == []
    store.trust(ONE.der, once=True)
    (here,) = store.trusted()
    assert (here.once, here.accepting) == (True, ())


def test_that_trusting_once_takes_nothing_from_what_is_trusted_for_good(store: TrustStore) -> None:
    store.trust(ONE.der)
    store.trust(ONE.der, once=True)
    assert [one.once for one in store.trusted()] == [False]
    store.remove(thumbprint_of(ONE.der))
    store.trust(ONE.der, once=True)
    store.trust(ONE.der)
    assert [one.once for one in store.trusted()] == [False]
