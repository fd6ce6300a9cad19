"""From a certificate up to the authority that stands behind it (RFC 5280 §6.1). Every link is a signature that was checked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from app.errors import UserError
from app.trust.facts import MAX_CHAIN, Facts, extension, facts, parsed
from app.trust.signatures import signed_by

End = Literal["root", "trusted", "missing", "bad", "unchecked", "too long"]
"""How a path ends at the top: a self-signed certificate; an authority trusted here; the issuer is not at hand; nobody of the
issuer's name signed it; its signature is of a kind that cannot be checked; more links than any real chain has."""

_UNDERSTOOD = frozenset({
    ExtensionOID.BASIC_CONSTRAINTS, ExtensionOID.KEY_USAGE, ExtensionOID.EXTENDED_KEY_USAGE, ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
    ExtensionOID.SUBJECT_KEY_IDENTIFIER, ExtensionOID.AUTHORITY_KEY_IDENTIFIER, ExtensionOID.CRL_DISTRIBUTION_POINTS,
    ExtensionOID.CERTIFICATE_POLICIES,
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Link:
    """One certificate of a path."""

    der: bytes
    certificate: x509.Certificate
    facts: Facts


@dataclass(frozen=True, slots=True)
class Path:
    """``links``: the server's own first, each signed by the next. ``end``: of the last one."""

    links: tuple[Link, ...]
    end: End


def link(der: bytes) -> Link:
    """Raises ``UserError`` when the bytes are no certificate."""
    return Link(der, parsed(der), facts(der))


def links(many: Iterable[bytes]) -> list[Link]:
    """Those that are certificates; any other piece of a peer's chain can complete nothing."""
    found: list[Link] = []
    for der in many:
        try:
            found.append(link(der))
        except UserError:
            continue
    return found


def path_from(leaf: Link, candidates: Sequence[Link], authorities: frozenset[bytes]) -> Path:
    """The way up from ``leaf``.

    Args:
        candidates: What may have issued it, in any order.
        authorities: DER of those trusted here: the path ends at the first of them.
    """
    path = [leaf]
    while len(path) <= MAX_CHAIN:
        top = path[-1]
        if len(path) > 1 and top.der in authorities:
            return Path(tuple(path), "trusted")
        if top.facts.self_signed and signed_by(top.certificate, top.certificate) == "yes":
            return Path(tuple(path), "root")
        issuer, end = _issuer(top, [one for one in candidates if one.der not in {known.der for known in path}], authorities)
        if issuer is None:
            return Path(tuple(path), end)
        path.append(issuer)
    return Path(tuple(path), "too long")


def _issuer(top: Link, candidates: Sequence[Link], authorities: frozenset[bytes]) -> tuple[Link | None, End]:
    named = [one for one in candidates if one.certificate.subject == top.certificate.issuer and _keys_fit(top, one)]
    signed = {one.der: signed_by(top.certificate, one.certificate) for one in named}
    found = [one for one in named if signed[one.der] == "yes"]
    if found:
        return max(found, key=lambda one: (one.der in authorities, one.facts.is_ca, one.facts.not_after_ns)), "missing"
    if top.facts.self_signed:  # and so its own key has not signed it either
        return None, "unchecked" if signed_by(top.certificate, top.certificate) == "cannot be checked" else "bad"
    if "no" in signed.values():
        return None, "bad"
    return None, "unchecked" if signed else "missing"


def _keys_fit(below: Link, above: Link) -> bool:
    """Whether the key identifiers allow it: a CA that renewed its key keeps its name (RFC 5280 §4.2.1.1)."""
    try:
        wanted = extension(below.certificate, x509.AuthorityKeyIdentifier)
        has = extension(above.certificate, x509.SubjectKeyIdentifier)
    except Exception:  # without readable extensions the signature alone decides
        return True
    return wanted is None or wanted.key_identifier is None or has is None or wanted.key_identifier == has.digest


def why_no_issuer(one: Link, below: int) -> str:
    """Why a certificate may not have issued the one under it; "" when it may.

    Args:
        below: Number of certificates of CAs between it and the server's own.
    """
    try:
        constraints = extension(one.certificate, x509.BasicConstraints)
        usage = extension(one.certificate, x509.KeyUsage)
        purposes = extension(one.certificate, x509.ExtendedKeyUsage)
        strange = _strange(one.certificate)
    except Exception:  # said in the words of `Facts.flaw`
        return one.facts.flaw or "its extensions cannot be read"
    if constraints is None or not constraints.ca:
        return "it is not that of a CA (basicConstraints)"
    if constraints.path_length is not None and below > constraints.path_length:
        return f"it allows {constraints.path_length} more CAs below it, and here are {below} (pathLenConstraint)"
    if usage is not None and not usage.key_cert_sign:
        return "its key may not sign certificates (keyUsage without keyCertSign)"
    if purposes is not None and not _for_servers(purposes):
        return "it may not be used for servers (extendedKeyUsage without serverAuth)"
    return f"it sets conditions that are not understood here ({strange})" if strange else ""


def why_no_server(one: Link, *, opc_ua: bool) -> str:
    """Why a certificate may not be that of a server; "" when it may (OPC 10000-6 §6.2.2; RFC 5280 §4.2.1.3, §4.2.1.12)."""
    if one.facts.flaw:
        return f"{one.facts.flaw}, so what it may be used for is not known"
    usage = extension(one.certificate, x509.KeyUsage)
    purposes = extension(one.certificate, x509.ExtendedKeyUsage)
    strange = _strange(one.certificate)
    if purposes is not None and not _for_servers(purposes):
        return "it was not made for servers (extendedKeyUsage without serverAuth)"
    if usage is not None and opc_ua and not usage.digital_signature:
        return "its key may not sign messages (keyUsage without digitalSignature)"
    encrypts = usage is None or usage.key_encipherment or usage.data_encipherment
    if opc_ua and not encrypts:
        return "its key may not encrypt (keyUsage without keyEncipherment and dataEncipherment)"
    if usage is not None and not (usage.digital_signature or usage.key_encipherment or usage.key_agreement):
        return "its key may not be used for connections (keyUsage)"
    return f"it sets conditions that are not understood here ({strange})" if strange else ""


def _for_servers(purposes: x509.ExtendedKeyUsage) -> bool:
    return ExtendedKeyUsageOID.SERVER_AUTH in purposes or ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in purposes


def _strange(certificate: x509.Certificate) -> str:
    """Critical extensions that nothing here looks at must not be passed over (RFC 5280 §4.2)."""
    return ", ".join(one.oid.dotted_string for one in certificate.extensions if one.critical and one.oid not in _UNDERSTOOD)
