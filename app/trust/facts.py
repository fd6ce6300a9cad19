"""What a certificate says. Bytes come from unknown peers: their size is bounded, and nothing but ``UserError`` is raised."""

from __future__ import annotations

import contextlib
import hashlib
import ipaddress
import threading
import unicodedata
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.x509.oid import NameOID

from app.errors import UserError

MAX_DER: Final = 64 * 1024
"""Bytes. Real certificates have 1 to 3 KiB."""
MAX_CHAIN: Final = 10
_MAX_TEXT: Final = 300
_MAX_NAMES: Final = 100
_FOREVER: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
"""RFC 5280 §4.1.2.5: this end means that there is none."""

_QUIET = threading.RLock()

Extension = TypeVar("Extension", bound=x509.ExtensionType)


@dataclass(frozen=True, slots=True)
class Facts:
    """Texts are cleaned of control characters and cut, so that they can be shown; never show them as rich text.

    Attributes:
        subject, issuer: RFC 4514 text.
        name: What people call it: the common name, or else the subject.
        thumbprint: SHA-1 of the DER, 40 upper-case hex digits (OPC 10000-4 §7.2). A name, not a proof: compare the DER.
        sha256: As ``thumbprint``, 64 digits.
        application_uri: First URI of the subject alternative names (OPC 10000-6 §6.2.2), "" without.
        hosts: DNS names and IP addresses of the subject alternative names.
        key: ``RSA 2048``, ``EC secp256r1``.
        signature: Hash of the issuer's signature: ``SHA-256``; ``none`` for Ed25519 and Ed448, which have none of their own.
        self_signed: Subject and issuer are one; whether the signature holds is for ``judge``.
        is_ca: Says that it may issue certificates (basicConstraints).
        authority: Is meant to issue them: a CA that is not the certificate of an application. Many servers set ``is_ca`` in
            their own certificate; to trust such a server is not to trust what it issues.
        flaw: Why its extensions cannot be read; "" when they can.
    """

    subject: str
    issuer: str
    name: str
    serial: str
    thumbprint: str
    sha256: str
    not_before_ns: int
    not_after_ns: int
    application_uri: str
    hosts: tuple[str, ...]
    key: str
    key_bits: int
    signature: str
    self_signed: bool
    is_ca: bool
    authority: bool
    flaw: str = ""


def facts(der: bytes) -> Facts:
    """Raises ``UserError`` when the bytes are no certificate, or larger than ``MAX_DER``."""
    certificate = parsed(der)
    try:
        with oddities_allowed():
            return _facts(der, certificate)
    except Exception as error:  # any part of a certificate is decoded when it is asked for, and fails in its own way
        raise _no_certificate(der, f"a part of it cannot be read ({_short(error)})") from error


def parsed(der: bytes) -> x509.Certificate:
    """As ``facts``; names, key and extensions of the result may still be unreadable."""
    if not der:
        raise _no_certificate(der, "it is empty")
    if len(der) > MAX_DER:
        raise _no_certificate(der, f"it has {len(der):,} bytes, and no certificate has more than {MAX_DER:,}")
    try:
        with oddities_allowed():
            return x509.load_der_x509_certificate(der)
    except Exception as error:
        raise _no_certificate(der, f"it cannot be decoded ({_short(error)})") from error


@contextlib.contextmanager
def oddities_allowed() -> Iterator[None]:
    """``cryptography`` warns of what many devices have: a country of more than two letters, a serial number of 0. Here that is no fault."""
    with _QUIET, warnings.catch_warnings():  # the filters of warnings are those of all threads
        warnings.simplefilter("ignore")
        yield


def unreadable(der: bytes) -> Facts:
    """Stands in for the facts of bytes that are no certificate: everything but the hashes is empty."""
    return Facts("", "", "no certificate", "", thumbprint_of(der), sha256_of(der), 0, 0, "", (), "", 0, "", False, False, False)


def thumbprint_of(der: bytes) -> str:
    return hashlib.sha1(der, usedforsecurity=False).hexdigest().upper()


def sha256_of(der: bytes) -> str:
    return hashlib.sha256(der).hexdigest().upper()


def split_chain(content: bytes) -> tuple[bytes, ...]:
    """Certificates that stand one behind the other in DER (OPC 10000-6 §6.2.6), the first is the server's own.

    What cannot be split is one piece; ``facts`` and ``judge`` say what is wrong with it.
    """
    pieces: list[bytes] = []
    rest = content
    while rest and len(pieces) < MAX_CHAIN:
        length = _der_length(rest)
        if length is None or length > len(rest):
            break
        pieces.append(rest[:length])
        rest = rest[length:]
    return tuple(pieces) or ((content,) if content else ())


def utc(time_ns: int) -> str:
    """``2026-11-22 14:02 UTC``."""
    if time_ns >= int(_FOREVER.timestamp()) * 1_000_000_000:
        return "for ever"
    return f"{datetime.fromtimestamp(time_ns // 1_000_000_000, UTC):%Y-%m-%d %H:%M} UTC"


def spaced(thumbprint: str) -> str:
    """In groups of four, to be compared by eye."""
    return " ".join(thumbprint[start : start + 4] for start in range(0, len(thumbprint), 4))


def clean(text: str) -> str:
    """One line without characters that would move a cursor or turn the direction of writing, cut at a length to be shown."""
    shown = "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(one) in ("Cc", "Cf", "Cs", "Zl", "Zp") else one for one in text)
    return shown if len(shown) <= _MAX_TEXT else f"{shown[: _MAX_TEXT - 1]}…"


def extension(certificate: x509.Certificate, kind: type[Extension]) -> Extension | None:
    """Raises what ``cryptography`` raises when *any* extension is malformed; see ``Facts.flaw``."""
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def hosts_of(names: x509.SubjectAlternativeName) -> Iterator[str]:
    yield from names.get_values_for_type(x509.DNSName)
    for address in names.get_values_for_type(x509.IPAddress):
        if isinstance(address, ipaddress.IPv4Address | ipaddress.IPv6Address):
            yield str(address)


def _facts(der: bytes, certificate: x509.Certificate) -> Facts:
    subject, issuer = certificate.subject, certificate.issuer
    common = [str(part.value) for part in subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    key, bits = _key(certificate)
    uri, hosts, is_ca, authority, flaw = _extensions(certificate)
    text = clean(subject.rfc4514_string())
    return Facts(
        subject=text,
        issuer=clean(issuer.rfc4514_string()),
        name=clean(common[0]) if common and common[0].strip() else text or "a certificate without a name",
        serial=f"{certificate.serial_number:X}",
        thumbprint=thumbprint_of(der),
        sha256=sha256_of(der),
        not_before_ns=_ns(certificate.not_valid_before_utc),
        not_after_ns=_ns(certificate.not_valid_after_utc),
        application_uri=uri,
        hosts=hosts,
        key=key,
        key_bits=bits,
        signature=signature_hash(certificate),
        self_signed=subject == issuer,
        is_ca=is_ca,
        authority=authority,
        flaw=flaw,
    )


def signature_hash(certificate: x509.Certificate) -> str:
    try:
        algorithm = certificate.signature_hash_algorithm
    except Exception:  # an algorithm that is not known; its number says more than nothing
        return f"unknown ({certificate.signature_algorithm_oid.dotted_string})"
    if algorithm is None:
        return "none"
    name = algorithm.name.upper()
    return name if name.startswith("SHA3") else name.replace("SHA", "SHA-", 1)


def _extensions(certificate: x509.Certificate) -> tuple[str, tuple[str, ...], bool, bool, str]:
    try:
        names = extension(certificate, x509.SubjectAlternativeName)
        uris = names.get_values_for_type(x509.UniformResourceIdentifier) if names is not None else []
        hosts = tuple(clean(host) for host in hosts_of(names)) if names is not None else ()
        constraints = extension(certificate, x509.BasicConstraints)
        purposes = extension(certificate, x509.ExtendedKeyUsage)
    except Exception as error:
        return "", (), False, False, f"its extensions cannot be read ({_short(error)})"
    is_ca = constraints is not None and constraints.ca
    return clean(uris[0]) if uris else "", hosts[:_MAX_NAMES], is_ca, is_ca and not uris and purposes is None, ""


def _key(certificate: x509.Certificate) -> tuple[str, int]:
    try:
        key = certificate.public_key()
    except Exception:
        return f"unknown ({certificate.public_key_algorithm_oid.dotted_string})", 0
    match key:
        case rsa.RSAPublicKey():
            return f"RSA {key.key_size}", key.key_size
        case ec.EllipticCurvePublicKey():
            return f"EC {key.curve.name}", key.key_size
        case ed25519.Ed25519PublicKey():
            return "Ed25519", 256
        case ed448.Ed448PublicKey():
            return "Ed448", 456
        case dsa.DSAPublicKey():
            return f"DSA {key.key_size}", key.key_size
        case _:
            return f"unknown ({certificate.public_key_algorithm_oid.dotted_string})", 0


def _ns(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000_000


def _der_length(content: bytes) -> int | None:
    """Of the SEQUENCE at the beginning, its own head included."""
    if len(content) < 2 or content[0] != 0x30:
        return None
    if content[1] < 0x80:
        return 2 + content[1]
    size = content[1] & 0x7F
    if not 1 <= size <= 4 or len(content) < 2 + size:
        return None
    return 2 + size + int.from_bytes(content[2 : 2 + size], "big")


def _short(error: Exception) -> str:
    return clean(f"{type(error).__name__}: {error}")[:120]


def _no_certificate(der: bytes, why: str) -> UserError:
    where = f"{len(der):,} bytes that begin with {der[:8].hex(' ')}" if der else "nothing"
    return UserError(
        "This is no certificate", where=where, why=why, fix="A certificate is a DER or PEM file, often named .der, .crt, .cer or .pem"
    )
