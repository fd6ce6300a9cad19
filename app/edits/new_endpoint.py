"""A new endpoint as the dialog makes it: with its security, the reference to its secret, and the byte order of its unit, in one edit."""

from __future__ import annotations

import msgspec

from app.edits.edit import Edit, create, with_fields
from app.edits.endpoints import add_endpoint
from app.model.element import Element
from app.model.ids import make_id
from app.model.plant import Endpoint, Security, Unit
from app.model.project import Project
from app.secrets.reference import reference_of


def add_connection(
    project: Project, name: str, url: str, *, security: Security, passphrase: bool = False, unit: int | None = None, order: str = "ABCD"
) -> Edit:
    """The endpoint is the first change of the edit.

    Args:
        url: Canonical (the driver's ``parse_url``).
        security: Its reference to a secret is made here, of the new id.
        passphrase: As of ``with_secret``.
        unit: Modbus unit id whose byte and word order is ``order``; a unit is noted where that is not the usual one.

    Raises:
        UserError: The name is empty or taken.
    """
    after = add_endpoint(project, name, url).changes[0].after
    assert isinstance(after, Endpoint)
    made: list[Element] = [msgspec.structs.replace(after, security=with_secret(security, after.id, passphrase=passphrase))]
    if unit is not None and order != "ABCD":
        id_ = make_id("unit", after.id, f"unit {unit}", str(unit), taken=project)
        made.append(with_fields(Unit(id=id_, endpoint=after.id, number=unit), order=order))
    return create(f"Add endpoint {after.name}", made)


def with_secret(security: Security, endpoint_id: str, *, passphrase: bool = False) -> Security:
    """With the reference that belongs to the kind of user, never a value.

    Args:
        passphrase: The key of the user certificate is kept encrypted, so its passphrase is needed.
    """
    kind = "password" if security.user == "password" else "passphrase" if security.user == "certificate" and passphrase else ""
    return msgspec.structs.replace(security, secret=reference_of(endpoint_id, kind) if kind else "")
