"""Names of the environment variables that an export asks for. Secrets are named so; they never stand in a file."""

from __future__ import annotations

from app.gateways.feeds import Connection


def variable(endpoint_id: str, what: str) -> str:
    """``OPCUA_FILLER_OPCUA_PASSWORD``: ids are letters, digits and hyphens, so this is always a name of a variable."""
    return f"OPCUA_{endpoint_id}_{what}".upper().replace("-", "_")


def endpoint_variables(connection: Connection, *, client_certificate: bool) -> list[str]:
    """Lines of ``.env.example`` for one endpoint.

    Args:
        client_certificate: The target needs the gateway's own certificate where messages are signed.
    """
    id_, security = connection.endpoint.id, connection.endpoint.security
    if connection.protocol != "opcua":
        return []
    lines: list[str] = []
    if security.user == "password":
        lines += [f"# Log-in at the OPC UA endpoint {id_}.", f"{variable(id_, 'USER')}=", f"{variable(id_, 'PASSWORD')}="]
    if security.user == "certificate" or (client_certificate and security.mode != "None"):
        whose = "user" if security.user == "certificate" else "gateway"
        lines += [f"# Paths of the {whose}'s certificate and key for {id_}.", f"{variable(id_, 'CERT')}=", f"{variable(id_, 'KEY')}="]
    return ["", *lines] if lines else []
