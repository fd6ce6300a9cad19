"""Our own application certificate (OPC 10000-6 §6.2.2): self-signed, made on first use.

Key and certificate stand in one file, so that they always fit each other, however a process ends; the certificate alone lies
beside it for people to copy. A renewed certificate has a new key: a server must be told to trust it in either case.
"""

from __future__ import annotations

import ipaddress
import logging
import re
import socket
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from app.errors import UserError
from app.trust import files
from app.trust.facts import MAX_DER, facts, thumbprint_of, utc

_LOGGER = logging.getLogger(__name__)

KEY_BITS: Final = 2048
"""What every policy in use takes: Basic256Sha256 allows 2048 to 4096 (OPC 10000-7)."""
VALID_DAYS: Final = 5 * 365
RENEW_DAYS: Final = 30
_CLOCK_SKEW: Final = timedelta(days=1)
"""A server whose clock is behind takes the certificate all the same."""
_ADDRESSES: Final = 8
_DAY_NS: Final = 86_400 * 1_000_000_000


@dataclass(frozen=True, slots=True)
class OwnCertificate:
    """Certificate and key of this installation.

    Attributes:
        name: Common name, under which a server lists us among the rejected: "Tagloom on LAPTOP-7".
        certificate_path: DER, for people to copy to a server.
        key_path: PEM with key and certificate, unencrypted, readable by this user only; what ``ssl`` loads.
        notes: What happened to it just now, sentences for people: renewed, remade after a damage.
    """

    der: bytes = field(repr=False)
    key: rsa.RSAPrivateKey = field(repr=False)
    application_uri: str
    thumbprint: str
    certificate_path: Path
    key_path: Path
    name: str
    not_after_ns: int
    notes: tuple[str, ...] = ()

    def pem(self) -> bytes:
        """The certificate alone."""
        return x509.load_der_x509_certificate(self.der).public_bytes(serialization.Encoding.PEM)


def own_certificate(folder: Path, now_ns: int) -> OwnCertificate:
    """Read it, or make it. Several processes may call this at once: all get the same one.

    Raises:
        UserError: The folder cannot be read or written.
    """
    found = _read(folder)
    if isinstance(found, OwnCertificate) and not _ends_soon(found, now_ns):
        return _with_copy(found)
    with files.alone(folder):
        found = _read(folder)  # another process may have been quicker
        if isinstance(found, OwnCertificate) and not _ends_soon(found, now_ns):
            return _with_copy(found)
        notes: list[str] = []
        if isinstance(found, str):
            aside = files.set_aside(_key_path(folder))
            notes.append(
                f"Our certificate could not be used ({found}) and was made anew; servers must trust it again. The old file: {aside}"
            )
            _LOGGER.warning("our own certificate was damaged (%s) and is made anew; the old file: %s", found, aside)
        elif found is not None:
            notes.append(f"Our certificate was valid until {utc(found.not_after_ns)} and was renewed; servers must trust the new one")
        _make(folder, now_ns)
        made = _read(folder)
        if not isinstance(made, OwnCertificate):
            raise UserError("Our certificate cannot be made", where=str(folder), why=made or "it was not written", fix="Check the disk")
        return replace(_with_copy(made), notes=tuple(notes))


def application_uri(host: str) -> str:
    """``urn:<host>:tagloom``, with the host as a legal namespace identifier (RFC 8141 §2: 2 to 32 letters, digits and inner hyphens)."""
    name = re.sub(r"[^a-z0-9]+", "-", host.lower().encode("ascii", "ignore").decode()).strip("-")[:32].strip("-")
    if len(name) < 2 or name.startswith("urn"):  # "urn" and "urn-1" are not for use (RFC 8141 §5.1)
        name = f"pc-{name}"[:32].strip("-") if name else "pc"
    return f"urn:{name}:tagloom"


def _key_path(folder: Path) -> Path:
    return folder / "tagloom.pem"


def _ends_soon(own: OwnCertificate, now_ns: int) -> bool:
    return own.not_after_ns - now_ns < RENEW_DAYS * _DAY_NS


def _read(folder: Path) -> OwnCertificate | str | None:
    """What is there; why it cannot be used; None when nothing is."""
    path = _key_path(folder)
    content = files.read(path, 2 * MAX_DER)
    if content is None:
        return None
    blocks = dict(files.pem_blocks(content))
    if not {"PRIVATE KEY", "CERTIFICATE"} <= blocks.keys():
        return "the file has no key and certificate"
    try:
        key = serialization.load_pem_private_key(blocks["PRIVATE KEY"], None)
        certificate = x509.load_pem_x509_certificate(blocks["CERTIFICATE"])
        public = certificate.public_key()
        der = certificate.public_bytes(serialization.Encoding.DER)
        found = facts(der)
    except UserError as error:
        return error.why
    except Exception as error:  # whatever a damaged file makes of the decoder
        return f"{type(error).__name__}: the file cannot be decoded"
    if not isinstance(key, rsa.RSAPrivateKey) or key.public_key() != public:
        return "key and certificate do not belong together"
    if not found.application_uri:
        return "the certificate names no application URI"
    files.close_to_others(path)
    return OwnCertificate(
        der, key, found.application_uri, found.thumbprint, folder / "tagloom.der", path, found.name, found.not_after_ns
    )  # fmt: skip


def _with_copy(own: OwnCertificate) -> OwnCertificate:
    """The file for people is there and is this certificate."""
    if files.read(own.certificate_path, MAX_DER) != own.der:
        files.write(own.certificate_path, own.der)
    return own


def _make(folder: Path, now_ns: int) -> None:
    key = rsa.generate_private_key(65537, KEY_BITS)
    certificate = _certificate(key, socket.gethostname(), now_ns)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    files.write(_key_path(folder), pem + certificate.public_bytes(serialization.Encoding.PEM), private=True)
    der = certificate.public_bytes(serialization.Encoding.DER)
    _LOGGER.info("made our application certificate, thumbprint %s", thumbprint_of(der))


def _certificate(key: rsa.RSAPrivateKey, host: str, now_ns: int) -> x509.Certificate:
    now = datetime.fromtimestamp(now_ns // 1_000_000_000, UTC)
    name = x509.Name([
        x509.NameAttribute(NameOID.COMMON_NAME, common_name(host)),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Tagloom"),
    ])  # fmt: skip
    alternatives: list[x509.GeneralName] = [x509.UniformResourceIdentifier(application_uri(host))]
    if re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", host):
        alternatives.append(x509.DNSName(host))
    alternatives += [x509.IPAddress(address) for address in _own_addresses()]
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    # keyCertSign: OPC 10000-6 §6.2.2 wants it in a self-signed certificate, and some servers refuse one without.
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=True, key_encipherment=True, data_encipherment=True, key_agreement=False,
        key_cert_sign=True, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    return (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + timedelta(days=VALID_DAYS))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(identifier, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
        .sign(key, hashes.SHA256())
    )


def common_name(host: str) -> str:
    """At most 64 bytes (RFC 5280 Appendix A, ub-common-name)."""
    printable = "".join(letter for letter in host if letter.isprintable()).strip()
    return f"Tagloom on {printable or 'this computer'}".encode()[:64].decode("utf-8", "ignore")


def _own_addresses() -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    """Of this computer now, without those that mean the same on every one. An address changes; no server is known to mind."""
    import psutil

    found: dict[ipaddress.IPv4Address | ipaddress.IPv6Address, None] = {}
    for addresses in psutil.net_if_addrs().values():
        for one in addresses:
            if one.family in (socket.AF_INET, socket.AF_INET6):
                address = ipaddress.ip_address(one.address.partition("%")[0])
                if not (address.is_loopback or address.is_link_local):
                    found[address] = None
    return list(found)[:_ADDRESSES]
