"""The old python-opcua library's server, of which many still run."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from app.drivers import open_session
from app.errors import EndpointError
from app.model.plant import Security
from tests.peers.foreign_opcua import check_everything, check_values, config, trust_server
from tests.peers.installing import python_packages
from tests.peers.mqtt import running, show, wait_until
from tests.peers.server_process import free_port

HERE = Path(__file__).parent
pytestmark = [pytest.mark.prove("opcua-peers"), pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("python-opcua")
    python = python_packages(HERE / "packages.txt")
    port, log = free_port(), folder / "log"
    certificate, key = write_certificate(folder)
    with running([str(python), str(HERE / "server.py"), str(port), str(certificate), str(key)], log, cwd=folder):
        wait_until(lambda: "ready" in log.read_text(), 60, "python-opcua")
        yield f"opc.tcp://127.0.0.1:{port}"


async def test_that_all_it_has_is_browsed_read_and_watched(url: str, tmp_path: Path) -> None:
    session = open_session(config(url, tmp_path))
    try:
        report = await session.open(20)
        await check_values(session)
        met = await check_everything(session, report.title)
    finally:
        await session.close()
    show(str(met))
    assert met.variables > 100


@pytest.mark.parametrize("mode", ["Sign", "SignAndEncrypt"])
async def test_that_it_is_reached_secured_with_a_user(url: str, tmp_path: Path, mode: str) -> None:
    security = Security(policy="Basic256Sha256", mode=mode, user="password", name="operator")  # type: ignore[arg-type]  # a parameter
    await trust_server(url, tmp_path, security, "proof-password")
    for secret, code in (("wrong", "user"), ("proof-password", "")):
        session = open_session(config(url, tmp_path, security, secret))
        try:
            if code:
                with pytest.raises(EndpointError) as refusal:
                    await session.open(20)
                assert refusal.value.code == code
            else:
                await session.open(20)
                await check_values(session)
        finally:
            await session.close()


def write_certificate(folder: Path) -> tuple[Path, Path]:
    """A server's certificate (DER) and key (PEM), with the URI that the server states."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "python-opcua proof")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(
            x509.SubjectAlternativeName([x509.UniformResourceIdentifier("urn:tagloom:proof:python-opcua"), x509.DNSName("localhost")]),
            False,
        )
        .sign(key, hashes.SHA256())
    )
    files = folder / "server.der", folder / "server.pem"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.DER))
    files[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
    )
    return files
