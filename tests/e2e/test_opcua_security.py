"""Secured OPC UA connections against a real server: every policy, every kind of bad certificate, and a server that turns us away."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from app.drivers import open_session
from app.drivers.base import Ended, EndpointConfig, Event, Item, Traffic, WatchItem
from app.drivers.opcua.session import OpcUaSession
from app.drivers.opcua.session_trace import Trace
from app.edits import Editor
from app.errors import EndpointError
from app.model.columns import SampleColumns
from app.model.plant import Endpoint, Identity, Security
from app.model.project import Project, ProjectInfo
from app.runtime.live import LiveProject
from app.runtime.patience import LinkLimits
from app.trust.facts import spaced, split_chain, thumbprint_of
from app.trust.store import TrustStore
from tests.e2e.opcua_secure import made_store, peer, running, server_certificate, store
from tests.peers.opcua_certificates import SERVER_URI, certificate
from tests.peers.opcua_connection import first_samples, until
from tests.peers.opcua_secure_peer import COUNTER, LONG, SPEED, Mode, SecurePeer, config, connected
from tests.peers.sniffer import sniffer

__all__ = ["made_store", "peer", "running", "server_certificate", "store"]

ONLY_ASKED = [["HEL"], ["HEL", "OPN", "MSG", "CLO"]]
"""What the client sends before a certificate is accepted: a hello, then a connection that asks for the endpoints and hangs up."""


def session_of(wanted: EndpointConfig) -> OpcUaSession:
    session = open_session(wanted)
    assert isinstance(session, OpcUaSession)
    return session


async def refusal(wanted: EndpointConfig) -> EndpointError:
    with pytest.raises(EndpointError) as refused:
        async with connected(wanted):
            pass
    return refused.value


# --- what is right


@pytest.mark.parametrize("mode", ["Sign", "SignAndEncrypt"])
@pytest.mark.parametrize("policy", ["Aes256_Sha256_RsaPss", "Aes128_Sha256_RsaOaep", "Basic256Sha256"])
async def test_that_every_policy_connects_browses_reads_and_watches(peer: SecurePeer, store: TrustStore, policy: str, mode: Mode) -> None:
    async with sniffer(peer.port) as wire:
        url = f"opc.tcp://127.0.0.1:{wire.port}/peer"
        async with connected(config(url, store, policy, mode)) as (session, report):
            assert report.identity == Identity(
                application_uri=SERVER_URI,
                thumbprint=thumbprint_of(peer.made.der),
                product="FreeOpcUa, FreeOpcUa Python Server, 1.0pre, build 0",
            )
            assert not any("Legacy" in note for note in report.notes)
            assert any("not encrypted" in note for note in report.notes) == (mode == "Sign")
            children = await session.browse(["i=85"])
            assert "Line1" in children.name
            speed, long = (sample for _, sample in (await session.read([Item(address=SPEED), Item(address=LONG)])).samples())
            assert speed.value == 103.0
            assert long.value == "x" * 150_000, "an answer of several chunks"
            events = session.events()
            await session.set_watch([WatchItem(address=COUNTER, handle=7, interval_ms=50, type="uint32", path="Line1/Counter")], [])
            counts: list[float] = []

            def three(event: Event) -> bool:
                if isinstance(event, SampleColumns):
                    counts.extend(event.number)
                return len(counts) >= 3

            await until(events, three)
            assert counts == sorted(set(counts))
    assert (b"x" * 1000 in wire.everything) == (mode == "Sign"), "encrypted means that the values cannot be seen"
    assert wire.messages[2][:2] == ["HEL", "OPN"]


@pytest.mark.parametrize("policy", ["Basic256", "Basic128Rsa15"])
async def test_that_deprecated_policies_connect_with_a_warning(peer: SecurePeer, store: TrustStore, policy: str) -> None:
    async with connected(config(peer.url, store, policy)) as (session, report):
        assert (
            f"Legacy security: {policy} is deprecated and can be broken. Have the server updated, or use a policy with Sha256."
            in report.notes
        )
        ((_, sample),) = (await session.read([Item(address=SPEED)])).samples()
        assert sample.value == 103.0


async def test_that_offers_are_ranked_with_reasons_and_carry_the_certificate(peer: SecurePeer, store: TrustStore) -> None:
    peer.behave(level=0)
    async with connected(config(peer.url, store)) as (_, report):
        offers = report.offered
    assert [(offer.policy, offer.mode) for offer in offers] == [
        ("Aes256_Sha256_RsaPss", "SignAndEncrypt"),
        ("Aes128_Sha256_RsaOaep", "SignAndEncrypt"),
        ("Basic256Sha256", "SignAndEncrypt"),
        ("Aes256_Sha256_RsaPss", "Sign"),
        ("Aes128_Sha256_RsaOaep", "Sign"),
        ("Basic256Sha256", "Sign"),
        ("Basic256", "SignAndEncrypt"),
        ("Basic128Rsa15", "SignAndEncrypt"),
        ("Basic256", "Sign"),
        ("Basic128Rsa15", "Sign"),
        ("None", "None"),
    ]
    assert [offer.rank for offer in offers] == sorted({offer.rank for offer in offers}, reverse=True)
    assert all(offer.advice.endswith("does not recommend it (security level 0).") for offer in offers[:-1])
    assert all(offer.advice.startswith("Legacy:") == offer.policy.startswith("Basic") for offer in offers[6:])
    assert {offer.certificate for offer in offers} == {peer.made.der}


async def test_that_what_a_server_grants_is_told_beside_what_was_asked(peer: SecurePeer, store: TrustStore) -> None:
    peer.behave(session_s=20)
    async with connected(config(peer.url, store)) as (_, report):
        assert report.granted == {"session time-out": "20 s instead of 60 s", "security token lifetime": "3600 s"}


@pytest.mark.parametrize(("policy", "mode"), [("Aes256_Sha256_RsaPss", "SignAndEncrypt"), ("Basic256Sha256", "Sign")])
async def test_that_a_secured_channel_is_renewed_and_values_go_on(peer: SecurePeer, store: TrustStore, policy: str, mode: Mode) -> None:
    async with sniffer(peer.port) as wire:
        wanted = config(f"opc.tcp://127.0.0.1:{wire.port}/peer", store, policy, mode)
        session = session_of(wanted)
        session._channel.lifetime_ms = 1_400
        try:
            await session.open(10.0)
            events = session.events()
            await session.set_watch([WatchItem(address=COUNTER, handle=1, interval_ms=50)], [])
            await until(events, lambda _: wire.connections[-1].messages.count("OPN") == 3)
            await first_samples(events, {1})
            ((_, sample),) = (await session.read([Item(address=SPEED)])).samples()
            assert sample.value == 103.0
        finally:
            await session.close()


@pytest.mark.parametrize(("policy", "mode"), [("None", "None"), ("Basic256Sha256", "Sign")])
async def test_that_an_unresolvable_host_is_replaced_by_the_address_that_worked(
    peer: SecurePeer, store: TrustStore, policy: str, mode: Mode
) -> None:
    peer.behave(called="plc1.invalid:4840", insist=True)
    async with connected(config(peer.url, store, policy, mode)) as (session, report):
        assert (
            "The server calls itself plc1.invalid, which may not be reachable from here; 127.0.0.1, which answered, is kept."
            in report.notes
        )
        ((_, sample),) = (await session.read([Item(address=SPEED)])).samples()
        assert sample.value == 103.0


async def test_that_without_security_too_the_endpoint_is_opened_under_its_own_path(peer: SecurePeer) -> None:
    async with sniffer(peer.port) as wire, connected(config(f"opc.tcp://127.0.0.1:{wire.port}", None, "None", "None")) as (session, _):
        ((_, sample),) = (await session.read([Item(address=SPEED)])).samples()
        assert sample.value == 103.0
    assert b"/peer" not in wire.connections[1].sent
    assert b"/peer" in wire.connections[2].sent[:100]


# --- certificates of servers that are not accepted


CASES = {
    "never seen": ({"name": "Other"}, False, "Not trusted yet: nobody has decided on this computer to trust"),
    "impostor": ({"name": "Secure peer"}, False, "Changed: the server now shows another certificate"),
    "expired": ({"name": "Old", "begins_in_days": -30, "ends_in_days": -2}, True, "Expired: .* was valid until"),
    "not yet valid": ({"name": "Young", "begins_in_days": 2}, True, "Not yet valid: .* is valid from"),
    "weak": ({"name": "Weak", "bits": 1024}, True, "Weak key: .* has a key of 1024 bits"),
    "wrong host": ({"name": "Else", "hosts": ("10.9.9.9", "plc9")}, True, "Wrong host: we connect to 127.0.0.1, and .* for plc9, 10.9.9.9"),
    "wrong uri": ({"name": "Moved", "uri": "urn:another:server"}, True, 'Wrong application: the server calls itself "urn:peer:secure"'),
}


@pytest.mark.parametrize("case", CASES)
async def test_that_a_bad_server_certificate_is_refused_and_nothing_is_sent_after(
    peer: SecurePeer, store: TrustStore, tmp_path: Path, case: str
) -> None:
    how, is_trusted, why = CASES[case]
    bad = certificate(tmp_path, **how)  # type: ignore[arg-type]  # as above
    if is_trusted:
        store.trust(bad.der)
    peer.behave(bad)
    async with sniffer(peer.port) as wire:
        refused = await refusal(config(f"opc.tcp://127.0.0.1:{wire.port}/peer", store, user="password", name="operator", secret="canary"))
    assert refused.code == "certificate"
    assert split_chain(refused.evidence) == (bad.der,)
    with pytest.raises(EndpointError, match=why):
        raise refused
    assert refused.fix
    assert wire.messages == ONLY_ASKED


async def test_that_a_swapped_certificate_is_told_from_a_new_server(peer: SecurePeer, store: TrustStore, tmp_path: Path) -> None:
    """Both are trusted here, and the project knows the old one."""
    swapped = certificate(tmp_path, "Secure peer")
    store.trust(swapped.der)
    peer.behave(swapped)
    async with connected(config(peer.url, store)):
        pass
    old = thumbprint_of(peer.made.der)
    refused = await refusal(config(peer.url, store, identity=Identity(thumbprint=old)))
    assert refused.code == "certificate"
    assert "The project knows this server by" in refused.why
    assert spaced(old) in refused.why
    assert spaced(thumbprint_of(swapped.der)) in refused.why


async def test_that_without_a_store_no_certificate_is_accepted(peer: SecurePeer) -> None:
    refused = await refusal(config(peer.url, None))
    assert refused.code == "certificate"
    assert "No certificate store is at hand here" in refused.why


async def test_that_a_certificate_without_its_key_gets_no_further_than_the_channel(
    peer: SecurePeer, store: TrustStore, tmp_path: Path
) -> None:
    """An impostor with a copy of the right certificate."""
    peer.behave(certificate(tmp_path, "impostor"), shown=str(peer.made.certificate_path), shown_times=99)
    async with sniffer(peer.port) as wire:
        refused = await refusal(config(f"opc.tcp://127.0.0.1:{wire.port}/peer", store, timeout_s=1.0))
    assert "It can also be a server that has not the key of its own certificate" in refused.why
    asked = ["HEL", "OPN", "MSG", "CLO"]
    assert wire.messages == [["HEL"], asked, ["HEL", "OPN"], asked], "the last asks whether the certificate was changed"


@pytest.mark.parametrize(
    ("behaviour", "why"),
    [
        ({"session_certificate": "other"}, "the session came with another certificate"),
        ({"spoil": "signature"}, "the server could not prove that it has the key of its certificate"),
        ({"spoil": "nonce"}, r"the server's random number \(nonce\) has 5 bytes and not 32"),
        ({"hide": ("Aes256_Sha256_RsaPss",)}, r"Aes256_Sha256_RsaPss Sign, level 60, 3 user tokens and .* was left out of the list"),
    ],
)
async def test_that_a_session_that_does_not_agree_with_the_channel_is_left_before_the_user_is_told(
    peer: SecurePeer, store: TrustStore, tmp_path: Path, behaviour: dict[str, Any], why: str
) -> None:
    if "session_certificate" in behaviour:
        behaviour = {"session_certificate": certificate(tmp_path, "other").paths[0]}
    peer.behave(users={"operator": "canary"}, **behaviour)
    async with sniffer(peer.port) as wire:
        refused = await refusal(config(f"opc.tcp://127.0.0.1:{wire.port}/peer", store, user="password", name="operator", secret="canary"))
    with pytest.raises(EndpointError, match=why):
        raise refused
    assert "Nothing secret was sent" in refused.fix
    assert wire.messages[-1] == ["HEL", "OPN", "MSG", "MSG", "CLO"], "CreateSession and CloseSession"


async def test_that_a_certificate_changed_while_connecting_is_named_after_the_silence(
    peer: SecurePeer, store: TrustStore, tmp_path: Path
) -> None:
    new = certificate(tmp_path, "Secure peer")
    peer.behave(new, shown=str(peer.made.certificate_path), shown_times=1)
    refused = await refusal(config(peer.url, store, timeout_s=1.0))
    assert refused.code == "certificate"
    assert split_chain(refused.evidence) == (new.der,)
    assert "Changed: the server now shows another certificate" in refused.why


async def test_that_a_certificate_changed_while_connected_is_named_when_the_channel_ends(
    peer: SecurePeer, store: TrustStore, tmp_path: Path
) -> None:
    new = certificate(tmp_path, "Secure peer")
    session = session_of(config(peer.url, store, timeout_s=1.0))
    session._channel.lifetime_ms = 1_400
    try:
        await session.open(10.0)
        peer.behave(new)
        (*_, ended) = await until(session.events(), lambda event: isinstance(event, Ended))
    finally:
        await session.close()
    assert isinstance(ended, Ended)
    was, now = spaced(thumbprint_of(peer.made.der)), spaced(thumbprint_of(new.der))
    assert ended.why == f"the certificate of the server has changed from {was} to {now}; the secure channel could not be renewed"


# --- a server that does not accept ours


@pytest.mark.parametrize(
    ("way", "code", "why"),
    [
        ("fault", 0x801A0000, r"creating the session: BadCertificateUntrusted \(0x801A0000\): the server does not trust our certificate"),
        ("fault", 0x80170000, "BadCertificateUriInvalid .* does not find our application URI, urn:.*, in our certificate"),
        ("error", 0x80130000, "opening the secure channel: BadSecurityChecksFailed .* does not trust our certificate"),
        ("open-fault", 0x801A0000, "BadCertificateUntrusted .* does not trust our certificate"),
        ("clear-fault", 0x80130000, "BadSecurityChecksFailed .* does not trust our certificate"),
        ("error", 0x80140000, "BadCertificateTimeInvalid .* valid from .* to .*, is expired or not valid yet"),
        ("error", 0x80180000, "BadCertificateUseNotAllowed .* does not accept our certificate"),
        ("cut", 0, "the server closed the connection without a word. Most servers do so when they do not trust: our certificate"),
        ("silent", 0, "no answer within 1 s. Some servers do not answer those that they do not trust: our certificate"),
    ],
)
async def test_that_a_server_that_rejects_us_is_understood_and_lets_us_in_once_it_trusts_us(
    peer: SecurePeer, store: TrustStore, tmp_path: Path, way: str, code: int, why: str
) -> None:
    own = store.own()
    (tmp_path / "trusted").mkdir()
    peer.behave(reject=way, code=code, trusted=str(tmp_path / "trusted"))
    wanted = config(peer.url, store, timeout_s=1.0 if way == "silent" else 5.0)
    refused = await refusal(wanted)
    with pytest.raises(EndpointError, match=why):
        raise refused
    assert (refused.code, refused.evidence) == ("rejected", own.der)
    assert own.name in refused.why + refused.fix
    assert spaced(own.thumbprint) in refused.why
    assert "tried again by itself" in refused.fix
    assert (way == "error" and code == 0x80140000) or "Save our certificate…" in refused.fix
    (tmp_path / "trusted" / "tagloom.der").write_bytes(own.der)
    async with connected(wanted) as (session, _):
        ((_, sample),) = (await session.read([Item(address=SPEED)])).samples()
        assert sample.value == 103.0


def test_that_a_rejected_project_connects_by_itself_once_the_server_trusts_us(peer: SecurePeer, store: TrustStore, tmp_path: Path) -> None:
    (tmp_path / "trusted").mkdir()
    peer.behave(reject="error", code=0x80130000, trusted=str(tmp_path / "trusted"))
    security = Security(policy="Aes128_Sha256_RsaOaep", mode="SignAndEncrypt")
    endpoint = Endpoint(id="peer", name="Peer", addresses={"default": peer.url}, security=security)
    live = LiveProject(
        Editor(Project(ProjectInfo(id="p", name="Line"), [endpoint])),
        pki=str(store.folder),
        limits=LinkLimits(back_off_s=(0.3,), polite_s=0.3),
    )
    try:
        live.connect("peer")
        with pytest.raises(EndpointError) as refused:
            live.wait_connected("peer", 20, first_attempt=True)
        assert (refused.value.code, refused.value.evidence) == ("rejected", store.own().der)
        (tmp_path / "trusted" / "tagloom.der").write_bytes(store.own().der)
        assert live.wait_connected("peer", 20).identity.thumbprint == thumbprint_of(peer.made.der)
    finally:
        live.close()


# --- the trace


async def test_that_the_trace_tells_services_sizes_and_troubles_and_nothing_when_off(peer: SecurePeer, store: TrustStore) -> None:
    async with sniffer(peer.port) as wire, connected(config(f"opc.tcp://127.0.0.1:{wire.port}/peer", store)) as (session, _):
        events = session.events()
        await session.read([Item(address=SPEED)])
        session.trace(True)
        sent, received = len(wire.connections[-1].sent), len(wire.connections[-1].received)
        await session.read([Item(address=SPEED), Item(address=COUNTER)])
        session.trace(False)
        (*before, traffic) = await until(events, lambda event: isinstance(event, Traffic))
        assert not any(isinstance(event, Traffic) for event in before)
        assert isinstance(traffic, Traffic)
        request, answer = (one for one in traffic.exchanges if "Read" in one.text)
        assert (request.sent, request.text, request.trouble) == (True, "ReadRequest, 2 nodes", "")
        assert (answer.sent, answer.text, answer.trouble) == (False, "ReadResponse", "")
        assert answer.round_trip_s > 0 == request.round_trip_s
        assert request.data == answer.data == b""
        assert sum(one.size for one in traffic.exchanges if one.sent) == len(wire.connections[-1].sent) - sent
        assert sum(one.size for one in traffic.exchanges if not one.sent) == len(wire.connections[-1].received) - received
        assert not any(name in vars(session._channel._transport._ua.protocol) for name in ("_send_request",))  # type: ignore[union-attr]
        session.trace(True)
        await session.set_watch([WatchItem(address=COUNTER, handle=1, interval_ms=50)], [])
        seen = await until(
            events, lambda event: isinstance(event, Traffic) and any("Publish" in one.text for one in event.exchanges if not one.sent)
        )
        texts = [one.text for event in seen if isinstance(event, Traffic) for one in event.exchanges]
        assert "CreateMonitoredItemsRequest, 1 items" in texts
        assert any(text.startswith("PublishResponse, 1 values") for text in texts)


async def test_that_a_trace_switched_on_before_tells_the_connecting_too(peer: SecurePeer, store: TrustStore) -> None:
    peer.behave(user_code=0x801F0000)
    session = session_of(config(peer.url, store))
    session.trace(True)
    with pytest.raises(EndpointError):
        await session.open(10.0)
    await session.close()
    told = [one for event in [event async for event in session.events()] if isinstance(event, Traffic) for one in event.exchanges]
    assert [one.text for one in told if one.sent][:6] == [
        "OpenSecureChannelRequest",
        "GetEndpointsRequest",
        "CloseSecureChannelRequest",
        "OpenSecureChannelRequest",
        "CreateSessionRequest",
        "ActivateSessionRequest",
    ]
    assert [one.trouble for one in told if one.text == "ActivateSessionResponse"] == ["BadUserAccessDenied (0x801F0000)"]


async def test_that_a_flood_of_exchanges_is_counted_and_not_told() -> None:
    told: asyncio.Queue[Traffic] = asyncio.Queue()
    trace = Trace(told.put_nowait)
    trace.switch(True)
    for _ in range(700):
        trace._sent(1, "Read", "")
    async with asyncio.timeout(5):
        traffic = await told.get()
    assert (len(traffic.exchanges), traffic.dropped) == (500, 200)
