"""Endpoint descriptions as a server would send them."""

from __future__ import annotations

from typing import Any

import asyncua.ua

ua: Any = asyncua.ua  # Any: its annotations ask for wrappers that it does not need
URL = "opc.tcp://10.0.0.5:4840"
POLICY = "http://opcfoundation.org/UA/SecurityPolicy#"


def token(kind: int, policy: str = "", name: str = "") -> Any:
    return ua.UserTokenPolicy(
        PolicyId=name or None, TokenType=ua.UserTokenType(kind), SecurityPolicyUri=POLICY + policy if policy else None
    )


def endpoint(
    policy: str = "None", mode: int = 1, users: tuple[int, ...] = (0,), url: str = URL, level: int = 0, tokens: tuple[Any, ...] = ()
) -> Any:
    return ua.EndpointDescription(
        EndpointUrl=url,
        SecurityMode=ua.MessageSecurityMode(mode),
        SecurityPolicyUri=POLICY + policy,
        UserIdentityTokens=list(tokens) or [token(user) for user in users],
        SecurityLevel=level,
    )
