"""Whether a certificate or a revocation list was signed with a key."""

from __future__ import annotations

from typing import Literal

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

Signed = Literal["yes", "no", "cannot be checked"]
_OLD: dict[str, hashes.HashAlgorithm] = {
    "1.2.840.113549.1.1.4": hashes.MD5(),  # noqa: S303  what old devices are signed with; it is told as weak
    "1.2.840.113549.1.1.5": hashes.SHA1(),  # noqa: S303
}
"""``cryptography`` no longer checks certificates signed so, but its keys still can (RFC 8017 Appendix A.2.4)."""


def signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> Signed:
    """The signature only: names, dates and what the issuer may do are not looked at here."""
    try:
        old = _OLD.get(certificate.signature_algorithm_oid.dotted_string)
        if old is not None:
            return _signed_so(issuer, certificate.signature, certificate.tbs_certificate_bytes, old)
        certificate.verify_directly_issued_by(issuer)
    except InvalidSignature:
        return "no"
    except Exception:  # a key or an algorithm that is not known here
        return "cannot be checked"
    return "yes"


def list_signed_by(revoked: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    try:
        old = _OLD.get(revoked.signature_algorithm_oid.dotted_string)
        if old is not None:
            return _signed_so(issuer, revoked.signature, revoked.tbs_certlist_bytes, old) == "yes"
        return bool(revoked.is_signature_valid(issuer.public_key()))  # type: ignore[arg-type]  # other kinds of key raise TypeError
    except Exception:  # a key or an algorithm that is not known here: then it is not shown to be the issuer's list
        return False


def _signed_so(issuer: x509.Certificate, signature: bytes, content: bytes, algorithm: hashes.HashAlgorithm) -> Signed:
    key = issuer.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        return "cannot be checked"
    try:
        key.verify(signature, content, padding.PKCS1v15(), algorithm)
    except InvalidSignature:
        return "no"
    return "yes"
