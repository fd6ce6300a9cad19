"""Changing how an endpoint is connected to, everything in one edit: name, addresses, security, driver settings, identity register."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from app.edits.edit import Edit, replace, with_fields
from app.edits.naming import free_name
from app.edits.new_endpoint import with_secret
from app.errors import UserError
from app.model.plant import Endpoint, Security
from app.model.project import Project


def change_connection(
    project: Project,
    endpoint: str,
    *,
    name: str,
    addresses: Mapping[str, str],
    security: Security,
    settings: Mapping[str, bool | int | float | str],
    register: str = "",
    passphrase: bool = False,
) -> Edit:
    """What is as it was is left alone; nothing changed is an edit without changes.

    Args:
        addresses: Name → canonical URL; ``default`` is among them.
        security: Its reference to a secret is made here; one that the project names already stays while the kind of user does.
        register: Modbus: what tells this device from another (``Identity.register``), canonical. Another one forgets the value it had.
        passphrase: As of ``app.edits.new_endpoint.with_secret``.

    Raises:
        UserError: The name is empty or taken, or there is no default address.
    """
    held = project.all(Endpoint)[endpoint]
    if not addresses.get("default"):
        raise UserError("Cannot change the connection", where=held.name, why="it has no default address", fix="Write one")
    name = free_name("endpoint", name, project.all(Endpoint).values(), but=endpoint)
    secured = with_secret(security, endpoint, passphrase=passphrase)
    if held.security.user == security.user and held.security.secret and secured.secret:
        secured = msgspec.structs.replace(secured, secret=held.security.secret)
    identity = held.identity
    if register != identity.register:
        identity = msgspec.structs.replace(identity, register=register, value="")
    changed = with_fields(held, name=name, addresses=dict(addresses), security=secured, settings=dict(settings), identity=identity)
    return replace(f"Change connection of {held.name}", project, [changed])
