"""What a certificate says; and that no bytes at all make anything but a ``UserError``."""

import contextlib
import ipaddress
import warnings
from pathlib import Path
from typing import Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ed448, ed25519
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import UserError
from app.model.plant import Identity
from app.trust.facts import MAX_CHAIN, MAX_DER, clean, facts, spaced, split_chain, utc
from app.trust.judge import judge, refusal
from app.trust.revocation import revocation_list
from app.trust.store import TrustStore, certificate_der
from tests.certificates import FIRST_DAY, HOST, LAST_DAY, NOW_NS, URI, authority, ec_key, name_of, revocations, rsa_key, server

GOOD: Final = server(hosts=(HOST, "10.0.4.20", "fd00::2"))
ISSUED: Final = server(issuer=authority())


def certificate_with(extension: x509.ExtensionType | None = None, *, key: object = None) -> bytes:
    made = key or rsa_key()
    builder = x509.CertificateBuilder(name_of("x"), name_of("x"), made.public_key(), 1)  # type: ignore[attr-defined]  # any private key
    builder = builder.not_valid_before(FIRST_DAY).not_valid_after(LAST_DAY)
    if extension is not None:
        builder = builder.add_extension(extension, critical=False)
    algorithm = None if isinstance(made, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey) else hashes.SHA256()
    return builder.sign(made, algorithm).public_bytes(serialization.Encoding.DER)  # type: ignore[arg-type]


def odd_names(value: bytes) -> bytes:
    """A certificate whose subject alternative names are these bytes."""
    return certificate_with(x509.UnrecognizedExtension(x509.SubjectAlternativeName.oid, value))


def test_that_facts_are_those_of_the_certificate() -> None:
    found = facts(GOOD.der)
    sha1 = GOOD.certificate.fingerprint(hashes.SHA1()).hex().upper()
    assert (found.thumbprint, found.sha256) == (sha1, GOOD.certificate.fingerprint(hashes.SHA256()).hex().upper())
    assert (found.name, found.subject, found.issuer, found.serial) == ("PLC7", "CN=PLC7", "CN=PLC7", "7")
    assert (found.application_uri, found.hosts) == (URI, (HOST, "10.0.4.20", "fd00::2"))
    assert (found.key, found.key_bits, found.signature, found.self_signed) == ("RSA 2048", 2048, "SHA-256", True)
    assert (utc(found.not_before_ns), utc(found.not_after_ns)) == ("2026-01-01 00:00 UTC", "2030-01-01 00:00 UTC")
    assert (found.is_ca, found.authority, found.flaw) == (False, False, "")


def test_that_an_authority_is_told_from_a_server_that_calls_itself_a_ca() -> None:
    assert (facts(authority().der).is_ca, facts(authority().der).authority) == (True, True)
    boss = facts(server(ca=True).der)
    assert (boss.is_ca, boss.authority) == (True, False)


@pytest.mark.parametrize(
    ("key", "text", "bits", "signature"),
    [
        (ec_key(), "EC secp256r1", 256, "SHA-256"),
        (ed25519.Ed25519PrivateKey.generate(), "Ed25519", 256, "none"),
        (ed448.Ed448PrivateKey.generate(), "Ed448", 456, "none"),
        (dsa.generate_private_key(2048), "DSA 2048", 2048, "SHA-256"),
    ],
)
def test_that_other_keys_than_rsa_are_named(key: object, text: str, bits: int, signature: str) -> None:
    found = facts(certificate_with(key=key))
    assert (found.key, found.key_bits, found.signature) == (text, bits, signature)


def test_that_a_certificate_without_extensions_names_nobody() -> None:
    found = facts(certificate_with())
    assert (found.application_uri, found.hosts, found.is_ca, found.flaw) == ("", (), False, "")


def test_that_a_certificate_without_a_name_has_one_to_be_called_by() -> None:
    assert facts(server(" ").der).name == r"CN=\ "
    key = rsa_key()
    nameless = (
        x509.CertificateBuilder(x509.Name([]), x509.Name([]), key.public_key(), 1).not_valid_before(FIRST_DAY).not_valid_after(LAST_DAY)
    )
    assert facts(nameless.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)).name == "a certificate without a name"


@pytest.mark.parametrize(
    "value",
    [
        b"",  # no SEQUENCE
        b"\x30\x05\x87\x03\x0a\x00\x04",  # an address of three bytes
        b"\x30\x06\x82\x04\xff\xfe\xfd\xfc",  # a DNS name that is no ASCII
        b"\x30\x80\x00\x00",  # indefinite length
        b"\x30\x04\xa5\x02\x05\x00",  # an ediPartyName
    ],
)
def test_that_unreadable_names_are_a_flaw_and_name_nobody(value: bytes) -> None:
    der = odd_names(value)
    found = facts(der)
    assert (found.application_uri, found.hosts) == ("", ())
    assert "its extensions cannot be read" in found.flaw
    verdict = judge(None, [der], host=HOST, application_uri=URI, known=Identity(), now_ns=NOW_NS)
    assert {"wrong host", "wrong uri", "wrong use"} <= {one.code for one in verdict.problems}


def test_that_names_that_are_no_hosts_are_left_out() -> None:
    names = x509.SubjectAlternativeName([
        x509.RFC822Name("a@b"), x509.DirectoryName(name_of("y")), x509.RegisteredID(x509.ObjectIdentifier("1.2.3")), x509.DNSName("plc7"),
        x509.UniformResourceIdentifier("urn:first"), x509.UniformResourceIdentifier("urn:second"),
        x509.IPAddress(ipaddress.ip_network("10.0.0.0/8")),
    ])  # fmt: skip
    found = facts(certificate_with(names))
    assert (found.application_uri, found.hosts) == ("urn:first", ("plc7",))


def test_that_oddities_of_real_devices_are_no_faults(tmp_path: Path) -> None:
    """A country in full and a serial number of 0: `cryptography` warns of both, and tests take warnings as errors."""
    key = rsa_key()
    with warnings.catch_warnings(action="ignore"):
        country = x509.NameAttribute(NameOID.COUNTRY_NAME, "Germany", _validate=False)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "PLC7"), country])
    names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(URI), x509.DNSName(HOST)])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 0x7F).not_valid_before(FIRST_DAY).not_valid_after(LAST_DAY)
    der = builder.add_extension(names, critical=False).sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    odd = der.replace(b"\x02\x01\x7f", b"\x02\x01\x00", 1)
    assert odd != der
    assert (facts(odd).name, facts(odd).serial) == ("PLC7", "0")
    store = TrustStore(tmp_path)
    store.trust(der)
    assert judge(store, [der], host=HOST, application_uri=URI, known=Identity(), now_ns=NOW_NS).problems == ()
    verdict = judge(store, [odd], host=HOST, application_uri=URI, known=Identity(), now_ns=NOW_NS)
    assert [one.code for one in verdict.problems] == ["changed", "untrusted", "bad signature"]  # its serial number was changed


def test_that_what_a_device_sends_is_shown_as_plain_text() -> None:
    assert clean("a\x1b[2J\n\u202eb") == "a\N{REPLACEMENT CHARACTER}[2J\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}b"
    assert len(clean("x" * 10_000)) == 300
    assert spaced("ABCDEF") == "ABCD EF"


@pytest.mark.parametrize("content", [b"", b"x", b"\x30", b"\x30\x03\x02\x01\x01", b"\0" * 100, GOOD.der[:100], GOOD.der + b"x"])
def test_that_other_bytes_are_no_certificate(content: bytes) -> None:
    with pytest.raises(UserError, match="This is no certificate"):
        facts(content)


def test_that_a_certificate_has_a_largest_size() -> None:
    with pytest.raises(UserError, match=f"no certificate has more than {MAX_DER:,}"):
        facts(b"\x30\x83\xff\xff\xff" + b"\0" * MAX_DER)


def test_that_a_chain_is_split_into_its_certificates() -> None:
    ca = authority().der
    assert split_chain(ISSUED.der + ca) == (ISSUED.der, ca)
    assert split_chain(ISSUED.der) == (ISSUED.der,)
    assert split_chain(b"") == ()
    assert split_chain(b"rubbish") == (b"rubbish",)
    assert split_chain(ISSUED.der + b"rubbish") == (ISSUED.der,)
    assert split_chain(ISSUED.der[:-1]) == (ISSUED.der[:-1],)
    assert len(split_chain(ca * 50)) == MAX_CHAIN


def only_user_errors(content: bytes) -> None:
    """All that takes bytes of others."""
    for take in (facts, certificate_der, revocation_list):
        with contextlib.suppress(UserError):
            take(content)
    for host in (HOST, ""):
        verdict = judge(None, split_chain(content), host=host, application_uri=URI, known=Identity(), now_ns=NOW_NS)
        assert not verdict.accepted
        assert refusal(verdict, "opc.tcp://x").why


@given(st.binary(max_size=200))
def test_that_any_bytes_make_a_user_error_at_worst(content: bytes) -> None:
    only_user_errors(content)


@settings(max_examples=400)
@given(
    st.sampled_from([GOOD.der, ISSUED.der, authority().der, server(key=ec_key()).der, revocations(authority(), 7)]),
    st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), max_size=6),
    st.integers(0, 2000),
)
def test_that_certificates_with_changed_bytes_make_a_user_error_at_worst(good: bytes, changes: list[tuple[int, int]], keep: int) -> None:
    content = bytearray(good)
    for place, value in changes:
        content[place % len(content)] = value
    only_user_errors(bytes(content))
    only_user_errors(bytes(content[:keep]))


@given(st.binary(max_size=120))
def test_that_odd_alternative_names_make_a_user_error_at_worst(value: bytes) -> None:
    only_user_errors(odd_names(value))
