"""Users of OPC UA against a real server, and what of their secrets is seen on the wire: nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from asyncua.client.client import Client

from app.drivers.base import EndpointConfig, Item
from app.errors import EndpointError, UserError
from app.trust.store import TrustStore
from tests.e2e.opcua_secure import made_store, peer, running, server_certificate, store
from tests.peers.opcua_certificates import Made, certificate
from tests.peers.opcua_secure_peer import OPEN_S, SPEED, Mode, SecurePeer, config, connected
from tests.peers.sniffer import Sniffer, sniffer

__all__ = ["made_store", "peer", "running", "server_certificate", "store"]

CANARY = "Kanarienvogel-7Q!"
"""The password, and the passphrase of the user's key."""

USERS = {"operator": CANARY}
ONLY_ASKED = [["HEL"], ["HEL", "OPN", "MSG", "CLO"]]
SECURED = [
    (policy, mode)
    for policy in ("Aes256_Sha256_RsaPss", "Aes128_Sha256_RsaOaep", "Basic256Sha256", "Basic256", "Basic128Rsa15")
    for mode in ("Sign", "SignAndEncrypt")
]


def is_seen(secret: str, wire: Sniffer) -> bool:
    return any(secret.encode(encoding) in wire.everything for encoding in ("utf-8", "utf-16-le"))


async def reads(wanted: EndpointConfig) -> tuple[str, ...]:
    """Connects and reads a value; the notes of the report."""
    async with connected(wanted) as (session, report):
        ((_, sample),) = (await session.read([Item(address=SPEED)])).samples()
        assert sample.value == 103.0
        return report.notes


async def refusal(wanted: EndpointConfig) -> UserError:
    with pytest.raises(UserError) as refused:
        async with connected(wanted):
            pass
    return refused.value


def through(wire: Sniffer) -> str:
    return f"opc.tcp://127.0.0.1:{wire.port}/peer"


# --- user and password


@pytest.mark.parametrize(("policy", "mode"), SECURED)
async def test_that_a_password_gets_in_and_is_never_seen_on_the_wire(peer: SecurePeer, store: TrustStore, policy: str, mode: Mode) -> None:
    peer.behave(users=USERS, tokens=["password"])
    async with sniffer(peer.port) as wire:
        await reads(config(through(wire), store, policy, mode, user="password", name="operator", secret=CANARY))
    assert len(wire.everything) > 10_000
    assert not is_seen(CANARY, wire)


@pytest.mark.parametrize("token", ["Aes256_Sha256_RsaPss", "Aes128_Sha256_RsaOaep", "Basic256Sha256", "Basic256", "Basic128Rsa15"])
@pytest.mark.parametrize(("policy", "mode"), [("None", "None"), ("Aes256_Sha256_RsaPss", "SignAndEncrypt")])
async def test_that_a_password_is_encrypted_by_its_own_policy_whatever_that_of_the_channel_is(
    peer: SecurePeer, store: TrustStore, policy: str, mode: Mode, token: str
) -> None:
    peer.behave(users=USERS, token_policy=token)
    async with sniffer(peer.port) as wire:
        notes = await reads(config(through(wire), store, policy, mode, user="password", name="operator", secret=CANARY))
    assert not is_seen(CANARY, wire)
    assert any(note.startswith(f"Legacy security: the user is protected by {token} only") for note in notes) == (
        token in ("Basic256", "Basic128Rsa15")
    )
    if policy == "None":
        assert is_seen("operator", wire), "the sniffer sees what is not encrypted"


async def test_that_a_token_that_states_no_policy_takes_that_of_the_channel(peer: SecurePeer, store: TrustStore) -> None:
    peer.behave(users=USERS, token_policy="-")
    async with sniffer(peer.port) as wire:
        await reads(config(through(wire), store, mode="Sign", user="password", name="operator", secret=CANARY))
    assert is_seen("operator", wire)
    assert not is_seen(CANARY, wire)


@pytest.mark.parametrize("length", [0, 177, 178, 179, 1000])
@pytest.mark.parametrize("token", ["Aes256_Sha256_RsaPss", "Basic256Sha256"])
async def test_that_a_password_may_be_longer_than_an_rsa_block(peer: SecurePeer, store: TrustStore, token: str, length: int) -> None:
    long = ("ü☃" + "x" * length)[:length]
    peer.behave(users={"operator": long}, token_policy=token)
    await reads(config(peer.url, store, "None", "None", user="password", name="operator", secret=long))


@pytest.mark.parametrize(("policy", "mode"), [("None", "None"), ("Basic256Sha256", "Sign"), ("Aes256_Sha256_RsaPss", "SignAndEncrypt")])
async def test_that_a_wrong_password_is_named_as_one(peer: SecurePeer, store: TrustStore, policy: str, mode: Mode) -> None:
    peer.behave(users=USERS)
    refused = await refusal(config(peer.url, store, policy, mode, user="password", name="operator", secret="wrong-" + CANARY))
    assert isinstance(refused, EndpointError)
    assert refused.code == "user"
    assert (
        "BadUserAccessDenied (0x801F0000): the server does not let this user name and password in, or the password is wrong" in refused.why
    )
    assert "Check user name and password" in refused.fix
    assert CANARY not in f"{refused!r}{refused}{refused.evidence!r}"


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (0x80210000, "BadIdentityTokenRejected (0x80210000): the server does not accept this user name and password"),
        (0x80200000, "BadIdentityTokenInvalid (0x80200000): the server cannot read how the user was proved"),
        (0x80570000, "BadUserSignatureInvalid (0x80570000): the server does not accept this user name and password"),
    ],
)
async def test_that_other_refusals_of_a_user_are_told_apart(peer: SecurePeer, store: TrustStore, code: int, why: str) -> None:
    peer.behave(users=USERS, user_code=code)
    refused = await refusal(config(peer.url, store, user="password", name="operator", secret=CANARY))
    assert isinstance(refused, EndpointError)
    assert (refused.code, why in refused.why) == ("user", True)


async def test_that_a_server_without_anonymous_users_is_named_before_anything_is_sent(peer: SecurePeer, store: TrustStore) -> None:
    peer.behave(tokens=["password"])
    async with sniffer(peer.port) as wire:
        refused = await refusal(config(through(wire), store))
    assert (
        "no connection with Basic256Sha256 SignAndEncrypt for an anonymous user, only Aes256_Sha256_RsaPss SignAndEncrypt for password"
        in refused.why
    )
    assert wire.messages == ONLY_ASKED


# --- what is refused


@pytest.mark.parametrize(
    ("policy", "mode", "token", "why"),
    [
        ("None", "None", "None", "the password would cross the network in clear text"),
        ("Basic256Sha256", "Sign", "None", "the password would cross the network in clear text"),
        ("Aes256_Sha256_RsaPss", "Sign", "None", "the password would cross the network in clear text"),
        ("None", "None", "-", "the password would cross the network in clear text"),
        ("None", "None", "ECC_nistP256", "the server wants the user protected by ECC_nistP256, which this program does not know"),
    ],
)
async def test_that_a_password_that_would_be_seen_is_refused_and_nothing_is_sent(
    peer: SecurePeer, store: TrustStore, policy: str, mode: Mode, token: str, why: str
) -> None:
    peer.behave(users=USERS, token_policy=token)
    async with sniffer(peer.port) as wire:
        refused = await refusal(config(through(wire), store, policy, mode, user="password", name="operator", secret=CANARY))
    assert why in refused.why
    assert "Nothing secret was sent" in refused.fix
    assert wire.messages == ONLY_ASKED
    assert not is_seen(CANARY, wire)
    assert not is_seen("operator", wire)


@pytest.mark.parametrize("user", ["password", "certificate"])
async def test_that_without_security_the_certificate_a_user_is_proved_to_is_judged_too(
    peer: SecurePeer, store: TrustStore, tmp_path: Path, user_certificate: Made, user: str
) -> None:
    store.import_user("anna", user_certificate.certificate_path.read_bytes(), CANARY, key=user_certificate.key_path.read_bytes())
    peer.behave(certificate(tmp_path, "Impostor"), users=USERS)
    async with sniffer(peer.port) as wire:
        name = "operator" if user == "password" else "anna"
        refused = await refusal(config(through(wire), store, "None", "None", user=user, name=name, secret=CANARY))  # type: ignore[arg-type]
    assert isinstance(refused, EndpointError)
    assert refused.code == "certificate"
    assert wire.messages == ONLY_ASKED


async def test_that_the_sniffer_would_see_a_password(peer: SecurePeer) -> None:
    """So that the tests above can fail: asyncua's client sends it in clear text where the server says so."""
    peer.behave(users=USERS, token_policy="None")
    async with sniffer(peer.port) as wire:
        client = Client(through(wire), timeout=OPEN_S)
        client.set_user("operator")
        client.set_password(CANARY)
        async with client:
            pass
    assert is_seen(CANARY, wire)


# --- users with a certificate


@pytest.fixture(scope="module")
def user_certificate(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Its key is encrypted with the canary."""
    return certificate(tmp_path_factory.mktemp("users"), "Anna", uri="urn:anna", hosts=(), passphrase=CANARY)


@pytest.mark.parametrize(("policy", "mode"), [("None", "None"), *SECURED[:5], SECURED[7], SECURED[9]])
async def test_that_a_user_certificate_gets_in_beside_the_application_certificate(
    peer: SecurePeer, store: TrustStore, user_certificate: Made, policy: str, mode: Mode
) -> None:
    store.import_user("anna", user_certificate.certificate_path.read_bytes(), CANARY, key=user_certificate.key_path.read_bytes())
    peer.behave(tokens=["certificate"], certificates=str(user_certificate.certificate_path.parent))
    async with sniffer(peer.port) as wire:
        await reads(config(through(wire), store, policy, mode, user="certificate", name="anna", secret=CANARY))
    assert not is_seen(CANARY, wire)
    key = user_certificate.key.private_numbers().d.to_bytes(256)
    assert key[:32] not in wire.everything
    assert (store.own().der in wire.everything) == (policy != "None"), "the application certificate opens the secured channel"


async def test_that_a_user_certificate_the_server_does_not_know_is_refused_as_the_user(
    peer: SecurePeer, store: TrustStore, user_certificate: Made
) -> None:
    store.import_user("anna", user_certificate.certificate_path.read_bytes(), CANARY, key=user_certificate.key_path.read_bytes())
    peer.behave(tokens=["certificate"])
    refused = await refusal(config(peer.url, store, user="certificate", name="anna", secret=CANARY))
    assert isinstance(refused, EndpointError)
    assert refused.code == "user"
    assert "the server does not accept this user certificate" in refused.why
    peer.behave(tokens=["certificate"], user_code=0x80130000)
    refused = await refusal(config(peer.url, store, user="certificate", name="anna", secret=CANARY))
    assert isinstance(refused, EndpointError)
    assert refused.code == "user", "BadSecurityChecksFailed at this step is about the user, not about our application"


async def test_that_a_wrong_passphrase_and_an_unknown_user_are_told_before_anything_is_sent(
    peer: SecurePeer, store: TrustStore, user_certificate: Made
) -> None:
    store.import_user("anna", user_certificate.certificate_path.read_bytes(), CANARY, key=user_certificate.key_path.read_bytes())
    async with sniffer(peer.port) as wire:
        wrong = await refusal(config(through(wire), store, user="certificate", name="anna", secret="wrong"))
    assert wire.messages == ONLY_ASKED
    assert not is_seen("wrong", wire)
    unknown = await refusal(config(peer.url, store, user="certificate", name="berta", secret=CANARY))
    assert isinstance(wrong, EndpointError)
    assert (wrong.code, wrong.where) == ("secret", "secret://secure-peer/password")
    assert "berta" in unknown.where + unknown.why
