"""How gateways reach a Modbus endpoint that is not plain Modbus TCP: what they can, and what is lost."""

from __future__ import annotations

from collections.abc import Sequence

from app.drivers.modbus.url import ModbusUrl
from app.gateways.base import Loss
from app.gateways.feeds import Connection


def over_tls(connections: Sequence[Connection]) -> frozenset[str]:
    """Ids of the endpoints that speak Modbus over TLS, which neither Telegraf 1.39 nor contrib-modbus 5.23 does."""
    return frozenset(
        connection.endpoint.id
        for connection in connections
        if connection.protocol == "modbus" and ModbusUrl(connection.url).transport == "tls"
    )


def transport_losses(connection: Connection, gateway: str) -> list[Loss]:
    """What a gateway does otherwise on a line without transaction ids (RTU, RTU over TCP)."""
    url, place = ModbusUrl(connection.url), connection.endpoint.name
    if not url.is_serial:
        return []
    losses = [
        Loss(
            place,
            "waiting for a quiet line after a lost reply",
            f"{gateway} may take a reply that comes too late for the one to its next request; a long time-out helps",
        )
    ]
    if connection.endpoint.settings.get("echo") == "yes":
        losses.append(Loss(place, "an adapter that repeats what is sent", f"{gateway} takes the echo for the reply: switch the echo off"))
    return losses
