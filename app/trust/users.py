"""Certificates of people: X.509 user identities (OPC 10000-4 §7.41.5), beside the application certificate.

Each is one PEM file with key and certificates. The key is encrypted with the passphrase it was imported with; without one it is
protected by the permissions of the file only, as that of the application is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from app.errors import UserError
from app.trust import files
from app.trust.facts import MAX_CHAIN, MAX_DER, Facts, facts, parsed, thumbprint_of

MAX_FILE: Final = 16 * MAX_DER
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_RESERVED: Final = re.compile(r"con|prn|aux|nul|(com|lpt)[0-9]", re.IGNORECASE)
"""File names that Windows takes for devices."""
_KEY_LABELS: Final = ("PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "DSA PRIVATE KEY")
_PFX: Final = re.compile(rb"\x30(?:\x80|[\x01-\x7f]|\x81.|\x82..|\x83...|\x84....)\x02\x01\x03", re.DOTALL)
"""How PKCS#12 begins: SEQUENCE, INTEGER 3 (RFC 7292 §4)."""


class PassphraseError(UserError):
    """A key needs a passphrase, or another one than was given."""


@dataclass(frozen=True, slots=True)
class UserCertificate:
    """Certificate and key of a person, decrypted; not for longer than it takes to connect."""

    name: str
    der: bytes = field(repr=False)
    key: rsa.RSAPrivateKey = field(repr=False)
    thumbprint: str


@dataclass(frozen=True, slots=True)
class StoredUser:
    """What is known of a user certificate without its passphrase."""

    name: str
    facts: Facts
    encrypted: bool
    path: Path


def import_user(folder: Path, name: str, content: bytes, passphrase: str, key: bytes) -> StoredUser:
    """See ``TrustStore.import_user``."""
    path = _path(folder, name)
    if path.exists():
        fix = f'Choose another name, or remove it first: tagloom trust remove "user:{name}"'
        raise UserError("The certificate was not imported", where=name, why="there is one of this name already", fix=fix)
    loaded, certificates = _taken_apart(content, passphrase, key, name)
    if not certificates:
        raise _useless(name, "the file holds no certificate", "Give a file with the certificate and its key")
    if loaded is None:
        raise _useless(name, "the file holds no private key", "Give the key too: --key FILE, or a PKCS#12 file (.p12, .pfx)")
    rsa_key = _rsa(loaded, name)
    certificates = _own_first(rsa_key, certificates, name)
    facts(certificates[0].public_bytes(serialization.Encoding.DER))  # fails here rather than when it is used
    encryption = serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else serialization.NoEncryption()
    pem = rsa_key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
    files.write(path, pem + b"".join(one.public_bytes(serialization.Encoding.PEM) for one in certificates), private=True)
    return stored_user(path)


def user_certificate(folder: Path, name: str, passphrase: str) -> UserCertificate:
    """See ``TrustStore.user``."""
    path = _path(folder, name)
    content = files.read(path, MAX_FILE)
    if content is None:
        fix = f'Import it: tagloom trust import-user "{name}" FILE'
        raise UserError("There is no such user certificate", where=name, why="none was imported under this name on this computer", fix=fix)
    files.close_to_others(path)
    loaded, certificates = _taken_apart(content, passphrase, b"", name)
    if loaded is None or not certificates:
        raise _useless(name, f"{path} is damaged", "Remove it and import it again")
    key = _rsa(loaded, name)
    der = _own_first(key, certificates, name)[0].public_bytes(serialization.Encoding.DER)
    return UserCertificate(name, der, key, thumbprint_of(der))


def stored_user(path: Path) -> StoredUser:
    """Raises ``UserError`` when the file is damaged."""
    blocks = files.pem_blocks(files.read(path, MAX_FILE) or b"")
    certificate = next((block for label, block in blocks if label == "CERTIFICATE"), None)
    if certificate is None:
        raise _useless(path.stem, f"{path} is damaged", "Remove it and import it again")
    found = facts(_certificate(certificate, path.stem).public_bytes(serialization.Encoding.DER))
    return StoredUser(path.stem, found, any(_is_encrypted(label, block) for label, block in blocks), path)


def remove_user(folder: Path, name: str) -> None:
    path = _path(folder, name)
    if not path.exists():
        raise UserError("There is no such user certificate", where=name, why="none was imported under this name on this computer")
    files.remove(path)


def _path(folder: Path, name: str) -> Path:
    """Names are compared without case: so do the file systems of Windows and macOS."""
    if not _NAME.fullmatch(name) or _RESERVED.fullmatch(name):
        why = "a name has 1 to 40 of the letters a-z, digits, - and _"
        raise UserError("This cannot be the name of a user certificate", where=name[:60], why=why, fix='For example "operator-1"')
    return folder / f"{name.lower()}.pem"


def _taken_apart(content: bytes, passphrase: str, key: bytes, name: str) -> tuple[object | None, list[x509.Certificate]]:
    """Key and certificates of any form; a key given apart counts before one in the file."""
    loaded: object | None = None
    if _PFX.match(content):
        loaded, certificates = _from_pkcs12(content, passphrase, name)
    elif b"-----BEGIN " in content:
        blocks = files.pem_blocks(content)
        certificates = [_certificate(block, name) for label, block in blocks if label == "CERTIFICATE"][:MAX_CHAIN]
        found = next(((label, block) for label, block in blocks if label in _KEY_LABELS), None)
        loaded = None if found is None or key else _key(found[1], passphrase, name, encrypted=_is_encrypted(*found))
    else:
        certificates = [parsed(content)]
    if key:
        loaded = _key_apart(key, passphrase, name)
    return loaded, certificates


def _from_pkcs12(content: bytes, passphrase: str, name: str) -> tuple[object | None, list[x509.Certificate]]:
    tries = [passphrase.encode()] if passphrase else [None, b""]  # "no passphrase" is written in two ways
    for number, one in enumerate(tries, 1):
        try:
            key, certificate, more = pkcs12.load_key_and_certificates(content, one)
        except ValueError as error:
            if number == len(tries):
                raise _wrong_passphrase(name, given=bool(passphrase)) from error
        except Exception as error:
            raise _useless(name, f"the PKCS#12 file cannot be decoded ({type(error).__name__})", "Export it again") from error
        else:
            return key, [one for one in (certificate, *more) if one is not None][:MAX_CHAIN]
    raise AssertionError("the last try returns or raises")


def _key_apart(key: bytes, passphrase: str, name: str) -> object:
    if b"-----BEGIN " not in key:
        return _key(key, passphrase, name, encrypted=_looks_encrypted(key))
    found = next(((label, block) for label, block in files.pem_blocks(key) if label in _KEY_LABELS), None)
    if found is None:
        raise _useless(name, "the file of the key holds none", "Give the file of the private key")
    return _key(found[1], passphrase, name, encrypted=_is_encrypted(*found))


def _key(content: bytes, passphrase: str, name: str, *, encrypted: bool) -> object:
    load = serialization.load_pem_private_key if b"-----BEGIN " in content else serialization.load_der_private_key
    if encrypted and not passphrase:
        raise _wrong_passphrase(name, given=False)
    try:
        return load(content, passphrase.encode() if encrypted else None)
    except Exception as error:
        if encrypted:
            raise _wrong_passphrase(name, given=True) from error
        raise _useless(name, f"the private key cannot be decoded ({type(error).__name__})", "Export it again, as PEM or PKCS#12") from error


def _is_encrypted(label: str, block: bytes) -> bool:
    return label == "ENCRYPTED PRIVATE KEY" or (label in _KEY_LABELS and b"Proc-Type: 4,ENCRYPTED" in block)


def _looks_encrypted(der: bytes) -> bool:
    """Of a key in DER, only EncryptedPrivateKeyInfo begins with two SEQUENCEs (RFC 5208 §6); all others with a version number."""
    return re.match(rb"\x30(?:[\x00-\x7f]|\x81.|\x82..|\x83...)\x30", der, re.DOTALL) is not None


def _certificate(pem: bytes, name: str) -> x509.Certificate:
    try:
        der = x509.load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.DER)
    except Exception as error:
        raise _useless(name, f"its certificate cannot be decoded ({type(error).__name__})", "Export it again") from error
    return parsed(der)


def _rsa(key: object, name: str) -> rsa.RSAPrivateKey:
    if not isinstance(key, rsa.RSAPrivateKey):
        raise _useless(
            name, "its key is no RSA key, and the security policies of OPC UA that are used here take RSA only", "Use an RSA key"
        )
    return key


def _own_first(key: rsa.RSAPrivateKey, certificates: list[x509.Certificate], name: str) -> list[x509.Certificate]:
    public = key.public_key()
    own = [one for one in certificates if _has(one, public)]
    if not own:
        raise _useless(name, "the private key does not belong to the certificate", "Give the two files that were made together")
    return [own[0], *(one for one in certificates if one is not own[0])]


def _has(certificate: x509.Certificate, public: rsa.RSAPublicKey) -> bool:
    try:
        return certificate.public_key() == public
    except Exception:  # a kind of key that is not known is another key
        return False


def _wrong_passphrase(name: str, *, given: bool) -> PassphraseError:
    why = "the passphrase is wrong, or the file is damaged" if given else "its private key is encrypted, and no passphrase was given"
    return PassphraseError("The user certificate cannot be used", where=name, why=why, fix="Enter the passphrase of its private key")


def _useless(name: str, why: str, fix: str) -> UserError:
    return UserError("The user certificate cannot be used", where=name, why=why, fix=fix)
