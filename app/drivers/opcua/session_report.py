"""What answered: product, clock, limits, namespaces, and the ways to connect that it offers."""

from __future__ import annotations

from collections.abc import Sequence
from time import time_ns
from typing import Final
from urllib.parse import urlsplit

from asyncua import ua

from app.drivers.base import EndpointReport, OfferedEndpoint
from app.drivers.opcua.binary import DataValue, ticks_to_ns
from app.drivers.opcua.session_channel import Channel, is_unsecured
from app.drivers.opcua.session_nodes import ns0, well_formed
from app.drivers.opcua.session_services import VALUE, Services
from app.errors import EndpointError

NAMESPACE_ARRAY: Final = 2255
CURRENT_TIME: Final = 2258
_PRODUCT: Final = {"product": 2261, "maker": 2263, "version": 2264, "build": 2265}
"""Variables of Server/ServerStatus/BuildInfo."""

LIMITS: Final = {
    "MaxNodesPerRead": 11705,
    "MaxNodesPerBrowse": 11710,
    "MaxNodesPerTranslateBrowsePathsToNodeIds": 11712,
    "MaxMonitoredItemsPerCall": 11714,
    "MaxBrowseContinuationPoints": 2735,
    "MaxArrayLength": 11702,
    "MaxStringLength": 11703,
}
"""Variables of Server/ServerCapabilities and its OperationLimits, OPC 10000-5 §6.3.11."""

_MODES: Final = {1: "None", 2: "Sign", 3: "SignAndEncrypt"}
_USERS: Final = {0: "anonymous", 1: "password", 2: "certificate", 3: "token"}


def offered_endpoints(endpoints: Sequence[ua.EndpointDescription]) -> tuple[OfferedEndpoint, ...]:
    """The offers over opc.tcp, best protected first."""
    offers = [
        OfferedEndpoint(
            url=well_formed(endpoint.EndpointUrl),
            policy=well_formed(endpoint.SecurityPolicyUri).rpartition("#")[2],
            mode=_MODES.get(int(endpoint.SecurityMode), ""),
            users=tuple(dict.fromkeys(_USERS.get(int(token.TokenType), "") for token in endpoint.UserIdentityTokens or ())),
            level=int(endpoint.SecurityLevel),
        )
        for endpoint in endpoints
        if (endpoint.EndpointUrl or "").startswith("opc.tcp:")
    ]
    return tuple(sorted(offers, key=lambda offer: (-offer.level, offer.policy, offer.mode)))


def address_notes(url: str, endpoints: Sequence[ua.EndpointDescription]) -> tuple[str, ...]:
    """What to say when the server knows itself by another host: the address that worked is kept in any case."""
    ours = urlsplit(url)
    others = dict.fromkeys(well_formed(endpoint.EndpointUrl) for endpoint in endpoints)
    hosts = {(urlsplit(other).hostname or "") for other in others if other.startswith("opc.tcp:")} - {""}
    if not hosts or ours.hostname in hosts:
        return ()
    shown = ", ".join(sorted(hosts))
    return (f"The server calls itself {shown}, which may not be reachable from here; {ours.hostname}, which answered, is kept.",)


def application(endpoints: Sequence[ua.EndpointDescription]) -> tuple[str, str, str]:
    """Name, URI and product URI of the server, from its own endpoint descriptions."""
    for endpoint in endpoints:
        server = endpoint.Server
        return well_formed(server.ApplicationName.Text), well_formed(server.ApplicationUri), well_formed(server.ProductUri)
    return "", "", ""


def offer_report(url: str, endpoints: Sequence[ua.EndpointDescription], round_trip_s: float) -> EndpointReport:
    """As far as is known without a session."""
    name, uri, product = application(endpoints)
    return EndpointReport(
        title=name or "OPC UA server",
        url=url,
        application_uri=uri,
        product=product,
        offered=offered_endpoints(endpoints),
        round_trip_s=round_trip_s,
        notes=address_notes(url, endpoints),
    )


def require_unsecured(url: str, endpoints: Sequence[ua.EndpointDescription]) -> None:
    """Refuse to go on where the server would refuse an unprotected, anonymous connection, and say what it wants.

    Raises:
        EndpointError: No endpoint without security and for an anonymous user is offered.
    """
    offers = offered_endpoints(endpoints)
    if not endpoints or any(is_unsecured(one) and not _wants_user(one) for one in endpoints):
        return
    shown = "; ".join(f"{offer.policy} {offer.mode} for {' or '.join(offer.users)}" for offer in offers)
    why = f"the server offers no connection without security for an anonymous user, only {shown}"
    fix = "This version connects without security and anonymously; allow that on the server for a test, or wait for secured connections"
    raise EndpointError("Cannot connect", where=url, why=why, fix=fix)


def _wants_user(endpoint: ua.EndpointDescription) -> bool:
    tokens = endpoint.UserIdentityTokens or ()
    return bool(tokens) and all(int(token.TokenType) != 0 for token in tokens)


async def session_report(channel: Channel, services: Services, endpoints: Sequence[ua.EndpointDescription]) -> EndpointReport:
    """Ask the server about itself. Fills ``services.namespaces`` and takes its limits over.

    Raises:
        EndpointError: It does not answer, or has no namespace list.
    """
    await _learn_namespaces(channel, services)
    numbers = (CURRENT_TIME, *_PRODUCT.values(), *LIMITS.values())
    before_ns = time_ns()
    answers = dict(zip(numbers, await services.read([(ns0(number), VALUE) for number in numbers]), strict=True))
    after_ns = time_ns()
    limits = {name: _count(answers[number]) for name, number in LIMITS.items()}
    services.limit("read", limits["MaxNodesPerRead"])
    services.limit("browse", limits["MaxNodesPerBrowse"])
    services.limit("translate", limits["MaxNodesPerTranslateBrowsePathsToNodeIds"])
    services.limit("monitor", limits["MaxMonitoredItemsPerCall"])
    product, maker, version, build = (str(answers[number].value or "") for number in _PRODUCT.values())
    name, uri, _ = application(endpoints)
    offset_s = _offset_s(answers[CURRENT_TIME], (before_ns + after_ns) // 2)
    notes = address_notes(channel.url, endpoints)
    if offset_s is not None and abs(offset_s) > 60.0:
        notes += (f"The server's clock is {abs(offset_s):.0f} s {'ahead of' if offset_s > 0 else 'behind'} this computer's.",)
    return EndpointReport(
        title=" ".join(part for part in (product or name or "OPC UA server", version) if part),
        url=channel.url,
        application_uri=uri or (services.namespaces[1] if len(services.namespaces) > 1 else ""),
        product=", ".join(part for part in (maker, product, version, f"build {build}" if build else "") if part),
        namespaces=services.namespaces,
        offered=offered_endpoints(endpoints),
        limits=limits,
        round_trip_s=channel.round_trip_s,
        clock_offset_s=offset_s,
        notes=notes,
    )


async def _learn_namespaces(channel: Channel, services: Services) -> None:
    (answer,) = await services.read([(ns0(NAMESPACE_ARRAY), VALUE)])
    if not isinstance(answer.value, list) or not answer.value:
        raise EndpointError("Cannot connect", where=channel.url, why="the server has no namespace list (NamespaceArray)")
    services.namespaces = tuple(str(uri) for uri in answer.value)


def _count(answer: DataValue) -> int:
    return answer.value if isinstance(answer.value, int) and not answer.status >> 30 else 0


def _offset_s(answer: DataValue, now_ns: int) -> float | None:
    """Server's clock minus ours, from the time it puts on the answer."""
    server_ns = ticks_to_ns(answer.server_ticks or answer.source_ticks)
    return (server_ns - now_ns) / 1e9 if server_ns else None
