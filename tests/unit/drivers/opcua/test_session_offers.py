from typing import Literal

import pytest

from app.drivers.base import OfferedEndpoint
from app.drivers.opcua.session_offers import address_notes, choose, offered_endpoints, ranked, reached_at
from app.errors import EndpointError
from app.model.plant import Security
from tests.unit.drivers.opcua.descriptions import URL, endpoint, token

SECURE = Security(policy="Basic256Sha256", mode="SignAndEncrypt")


def test_that_offers_are_listed_best_first_and_only_those_over_tcp() -> None:
    offers = offered_endpoints([endpoint(), endpoint("Basic256Sha256", 3, (1, 2, 1), level=5), endpoint(url="https://10.0.0.5")])
    assert offers == (
        OfferedEndpoint(
            url=URL,
            policy="Basic256Sha256",
            mode="SignAndEncrypt",
            users=("password", "certificate"),
            level=5,
            password_policy="Basic256Sha256",
            rank=31,
            advice="Signed and encrypted with a good policy that most have.",
        ),
        OfferedEndpoint(
            url=URL,
            policy="None",
            mode="None",
            users=("anonymous",),
            rank=1,
            advice="No protection: everybody on the network can read and change what is sent.",
        ),
    )


def test_that_what_this_program_cannot_do_is_ranked_last_and_says_so() -> None:
    offers = offered_endpoints([endpoint("ECC_nistP256", 3), endpoint()])
    assert [offer.rank for offer in offers] == [1, 0]
    assert ranked("Basic256Sha256", "") == (0, "This program does not know this mode.")
    assert "does not know this policy" in offers[1].advice


@pytest.mark.parametrize(
    ("policy", "mode", "tokens", "expected"),
    [
        ("None", 1, (), ""),
        ("None", 1, ("",), "None"),
        ("None", 1, ("None",), "None"),
        ("None", 1, ("None", "Basic128Rsa15", "Basic256Sha256"), "Basic256Sha256"),
        ("Basic256Sha256", 2, ("None",), "None"),
        ("Basic256Sha256", 2, ("",), "Basic256Sha256"),
        ("Basic256Sha256", 3, ("None",), "Basic256Sha256"),
        ("Aes256_Sha256_RsaPss", 3, ("Basic256",), "Basic256"),
        ("None", 1, ("ECC_nistP256",), "None"),
    ],
)
def test_that_it_is_told_what_would_encrypt_a_password(policy: str, mode: int, tokens: tuple[str, ...], expected: str) -> None:
    offered = endpoint(policy, mode, tokens=(token(0), *(token(1, one) for one in tokens)))
    (offer,) = offered_endpoints([offered])
    assert offer.password_policy == expected


def test_that_a_server_without_an_open_door_is_refused_with_what_it_wants() -> None:
    assert choose(URL, [endpoint("Basic256Sha256", 3), endpoint()], Security()).SecurityPolicyUri.endswith("#None")
    assert choose(URL, [], Security()).EndpointUrl == URL
    with pytest.raises(EndpointError):
        choose(URL, [], SECURE)
    for closed in ([endpoint("Basic256Sha256", 3)], [endpoint(users=(1,))], [endpoint("Basic256Sha256", 3), endpoint(users=(1, 2))]):
        with pytest.raises(EndpointError, match="no connection without security for an anonymous user, only") as refused:
            choose(URL, closed, Security())
        assert refused.value.fix


@pytest.mark.parametrize(
    ("security", "why"),
    [
        (Security(policy="Basic256Sha256", mode="Sign"), "no connection with Basic256Sha256 Sign for an anonymous user"),
        (Security(policy="Aes256_Sha256_RsaPss", mode="SignAndEncrypt"), "only Basic256Sha256 SignAndEncrypt for anonymous; None None"),
        (Security(policy="Basic256Sha256", mode="SignAndEncrypt", user="password", name="x"), "for a user with password, only"),
    ],
)
def test_that_another_connection_than_the_one_asked_for_is_never_taken(security: Security, why: str) -> None:
    with pytest.raises(EndpointError, match=why):
        choose(URL, [endpoint("Basic256Sha256", 3), endpoint()], security)


def test_that_of_several_endpoints_the_one_at_our_own_address_is_taken() -> None:
    def at(url: str, user: Literal["anonymous", "password"] = "anonymous") -> str:
        security = Security(user=user, name="operator") if user == "password" else Security()
        return str(choose(url, offers, security).EndpointUrl)

    offers = [
        endpoint(url="opc.tcp://plc:4841/a"),
        endpoint(url="opc.tcp://plc:4840/b"),
        endpoint(url="opc.tcp://10.0.0.5:4840/b", users=(1,)),
    ]
    assert at("opc.tcp://10.0.0.5:4840/b") == "opc.tcp://plc:4840/b"
    assert at("opc.tcp://10.0.0.5:4840/b", "password") == "opc.tcp://10.0.0.5:4840/b"
    assert at("opc.tcp://10.0.0.5:4841/a/") == "opc.tcp://plc:4841/a"
    assert at("opc.tcp://10.0.0.5:9999") == "opc.tcp://plc:4841/a"


def test_that_the_address_that_worked_is_kept_and_another_port_only_believed_beside_ours() -> None:
    here, other = endpoint(url="opc.tcp://plc1:4840/x"), endpoint("Basic256Sha256", 3, url="opc.tcp://plc1:4841/x")
    assert reached_at("opc.tcp://10.0.0.5:4840", other, [here, other]) == ("10.0.0.5", 4841)
    assert reached_at("opc.tcp://10.0.0.5:14840", other, [here, other]) == ("10.0.0.5", 14840)
    assert reached_at("opc.tcp://10.0.0.5:4840", endpoint(url="opc.tcp://[no"), [here]) == ("10.0.0.5", 4840)
    assert reached_at("opc.tcp://10.0.0.5:4840", endpoint(url="opc.tcp://plc:99999"), [here]) == ("10.0.0.5", 4840)


def test_that_another_host_name_is_noted_and_ours_is_kept() -> None:
    assert address_notes(URL, [endpoint()]) == ()
    assert address_notes(URL, []) == ()
    (note,) = address_notes(URL, [endpoint(url="opc.tcp://PLC-7:4840"), endpoint(url="opc.tcp://plc-7:4840/x")])
    assert note == "The server calls itself plc-7, which may not be reachable from here; 10.0.0.5, which answered, is kept."


def test_that_an_offer_carries_the_servers_own_certificate_without_its_chain() -> None:
    def told(der: bytes | None) -> bytes:
        one = endpoint()
        one.ServerCertificate = der
        return offered_endpoints([one])[0].certificate

    assert told(b"\x30\x01a\x30\x01b") == b"\x30\x01a"
    assert told(None) == b""
    assert told(b"\x30\x83\x01\x00\x00" + bytes(65_536)) == b""
