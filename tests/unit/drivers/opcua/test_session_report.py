from typing import Any

import asyncua.ua
import pytest

from app.drivers.base import OfferedEndpoint
from app.drivers.opcua.session_report import address_notes, offered_endpoints, require_unsecured
from app.errors import EndpointError

ua: Any = asyncua.ua  # Any: its annotations ask for wrappers that it does not need
URL = "opc.tcp://10.0.0.5:4840"
POLICY = "http://opcfoundation.org/UA/SecurityPolicy#"


def endpoint(policy: str = "None", mode: int = 1, users: tuple[int, ...] = (0,), url: str = URL, level: int = 0) -> Any:
    return ua.EndpointDescription(
        EndpointUrl=url,
        SecurityMode=ua.MessageSecurityMode(mode),
        SecurityPolicyUri=POLICY + policy,
        UserIdentityTokens=[ua.UserTokenPolicy(TokenType=ua.UserTokenType(user)) for user in users],
        SecurityLevel=level,
    )


def test_that_offers_are_listed_best_first_and_only_those_over_tcp() -> None:
    offers = offered_endpoints([endpoint(), endpoint("Basic256Sha256", 3, (1, 2, 1), level=5), endpoint(url="https://10.0.0.5")])
    assert offers == (
        OfferedEndpoint(url=URL, policy="Basic256Sha256", mode="SignAndEncrypt", users=("password", "certificate"), level=5),
        OfferedEndpoint(url=URL, policy="None", mode="None", users=("anonymous",)),
    )


def test_that_a_server_without_an_open_door_is_refused_with_what_it_wants() -> None:
    require_unsecured(URL, [endpoint("Basic256Sha256", 3), endpoint()])
    require_unsecured(URL, [])
    for closed in ([endpoint("Basic256Sha256", 3)], [endpoint(users=(1,))], [endpoint("Basic256Sha256", 3), endpoint(users=(1, 2))]):
        with pytest.raises(EndpointError, match="only") as refused:
            require_unsecured(URL, closed)
        assert refused.value.fix


def test_that_another_host_name_is_noted_and_ours_is_kept() -> None:
    assert address_notes(URL, [endpoint()]) == ()
    assert address_notes(URL, []) == ()
    (note,) = address_notes(URL, [endpoint(url="opc.tcp://PLC-7:4840"), endpoint(url="opc.tcp://plc-7:4840/x")])
    assert note == "The server calls itself plc-7, which may not be reachable from here; 10.0.0.5, which answered, is kept."
