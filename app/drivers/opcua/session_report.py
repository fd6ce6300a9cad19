"""What answered: product, clock, limits, namespaces, and the ways to connect that it offers."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from math import ceil
from time import time_ns
from typing import Final

from asyncua import ua

from app.drivers.base import EndpointReport
from app.drivers.opcua.address import NodeAddress, parse
from app.drivers.opcua.binary import DataValue, ticks_to_ns
from app.drivers.opcua.session_channel import Channel
from app.drivers.opcua.session_nodes import Nodes, ns0, well_formed
from app.drivers.opcua.session_offers import address_notes, offered_endpoints
from app.drivers.opcua.session_security import Connected
from app.drivers.opcua.session_services import VALUE, Services, encoded
from app.errors import EndpointError, UserError
from app.model.plant import Identity

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
    "MaxMonitoredItems": 24097,
    "MaxMonitoredItemsPerSubscription": 24104,
    "MinSupportedSampleRate": 2272,
}
"""Variables of Server/ServerCapabilities and its OperationLimits, OPC 10000-5 §6.3.11. The last one is in ms, and the fastest."""


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


async def session_report(channel: Channel, services: Services, connected: Connected) -> EndpointReport:
    """Ask the server about itself. Fills ``services.namespaces`` and takes its limits over.

    Raises:
        EndpointError: It does not answer, or has no namespace list.
    """
    await _learn_namespaces(channel, services)
    services.quarantine.know(_encoded_nodes(services))
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
    endpoints = connected.endpoints
    name, uri, _ = application(endpoints)
    uri = uri or (services.namespaces[1] if len(services.namespaces) > 1 else "")
    built = ", ".join(part for part in (maker, product, version, f"build {build}" if build else "") if part)
    offset_s = _offset_s(answers[CURRENT_TIME], (before_ns + after_ns) // 2)
    notes = address_notes(channel.url, endpoints) + connected.notes
    if offset_s is not None and abs(offset_s) > 60.0:
        notes += (f"The server's clock is {abs(offset_s):.0f} s {'ahead of' if offset_s > 0 else 'behind'} this computer's.",)
    return EndpointReport(
        title=" ".join(part for part in (product or name or "OPC UA server", version) if part),
        url=channel.url,
        application_uri=uri,
        product=built,
        namespaces=services.namespaces,
        offered=offered_endpoints(endpoints),
        limits=limits,
        round_trip_s=channel.round_trip_s,
        clock_offset_s=offset_s,
        notes=notes,
        identity=Identity(application_uri=uri, thumbprint=connected.thumbprint, product=built),
        found=services.found,
        granted=dict(connected.granted),
    )


async def _learn_namespaces(channel: Channel, services: Services) -> None:
    (answer,) = await services.read([(ns0(NAMESPACE_ARRAY), VALUE)])
    if not isinstance(answer.value, list) or not answer.value:
        raise EndpointError("Cannot connect", where=channel.url, why="the server has no namespace list (NamespaceArray)")
    services.namespaces = tuple(str(uri) for uri in answer.value)


def _encoded_nodes(services: Services) -> list[bytes]:
    """What earlier sessions quarantined, as far as this server has the namespaces."""
    nodes = Nodes(services)
    found = []
    for text in services.quarantine.why:
        with suppress(UserError):  # learned from another version of the program, or by hand: never in the way
            address = parse(text)
            node = nodes.node_id(address) if isinstance(address, NodeAddress) else None
            if node is not None:
                found.append(encoded(node))
    return found


def _count(answer: DataValue) -> int:
    """Rounded up; 0 where the server states none, or nonsense."""
    value = answer.value
    return ceil(value) if isinstance(value, int | float) and 0 < value < 2**32 and not answer.status >> 30 else 0


def _offset_s(answer: DataValue, now_ns: int) -> float | None:
    """Server's clock minus ours, from the time it puts on the answer."""
    server_ns = ticks_to_ns(answer.server_ticks or answer.source_ticks)
    return (server_ns - now_ns) / 1e9 if server_ns else None
