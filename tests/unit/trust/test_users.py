"""Certificates of people, in every form they come in; passphrases."""

import os
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import pkcs12

from app.errors import UserError
from app.trust.store import PassphraseError, TrustStore
from tests.certificates import CLIENT, Made, authority, ec_key, rsa_key, server

WORD = "canary-horse-staple"
CA = authority()
PERSON: Made = server("operator 1", uri="", hosts=(), purposes=CLIENT, key=rsa_key("person"), issuer=CA)


def der_key(made: Made, passphrase: bytes = b"") -> bytes:
    encryption = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return made.key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, encryption)


def old_pem_key(passphrase: bytes = b"") -> bytes:
    """``BEGIN RSA PRIVATE KEY``, as OpenSSL wrote it for long."""
    encryption = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return PERSON.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, encryption)


def p12(passphrase: bytes = b"") -> bytes:
    encryption = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    key = PERSON.key
    return pkcs12.serialize_key_and_certificates(b"op", key, PERSON.certificate, [CA.certificate], encryption)


OPEN = {
    "pem": (PERSON.key_pem() + PERSON.pem, b""),
    "pem, certificate first, with its ca": (CA.pem + PERSON.pem + PERSON.key_pem(), b""),
    "old pem": (old_pem_key() + PERSON.pem, b""),
    "pem and key apart": (PERSON.pem, PERSON.key_pem()),
    "der and key apart": (PERSON.der, der_key(PERSON)),
    "der and pem key": (PERSON.der, PERSON.key_pem()),
    "p12": (p12(), b""),
}
CLOSED = {
    "pem": (PERSON.key_pem(WORD.encode()) + PERSON.pem, b""),
    "old pem": (old_pem_key(WORD.encode()) + PERSON.pem, b""),
    "der and key apart": (PERSON.der, der_key(PERSON, WORD.encode())),
    "pem and pem key": (PERSON.pem, PERSON.key_pem(WORD.encode())),
    "p12": (p12(WORD.encode()), b""),
}


@pytest.mark.parametrize("form", OPEN)
def test_that_a_user_is_imported_from_every_form(store: TrustStore, form: str) -> None:
    content, key = OPEN[form]
    kept = store.import_user("operator-1", content, key=key)
    assert (kept.name, kept.facts.name, kept.encrypted) == ("operator-1", "operator 1", False)
    user = store.user("operator-1")
    assert (user.name, user.der, user.thumbprint) == ("operator-1", PERSON.der, kept.facts.thumbprint)
    public = x509.load_der_x509_certificate(user.der).public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    public.verify(user.key.sign(b"nonce", padding.PKCS1v15(), SHA256()), b"nonce", padding.PKCS1v15(), SHA256())


@pytest.mark.parametrize("form", CLOSED)
def test_that_an_encrypted_key_needs_its_passphrase_and_stays_encrypted(store: TrustStore, form: str) -> None:
    content, key = CLOSED[form]
    for wrong, why in (("", "encrypted, and no passphrase was given"), ("another", "the passphrase is wrong")):
        with pytest.raises(PassphraseError) as error:
            store.import_user("op", content, wrong, key=key)
        assert why in error.value.why
    assert store.users() == []
    assert store.import_user("op", content, WORD, key=key).encrypted
    for wrong in ("", "another"):
        with pytest.raises(PassphraseError):
            store.user("op", wrong)
    assert store.user("op", WORD).der == PERSON.der
    assert b"ENCRYPTED" in (store.folder / "users" / "op.pem").read_bytes()


def test_that_a_passphrase_given_for_an_open_key_encrypts_it(store: TrustStore) -> None:
    assert store.import_user("op", *OPEN["pem"][:1], WORD).encrypted
    assert store.user("op", WORD).der == PERSON.der
    with pytest.raises(PassphraseError):
        store.user("op")


def test_that_an_open_key_takes_any_passphrase(store: TrustStore) -> None:
    store.import_user("op", OPEN["pem"][0])
    assert store.user("op", WORD).der == PERSON.der


@pytest.mark.parametrize(
    ("content", "key", "why"),
    [
        (PERSON.pem, b"", "the file holds no private key"),
        (PERSON.der, b"", "the file holds no private key"),
        (PERSON.key_pem(), b"", "the file holds no certificate"),
        (CA.pem + PERSON.key_pem(), b"", "the private key does not belong to the certificate"),
        (PERSON.der, der_key(CA), "the private key does not belong to the certificate"),
        (PERSON.der, b"rubbish", "the private key cannot be decoded"),
        (PERSON.der, PERSON.pem, "the file of the key holds none"),
        (server(key=ec_key()).pem + server(key=ec_key()).key_pem(), b"", "its key is no RSA key"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" + PERSON.key_pem(), b"", "its certificate cannot be decoded"),
    ],
)
def test_that_what_does_not_fit_is_told(store: TrustStore, content: bytes, key: bytes, why: str) -> None:
    with pytest.raises(UserError) as error:
        store.import_user("op", content, key=key)
    assert why in error.value.why
    assert error.value.fix
    assert store.users() == []


OTHER_FILES = [b"", b"rubbish", b"\x30\x03\x02\x01\x03", b"-----BEGIN X-----", b"\0" * 1000, p12()[:-9], p12()[:60]]


@pytest.mark.parametrize("content", OTHER_FILES, ids=range(len(OTHER_FILES)))
def test_that_any_other_file_is_a_user_error(store: TrustStore, content: bytes) -> None:
    for passphrase in ("", WORD):
        with pytest.raises(UserError):
            store.import_user("op", content, passphrase)


@pytest.mark.parametrize("name", ["", "a b", "../own/tagloom", "a/b", ".x", "nul", "COM1", "x" * 41, "é"])
def test_that_a_name_is_safe_as_that_of_a_file(store: TrustStore, name: str) -> None:
    for call in (lambda: store.import_user(name, OPEN["pem"][0]), lambda: store.user(name), lambda: store.remove_user(name)):
        with pytest.raises(UserError, match="This cannot be the name"):
            call()


def test_that_one_user_never_replaces_another(store: TrustStore) -> None:
    store.import_user("op", OPEN["pem"][0])
    with pytest.raises(UserError, match="there is one of this name already"):
        store.import_user("OP", OPEN["pem"][0])
    store.remove_user("op")
    assert store.users() == []
    with pytest.raises(UserError, match="none was imported under this name"):
        store.user("op")
    with pytest.raises(UserError, match="none was imported under this name"):
        store.remove_user("op")


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_that_nobody_else_can_read_the_key_of_a_user(store: TrustStore) -> None:
    path = store.import_user("op", OPEN["pem"][0]).path
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.expect_log(r"WARNING app\.trust\.store: a file of the certificate store is left out: .*op\.pem")
def test_that_a_damaged_user_is_left_out_and_told_when_used(store: TrustStore) -> None:
    path = store.import_user("op", OPEN["pem"][0]).path
    path.write_bytes(b"rubbish -----BEGIN ")
    assert store.users() == []
    with pytest.raises(UserError, match="is damaged"):
        store.user("op")


def test_that_no_passphrase_and_no_key_is_in_any_text(store: TrustStore, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    said: list[str] = []
    for given in (WORD + "x", WORD):
        try:
            said.append(repr(store.import_user("op", CLOSED["p12"][0], given)))
        except UserError as error:
            said += [repr(error), str(error), repr(error.__cause__), str(vars(error))]
    said += [repr(store.user("op", WORD)), repr(store), caplog.text]
    assert WORD not in "".join(said)
    assert "PRIVATE" not in "".join(said)
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and WORD.encode() in path.read_bytes()]
