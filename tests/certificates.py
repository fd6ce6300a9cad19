"""Certificates and revocation lists for tests, good and bad ones. Keys are made once per run, by name."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NOW_NS = int(NOW.timestamp()) * 1_000_000_000
FIRST_DAY, LAST_DAY = datetime(2026, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)
URI = "urn:plc7:server"
HOST = "plc7.plant.local"
SERVER = (ExtendedKeyUsageOID.SERVER_AUTH,)
CLIENT = (ExtendedKeyUsageOID.CLIENT_AUTH,)
APPLICATION_USE = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment")
CA_USE = ("key_cert_sign", "crl_sign")
_OLD = {"SHA-1": (b"\x05", hashes.SHA1()), "MD5": (b"\x04", hashes.MD5())}
_RSA_SHA256 = bytes.fromhex("2a864886f70d01010b")


@dataclass(frozen=True)
class Made:
    der: bytes
    key: Key

    @property
    def certificate(self) -> x509.Certificate:
        return x509.load_der_x509_certificate(self.der)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def key_pem(self, passphrase: bytes = b"") -> bytes:
        encryption = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
        return self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


@cache
def rsa_key(name: str = "plc7", bits: int = 2048) -> rsa.RSAPrivateKey:
    """``name`` only tells keys apart."""
    return rsa.generate_private_key(65537, bits)


@cache
def ec_key(name: str = "plc7") -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def name_of(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def server(
    common: str = "PLC7",
    *,
    key: Key | None = None,
    issuer: Made | None = None,
    uri: str = URI,
    hosts: Sequence[str] = (HOST,),
    since: datetime = FIRST_DAY,
    until: datetime = LAST_DAY,
    serial: int = 7,
    use: Sequence[str] | None = APPLICATION_USE,
    purposes: Sequence[x509.ObjectIdentifier] | None = SERVER,
    ca: bool = False,
    more: Sequence[tuple[x509.ExtensionType, bool]] = (),
) -> Made:
    """The certificate of an application; self-signed without ``issuer``. An address in ``hosts`` becomes one of the certificate."""
    names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(uri)] if uri else []
    names += [_general_name(host) for host in hosts]
    extensions: list[tuple[x509.ExtensionType, bool]] = [(x509.SubjectAlternativeName(names), False)] if names else []
    extensions.append((x509.BasicConstraints(ca=ca, path_length=None), True))
    if purposes is not None:
        extensions.append((x509.ExtendedKeyUsage(list(purposes)), False))
    return _made(common, key or rsa_key(), issuer, since, until, serial, use, [*extensions, *more])


def authority(
    common: str = "Plant CA",
    *,
    key: Key | None = None,
    issuer: Made | None = None,
    path_length: int | None = None,
    since: datetime = FIRST_DAY,
    until: datetime = LAST_DAY,
    serial: int = 1,
    use: Sequence[str] | None = CA_USE,
    purposes: Sequence[x509.ObjectIdentifier] | None = None,
    ca: bool = True,
    more: Sequence[tuple[x509.ExtensionType, bool]] = (),
) -> Made:
    extensions: list[tuple[x509.ExtensionType, bool]] = [(x509.BasicConstraints(ca=ca, path_length=path_length if ca else None), True)]
    if purposes is not None:
        extensions.append((x509.ExtendedKeyUsage(list(purposes)), False))
    return _made(common, key or rsa_key(common), issuer, since, until, serial, use, [*extensions, *more])


def revocations(
    issuer: Made,
    *serials: int,
    since: datetime = FIRST_DAY,
    due: datetime | None = LAST_DAY,
    signer: Key | None = None,
    named: str = "",
    more: Sequence[tuple[x509.ExtensionType, bool]] = (),
) -> bytes:
    """A revocation list in DER; ``signer`` and ``named`` make one that is not the issuer's."""
    name = name_of(named) if named else issuer.certificate.subject
    builder = x509.CertificateRevocationListBuilder(name).last_update(since).next_update(due or LAST_DAY)
    for serial in serials:
        entry = x509.RevokedCertificateBuilder(serial, since).add_extension(x509.CRLReason(x509.ReasonFlags.key_compromise), critical=False)
        builder = builder.add_revoked_certificate(entry.build())
    for value, critical in more:
        builder = builder.add_extension(value, critical)
    return builder.sign(signer or issuer.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def signed_with(made: Made, old: str, signer: rsa.RSAPrivateKey | None = None) -> Made:
    """The same certificate signed with SHA-1 or MD5, which ``cryptography`` no longer does by itself."""
    number, algorithm = _OLD[old]
    oid = _RSA_SHA256[:-1] + number
    content = made.certificate.tbs_certificate_bytes.replace(_RSA_SHA256, oid)
    key = signer or made.key
    assert isinstance(key, rsa.RSAPrivateKey)
    signature = key.sign(content, padding.PKCS1v15(), algorithm)
    return Made(made.der.replace(_RSA_SHA256, oid)[: -len(signature)] + signature, made.key)


def forged(made: Made) -> Made:
    """One bit of the signature is another one."""
    return Made(made.der[:-1] + bytes([made.der[-1] ^ 1]), made.key)


def _made(
    common: str, key: Key, issuer: Made | None, since: datetime, until: datetime, serial: int,
    use: Sequence[str] | None, extensions: Sequence[tuple[x509.ExtensionType, bool]],
) -> Made:  # fmt: skip
    subject = name_of(common)
    above = issuer.certificate.subject if issuer else subject
    signer = issuer.key if issuer else key
    builder = x509.CertificateBuilder(above, subject, key.public_key(), serial).not_valid_before(since).not_valid_after(until)
    if use is not None:
        every = (
            "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign",
            "crl_sign", "encipher_only", "decipher_only",
        )  # fmt: skip
        builder = builder.add_extension(x509.KeyUsage(**{one: one in use for one in every}), critical=True)
    for value, critical in extensions:
        builder = builder.add_extension(value, critical)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    return Made(builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.DER), key)


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
