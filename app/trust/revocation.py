"""Certificate revocation lists (RFC 5280 §5): what a CA no longer stands for."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import Final

from cryptography import x509

from app.errors import UserError
from app.trust import files
from app.trust.facts import clean, oddities_allowed, utc
from app.trust.signatures import list_signed_by

MAX_CRL: Final = 16 * 1024 * 1024
"""Bytes: some hundred thousand entries."""


@dataclass(frozen=True, slots=True)
class RevocationList:
    """A list as it was found; whether it counts is only known beside the certificate of its issuer (``Revocation``).

    Attributes:
        issuer: Text, cleaned.
        next_ns: When the next one is due; None when the list does not say.
        partial: It does not cover all certificates of its issuer: what it names is revoked, but nothing follows from its silence.
    """

    der: bytes = field(repr=False)
    parsed: x509.CertificateRevocationList = field(repr=False)
    issuer: str
    since_ns: int
    next_ns: int | None
    count: int
    partial: bool


@dataclass(frozen=True, slots=True)
class Revocation:
    """What lists say of one certificate: ``revoked`` in words, or why it is not known whether it is in ``doubt``; or both are ""."""

    revoked: str = ""
    doubt: str = ""


def revocation_list(content: bytes) -> RevocationList:
    """From DER or PEM.

    Raises:
        UserError: It is none, or too large.
    """
    if len(content) > MAX_CRL:
        raise _no_list(f"it has more than {MAX_CRL:,} bytes")
    try:
        with oddities_allowed():
            return _parsed(_der(content))
    except UserError:
        raise
    except Exception as error:  # any part is decoded when it is asked for, and fails in its own way
        raise _no_list(f"it cannot be decoded ({clean(type(error).__name__)})") from error


def revocation_of(certificate: x509.Certificate, issuer: x509.Certificate, lists: list[RevocationList], now_ns: int) -> Revocation:
    """Look for a certificate in the lists of its issuer: those of this name that bear the signature of this very issuer."""
    named = [one for one in lists if one.parsed.issuer == issuer.subject]
    own = sorted((one for one in named if list_signed_by(one.parsed, issuer)), key=lambda one: one.since_ns, reverse=True)
    whole = next((one for one in own if not one.partial), None)
    for one in own:
        if (one is whole or one.partial) and (why := _entry(one, certificate)):
            return Revocation(revoked=why)
    if whole is None:
        if named and not own:
            return Revocation(doubt="the revocation list of this name was not signed by this CA, and does not count")
        return Revocation(doubt="no revocation list of this CA is here")
    if whole.since_ns > now_ns:
        return Revocation(doubt=f"its revocation list begins only on {utc(whole.since_ns)}")
    if whole.next_ns is not None and whole.next_ns < now_ns:
        return Revocation(doubt=f"its revocation list is out of date since {utc(whole.next_ns)}")
    return Revocation()


def _parsed(der: bytes) -> RevocationList:
    parsed = x509.load_der_x509_crl(der)
    if _is_indirect(parsed):
        raise _no_list("it is an indirect list, about certificates of several CAs, and such lists are not understood here")
    due = parsed.next_update_utc
    issuer = clean(parsed.issuer.rfc4514_string())
    return RevocationList(
        der, parsed, issuer, _ns(parsed.last_update_utc.timestamp()), None if due is None else _ns(due.timestamp()),
        len(parsed), _is_partial(parsed),
    )  # fmt: skip


def _entry(one: RevocationList, certificate: x509.Certificate) -> str:
    entry = one.parsed.get_revoked_certificate_by_serial_number(certificate.serial_number)
    if entry is None:
        return ""
    when = utc(_ns(entry.revocation_date_utc.timestamp()))
    try:
        reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.value
    except Exception:  # without a reason, or with one that cannot be read, it is revoked all the same
        return f"on {when}"
    return "" if reason == "removeFromCRL" else f"on {when} ({reason})"  # a delta list takes it back so


def _is_indirect(parsed: x509.CertificateRevocationList) -> bool:
    return any(isinstance(one.value, x509.IssuingDistributionPoint) and one.value.indirect_crl for one in parsed.extensions)


def _is_partial(parsed: x509.CertificateRevocationList) -> bool:
    """Delta lists, and lists for some distribution points (RFC 5280 §5.2.4, §5.2.5); also one with what we do not understand."""
    known = (x509.CRLNumber.oid, x509.AuthorityKeyIdentifier.oid)
    return any(one.oid == x509.DeltaCRLIndicator.oid or (one.critical and one.oid not in known) for one in parsed.extensions)


def _der(content: bytes) -> bytes:
    if b"-----BEGIN " not in content:
        return content
    block = next((block for label, block in files.pem_blocks(content) if label == "X509 CRL"), b"")
    try:
        return base64.b64decode(b"".join(line for line in block.splitlines() if not line.startswith(b"-----")), validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error


def _ns(seconds: float) -> int:
    return int(seconds) * 1_000_000_000


def _no_list(why: str) -> UserError:
    fix = "A revocation list is a DER or PEM file, often named .crl; the CA publishes it"
    return UserError("This is no revocation list", where="the file", why=why, fix=fix)
