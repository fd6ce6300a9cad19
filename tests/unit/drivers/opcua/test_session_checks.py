from typing import Any

import pytest

from app.drivers.opcua.session_checks import check_certificate, check_offers
from app.errors import EndpointError
from tests.unit.drivers.opcua.descriptions import URL, endpoint, token, ua

GOOD = endpoint("Basic256Sha256", 3, (0, 1), level=3)
BETTER = endpoint("Aes256_Sha256_RsaPss", 3, (0, 1), level=9)


def at(url: str, one: Any = GOOD) -> Any:
    moved = endpoint(level=int(one.SecurityLevel), url=url)
    moved.SecurityMode, moved.SecurityPolicyUri, moved.UserIdentityTokens = one.SecurityMode, one.SecurityPolicyUri, one.UserIdentityTokens
    return moved


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ([GOOD, BETTER], [BETTER, GOOD]),
        ([GOOD, at("opc.tcp://other:4840")], [GOOD]),
        ([GOOD, endpoint(url="https://x")], [GOOD]),
        ([at("opc.tcp://10.0.0.5:14840/")], [at("opc.tcp://plc:4840")]),
        ([GOOD, at("opc.tcp://10.0.0.5:4840/other", BETTER)], [GOOD]),
    ],
)
def test_that_the_same_offers_in_another_order_or_from_another_side_are_the_same(before: list[Any], now: list[Any]) -> None:
    check_offers(URL, URL, before, now)


@pytest.mark.parametrize(
    ("before", "now", "why"),
    [
        ([GOOD], [GOOD, BETTER], "Aes256_Sha256_RsaPss SignAndEncrypt, level 9, 2 user tokens was left out of the list"),
        ([GOOD, BETTER], [GOOD], "Aes256_Sha256_RsaPss SignAndEncrypt, level 9, 2 user tokens was only in the list"),
        ([GOOD], [endpoint("Basic256Sha256", 3, (0, 1), level=4)], "level 4.* was left out .*level 3.* was only in"),
        ([GOOD], [], "was only in the list"),
        (
            [endpoint("Basic256Sha256", 3, tokens=(token(1, "None"),))],
            [endpoint("Basic256Sha256", 3, tokens=(token(1, "Basic256"),))],
            "left out",
        ),
    ],
)
def test_that_another_list_under_protection_is_refused(before: list[Any], now: list[Any], why: str) -> None:
    with pytest.raises(EndpointError, match=why) as refused:
        check_offers(URL, URL, before, now)
    assert "Nothing secret was sent" in refused.value.fix


@pytest.mark.parametrize(
    ("sent", "nonce", "is_secured", "why"),
    [
        (b"\x30\x01a", bytes(32), True, ""),
        (b"\x30\x01a\x30\x01z", bytes(32), True, ""),
        (None, bytes(32), False, ""),
        (None, bytes(32), True, "another certificate"),
        (b"\x30\x01b", bytes(32), True, "another certificate"),
        (b"\x30\x01b", bytes(32), False, "another certificate"),
        (b"\x30\x01a", bytes(31), True, "has 31 bytes and not 32"),
        (b"\x30\x01a", None, False, "has 0 bytes and not 32"),
    ],
)
def test_that_the_session_shows_the_accepted_certificate_and_a_whole_nonce(
    sent: bytes | None, nonce: bytes | None, is_secured: bool, why: str
) -> None:
    created = ua.CreateSessionResult(ServerCertificate=sent, ServerNonce=nonce)
    if not why:
        check_certificate(URL, b"\x30\x01a", created, is_secured=is_secured)
        return
    with pytest.raises(EndpointError, match=why):
        check_certificate(URL, b"\x30\x01a", created, is_secured=is_secured)
