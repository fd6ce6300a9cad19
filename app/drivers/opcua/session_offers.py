"""The ways to connect that a server offers: ranked with a reason, and the one that the project asks for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import SplitResult, urlsplit

from asyncua import ua

from app.drivers.base import OfferedEndpoint
from app.drivers.opcua.session_nodes import well_formed
from app.errors import EndpointError, UserError
from app.model.plant import Security
from app.trust.facts import MAX_DER, split_chain

POLICY_URI: Final = "http://opcfoundation.org/UA/SecurityPolicy#"
NONE: Final = "None"
MODERN: Final = ("Aes256_Sha256_RsaPss", "Aes128_Sha256_RsaOaep", "Basic256Sha256")
"""Best first, OPC 10000-7 §6.6."""

_STRENGTHS: Final = (
    "the strongest policy that this program has",
    "a strong policy, easier for small devices",
    "a good policy that most have",
)
LEGACY: Final = ("Basic256", "Basic128Rsa15")
"""Deprecated since OPC UA 1.04: SHA-1 signatures, and for the second an encryption with known attacks."""

USERS: Final = {0: "anonymous", 1: "password", 2: "certificate", 3: "token"}
_MODES: Final = {1: NONE, 2: "Sign", 3: "SignAndEncrypt"}
_ENCRYPTED: Final = "SignAndEncrypt"


def policy_of(uri: str | None) -> str:
    """``Basic256Sha256`` of its URI; "" where there is none."""
    return well_formed(uri).rpartition("#")[2]


def mode_of(endpoint: ua.EndpointDescription) -> str:
    return _MODES.get(int(endpoint.SecurityMode), "")


def users_of(endpoint: ua.EndpointDescription) -> tuple[str, ...]:
    """Each kind once, in the server's order. A server that states none takes anonymous ones."""
    kinds = (USERS.get(int(token.TokenType), "") for token in endpoint.UserIdentityTokens or ())
    return tuple(dict.fromkeys(kinds))


def token_policy(endpoint: ua.EndpointDescription, token: ua.UserTokenPolicy) -> str:
    """Policy that protects a secret of this token; one that states none takes that of the endpoint (OPC 10000-4 §7.42)."""
    return policy_of(token.SecurityPolicyUri) or policy_of(endpoint.SecurityPolicyUri)


def password_policy(endpoint: ua.EndpointDescription) -> str:
    """The best that a password would be encrypted by here: its token policy, else the channel; ``None`` is in clear, "" not taken."""
    found = {token_policy(endpoint, token) for token in endpoint.UserIdentityTokens or () if int(token.TokenType) == 1}
    best = next((policy for policy in (*MODERN, *LEGACY) if policy in found), "")
    if best or not found:
        return best
    return policy_of(endpoint.SecurityPolicyUri) if mode_of(endpoint) == _ENCRYPTED else NONE


def over_tcp(endpoints: Iterable[ua.EndpointDescription]) -> list[ua.EndpointDescription]:
    return [endpoint for endpoint in endpoints if (endpoint.EndpointUrl or "").startswith("opc.tcp:")]


def offered_endpoints(endpoints: Sequence[ua.EndpointDescription]) -> tuple[OfferedEndpoint, ...]:
    """The offers over opc.tcp, best first."""
    offers = [_offer(endpoint) for endpoint in over_tcp(endpoints)]
    return tuple(sorted(offers, key=lambda offer: (-offer.rank, -offer.level)))


def _offer(endpoint: ua.EndpointDescription) -> OfferedEndpoint:
    policy, mode, level = policy_of(endpoint.SecurityPolicyUri), mode_of(endpoint), int(endpoint.SecurityLevel)
    rank, advice = ranked(policy, mode)
    if level == 0 and rank > 1:
        advice += " The server itself does not recommend it (security level 0)."
    return OfferedEndpoint(
        url=well_formed(endpoint.EndpointUrl),
        policy=policy,
        mode=mode,
        users=users_of(endpoint),
        level=level,
        certificate=_own_certificate(endpoint),
        password_policy=password_policy(endpoint),
        rank=rank,
        advice=advice,
    )


def _own_certificate(endpoint: ua.EndpointDescription) -> bytes:
    """Without the rest of its chain; b"" also for what is too large to be one."""
    chain = split_chain(endpoint.ServerCertificate or b"")
    return chain[0] if chain and len(chain[0]) <= MAX_DER else b""


def ranked(policy: str, mode: str) -> tuple[int, str]:
    """Rank (higher is better, 0 cannot be used) and why it stands there."""
    signs_only = "Signed, but everybody on the network can read what is sent."
    if policy == NONE and mode == NONE:
        return 1, "No protection: everybody on the network can read and change what is sent."
    if mode not in ("Sign", _ENCRYPTED):
        return 0, "This program does not know this mode."
    if policy in MODERN:
        place = MODERN.index(policy)
        if mode == "Sign":
            return 23 - place, signs_only
        return 33 - place, f"Signed and encrypted with {_STRENGTHS[place]}."
    if policy in LEGACY:
        place = LEGACY.index(policy)
        known = "its way of encrypting can be broken" if policy == "Basic128Rsa15" else "its signatures rest on SHA-1"
        weak = f"Legacy: deprecated, {known}; only for servers that have nothing better."
        return (14 - place, weak) if mode == _ENCRYPTED else (12 - place, f"{weak} {signs_only}")
    return 0, "This program does not know this policy."


def shown_offers(endpoints: Sequence[ua.EndpointDescription]) -> str:
    """For a sentence: ``Basic256Sha256 Sign for anonymous or password; …``."""
    offers = dict.fromkeys(
        f"{offer.policy} {offer.mode} for {' or '.join(offer.users) or 'anyone'}" for offer in offered_endpoints(endpoints)
    )
    return "; ".join(offers) or "no connection over opc.tcp"


def choose(url: str, endpoints: Sequence[ua.EndpointDescription], security: Security) -> ua.EndpointDescription:
    """The endpoint that the project asks for, never another one; of several that fit, the one nearest to our own address.

    Raises:
        EndpointError: The server does not offer it, and what it offers instead.
    """
    wanted = [one for one in over_tcp(endpoints) if (policy_of(one.SecurityPolicyUri), mode_of(one)) == (security.policy, security.mode)]
    fit = [one for one in wanted if security.user in (users_of(one) or ("anonymous",))]
    if fit:
        return min(fit, key=lambda one: _distance(url, one))
    if not endpoints and security == Security(name=security.name, secret=security.secret):
        return ua.EndpointDescription(EndpointUrl=url, SecurityPolicyUri=POLICY_URI + NONE, SecurityMode=ua.MessageSecurityMode.None_)
    users = {"anonymous": "an anonymous user", "password": "a user with password", "certificate": "a user with certificate"}
    way = "connection without security" if security.policy == NONE else f"connection with {security.policy} {security.mode}"
    why = f"the server offers no {way} for {users[security.user]}, only {shown_offers(endpoints)}"
    fix = "Nothing else was sent. Choose one of these in the security settings of the endpoint, or allow the other on the server"
    raise EndpointError("Cannot connect", where=url, why=why, fix=fix)


def check_settings(url: str, security: Security) -> None:
    """Before anything is sent.

    Raises:
        UserError: No server can be connected to so; trying again cannot help.
    """
    why = ""
    if security.policy not in (NONE, *MODERN, *LEGACY):
        why = f"this program does not know the security policy {security.policy}"
    elif (security.policy == NONE) != (security.mode == NONE):
        why = f"security policy {security.policy} and mode {security.mode} do not go together"
    elif security.user != "anonymous" and not security.name:
        why = "no user name is set" if security.user == "password" else "no user certificate is chosen"
    if why:
        raise UserError("Cannot connect", where=url, why=why, fix="Correct the security settings of the endpoint; nothing was sent")


def _distance(url: str, endpoint: ua.EndpointDescription) -> tuple[bool, bool, bool]:
    ours, theirs = url_parts(url), url_parts(endpoint.EndpointUrl)
    return ours.path.rstrip("/") != theirs.path.rstrip("/"), port_of(ours) != port_of(theirs), ours.hostname != theirs.hostname


def reached_at(url: str, endpoint: ua.EndpointDescription, endpoints: Sequence[ua.EndpointDescription]) -> tuple[str, int]:
    """Host and port to connect to for this endpoint: those that worked.

    The server's own port is believed only where our port is among its others: then there is no port forwarding between us.
    """
    ours = url_parts(url)
    ports = {port_of(url_parts(one.EndpointUrl)) for one in over_tcp(endpoints)}
    theirs = port_of(url_parts(endpoint.EndpointUrl))
    return ours.hostname or "", theirs if port_of(ours) in ports else port_of(ours)


def url_parts(url: str | None) -> SplitResult:
    """Of a URL that a server wrote: one that is none has empty parts."""
    try:
        return urlsplit(well_formed(url))
    except ValueError:
        return urlsplit("")


def port_of(parts: SplitResult) -> int:
    try:
        return parts.port or 4840
    except ValueError:
        return 4840


def address_notes(url: str, endpoints: Sequence[ua.EndpointDescription]) -> tuple[str, ...]:
    """What to say when the server knows itself by another host: the address that worked is kept in any case."""
    ours = url_parts(url)
    hosts = {url_parts(endpoint.EndpointUrl).hostname or "" for endpoint in over_tcp(endpoints)} - {""}
    if not hosts or ours.hostname in hosts:
        return ()
    shown = ", ".join(sorted(hosts))
    return (f"The server calls itself {shown}, which may not be reachable from here; {ours.hostname}, which answered, is kept.",)
