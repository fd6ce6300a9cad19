"""Modbus over TLS with certificates on both sides: what is accepted, what is refused, and that nothing is asked before."""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.drivers.base import EndpointConfig, EndpointReport, Item
from app.drivers.modbus.session import ModbusSession
from app.errors import EndpointError
from app.model.plant import Identity
from app.trust.facts import facts
from app.trust.store import TrustStore
from tests import certificates
from tests.certificates import Made
from tests.peers.modbus_fake import FakeDevice, Request, fake_device, right
from tests.peers.modbus_server import mutual
from tests.peers.server_process import free_port

ROOT = Path(__file__).parents[2]
NOW = datetime.now(UTC)


def made(**changed: object) -> Made:
    given = {"hosts": ("127.0.0.1",), "uri": "", "since": NOW - timedelta(days=2), "until": NOW + timedelta(days=300), **changed}
    return certificates.server("Meter 3", **given)  # type: ignore[arg-type]  # keywords of that function


@pytest.fixture
def store(tmp_path: Path) -> TrustStore:
    return TrustStore(tmp_path / "pki")


@pytest.fixture
def folder(tmp_path: Path, store: TrustStore) -> Path:
    """Of the device: it knows us."""
    (tmp_path / "clients.pem").write_bytes(store.own().pem())
    shows(tmp_path, made())
    return tmp_path


def shows(folder: Path, certificate: Made) -> Made:
    (folder / "own.pem").write_bytes(certificate.key_pem() + certificate.pem)
    return certificate


async def answer(request: Request) -> bytes:
    return right(request)


@asynccontextmanager
async def device(folder: Path, *, old: bool = False) -> AsyncIterator[FakeDevice]:
    context = mutual(folder)
    if old:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    async with fake_device(answer, context) as running:
        yield running


async def opened(port: int, pki: Path | None, *, known: str = "") -> EndpointReport:
    config = EndpointConfig(
        name="m", url=f"modbus-tls://127.0.0.1:{port}", pki=str(pki or ""), identity=Identity(thumbprint=known), settings={"timeout_s": 2.0}
    )
    session = ModbusSession(config)
    try:
        report = await session.open(8)
        sample = (await session.read([Item(address="holding:77")])).sample(0)
        assert sample.value is not None
        return report
    finally:
        await session.close()


async def test_that_a_real_server_is_read_over_tls_once_both_trust_each_other(folder: Path, store: TrustStore) -> None:
    port = free_port()
    process = await asyncio.to_thread(
        subprocess.Popen,
        [sys.executable, "-m", "tests.peers.modbus_server", str(port), "tls", str(folder)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "ready\n"
        with pytest.raises(EndpointError) as refused:
            await opened(port, folder / "pki")
        store.trust(refused.value.evidence)
        report = await opened(port, folder / "pki")
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    assert refused.value.code == "certificate"
    assert report.title == "Loom T-1 2.3"
    assert report.granted["TLS"] in ("TLSv1.2", "TLSv1.3")
    assert report.identity.thumbprint == facts(made().der).thumbprint


WRONG: dict[str, tuple[Callable[[], Made], str]] = {
    "not trusted": (made, "Not trusted yet"),
    "expired": (lambda: made(until=NOW - timedelta(days=1)), "Expired"),
    "not yet valid": (lambda: made(since=NOW + timedelta(days=1)), "valid"),
    "for another host": (lambda: made(hosts=("10.9.8.7",)), "10.9.8.7"),
    "with a weak key": (lambda: made(key=certificates.rsa_key("weak", 1024)), "1024"),
}


@pytest.mark.parametrize("name", WRONG)
async def test_that_a_certificate_is_refused_in_words_before_anything_is_asked(name: str, folder: Path, store: TrustStore) -> None:
    make, words = WRONG[name]
    shown = shows(folder, make())
    if name != "not trusted":
        store.trust(shown.der)
    async with device(folder) as running:
        with pytest.raises(EndpointError) as refused:
            await opened(running.port, folder / "pki")
        assert running.requests == []
    assert refused.value.code == "certificate"
    assert refused.value.evidence == shown.der
    assert words in refused.value.why, refused.value.why


async def test_that_a_swapped_certificate_is_told_from_the_one_that_was_trusted(folder: Path, store: TrustStore) -> None:
    before = made()
    store.trust(before.der)
    store.trust(shows(folder, made(key=certificates.rsa_key("other"), serial=8)).der)
    async with device(folder) as running:
        with pytest.raises(EndpointError) as refused:
            await opened(running.port, folder / "pki", known=facts(before.der).thumbprint)
        assert running.requests == []
    assert refused.value.code == "certificate"
    assert "another" in refused.value.why or "changed" in refused.value.why, refused.value.why


async def test_that_without_a_store_no_certificate_is_accepted(folder: Path) -> None:
    (folder / "clients.pem").write_bytes(made().pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "own.pem")
    async with fake_device(answer, context) as running:
        with pytest.raises(EndpointError) as refused:
            await opened(running.port, None)
        assert running.requests == []
    assert refused.value.code == "certificate"


@contextmanager
def orderly(folder: Path, *, old: bool) -> Iterator[int]:
    """Refuses as OpenSSL does by itself: with an alert. (asyncio just resets the connection.) Gives its port."""
    context = mutual(folder)
    if old:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False) as tls:
            try:
                tls.do_handshake()
            except ssl.SSLError:
                socket.socket.shutdown(tls, socket.SHUT_WR)  # behind the alert
                while socket.socket.recv(tls, 4096):
                    pass

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        thread.join(10)
        listener.close()


@pytest.mark.parametrize("old", [False, True], ids=["TLS 1.3", "TLS 1.2"])
async def test_that_a_device_that_refuses_our_certificate_is_told_from_one_that_we_refuse(
    old: bool, folder: Path, store: TrustStore
) -> None:
    (folder / "clients.pem").write_bytes(made(key=certificates.rsa_key("another client")).pem)
    store.trust(made().der)
    with orderly(folder, old=old) as port, pytest.raises(EndpointError) as refused:
        await opened(port, folder / "pki")
    own = store.own()
    assert (refused.value.code, refused.value.evidence) == ("rejected", own.der)
    assert "does not accept our certificate" in refused.value.what
    assert own.name in refused.value.fix
    assert own.thumbprint in refused.value.fix


@pytest.mark.parametrize("old", [False, True], ids=["TLS 1.3", "TLS 1.2"])
async def test_that_a_device_that_just_hangs_up_over_our_certificate_is_not_taken_for_anything_certain(
    old: bool, folder: Path, store: TrustStore
) -> None:
    (folder / "clients.pem").write_bytes(made(key=certificates.rsa_key("another client")).pem)
    store.trust(made().der)
    async with device(folder, old=old) as running:
        with pytest.raises(EndpointError) as refused:
            await opened(running.port, folder / "pki")
        assert running.requests == []
    assert "our certificate" in refused.value.why
    assert store.own().thumbprint in refused.value.fix


async def test_that_a_port_without_tls_is_named(folder: Path) -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        await reader.read()
        writer.close()

    running = await asyncio.start_server(greet, "127.0.0.1", 0)
    with pytest.raises(EndpointError, match="no TLS with this device") as refused:
        await opened(running.sockets[0].getsockname()[1], folder / "pki")
    running.close()
    assert "modbus://" in refused.value.fix
