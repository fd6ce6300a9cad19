"""Edits of endpoints: one connection each."""

from __future__ import annotations

import msgspec

from app.edits.edit import Edit, create, replace, with_fields
from app.edits.naming import free_name
from app.edits.removal import remove
from app.errors import UserError
from app.model.ids import make_id
from app.model.plant import Endpoint, Identity, Security, Unit
from app.model.project import Project


def add_endpoint(project: Project, name: str, url: str, *, security: Security | None = None) -> Edit:
    """One new endpoint, the only change of the edit. ``url`` is canonical (the driver's ``parse_url``).

    Raises:
        UserError: The name is empty or taken.
    """
    name = free_name("endpoint", name, project.all(Endpoint).values())
    id_ = make_id("endpoint", "", name, url, taken=project)
    return create(f"Add endpoint {name}", [Endpoint(id=id_, name=name, addresses={"default": url}, security=security or Security())])


def rename_endpoint(project: Project, endpoint: str, name: str) -> Edit:
    """Raises ``UserError`` when the name is empty or taken."""
    held = project.all(Endpoint)[endpoint]
    name = free_name("endpoint", name, project.all(Endpoint).values(), but=endpoint)
    return replace(f"Rename {held.name} to {name}", project, [with_fields(held, name=name)])


def set_address(project: Project, endpoint: str, url: str, *, address: str = "default") -> Edit:
    """Set one of the named addresses; an empty ``url`` takes it away.

    Raises:
        UserError: ``default`` cannot be taken away.
    """
    held = project.all(Endpoint)[endpoint]
    if not url and address == "default":
        raise UserError("Cannot remove the address", where=held.name, why="every endpoint has a default address", fix="Change it instead")
    addresses = {name: text for name, text in {**held.addresses, address: url}.items() if text}
    return replace(f"Set {address} address of {held.name}", project, [with_fields(held, addresses=addresses)])


def set_security(project: Project, endpoint: str, security: Security) -> Edit:
    held = project.all(Endpoint)[endpoint]
    return replace(f"Set security of {held.name}", project, [msgspec.structs.replace(held, security=security)])


def set_settings(project: Project, endpoint: str, settings: dict[str, bool | int | float | str]) -> Edit:
    held = project.all(Endpoint)[endpoint]
    return replace(f"Set {held.name}", project, [msgspec.structs.replace(held, settings=settings)])


def set_namespaces(project: Project, endpoint: str, namespaces: tuple[str, ...]) -> Edit:
    """Namespace URIs as the server has them now, in its order; index-only gateways need the order."""
    held = project.all(Endpoint)[endpoint]
    return replace(f"Note namespaces of {held.name}", project, [with_fields(held, namespaces=namespaces)])


def note_identity(project: Project, endpoint: str, identity: Identity) -> Edit:
    """What tells the device that answers from another one, where the project does not know it yet; what it knows stays.

    Only for a device that is the one of the project as far as can be told (``ConnectionState.held`` is False).
    """
    held = project.all(Endpoint)[endpoint]
    return replace(f"Note identity of {held.name}", project, [with_fields(held, identity=_completed(held.identity, identity))])


def note_answer(project: Project, endpoint: str, *, namespaces: tuple[str, ...] = (), identity: Identity | None = None) -> Edit:
    """``set_namespaces`` where the project has none yet, and ``note_identity``, as one change."""
    held = project.all(Endpoint)[endpoint]
    noted = with_fields(
        held,
        namespaces=held.namespaces or namespaces,
        identity=_completed(held.identity, identity) if identity is not None else held.identity,
    )
    return replace(f"Note what answers as {held.name}", project, [noted])


def _completed(known: Identity, found: Identity) -> Identity:
    """Which register tells it is a person's choice (``name_register``); its value counts only if it is of that one."""
    value = known.value or (found.value if known.register and found.register == known.register else "")
    return Identity(
        application_uri=known.application_uri or found.application_uri,
        thumbprint=known.thumbprint or found.thumbprint,
        product=known.product or found.product,
        register=known.register,
        value=value,
    )


def confirm_identity(project: Project, endpoint: str, identity: Identity) -> Edit:
    """Another device, or new firmware, is meant to answer here: from now on it is the one of the project.

    What the new one did not tell is forgotten, but for the certificate of one and the same application: a connection without
    security tells none.
    """
    held = project.all(Endpoint)[endpoint]
    known = held.identity
    same = identity.application_uri and identity.application_uri == known.application_uri
    confirmed = Identity(
        application_uri=identity.application_uri,
        thumbprint=identity.thumbprint or (known.thumbprint if same else ""),
        product=identity.product,
        register=known.register,
        value=identity.value if identity.register == known.register else "",
    )
    return replace(f"Confirm identity of {held.name}", project, [with_fields(held, identity=confirmed)])


def name_register(project: Project, endpoint: str, register: str) -> Edit:
    """The register whose value tells this device from another one (Modbus); "" for none. ``register`` is canonical.

    The value it has is noted once it was read: ``note_identity``.
    """
    held = project.all(Endpoint)[endpoint]
    if register == held.identity.register:
        return replace(f"Set {held.name}", project, [held])
    identity = msgspec.structs.replace(held.identity, register=register, value="")
    return replace(f"Name identity register of {held.name}", project, [with_fields(held, identity=identity)])


def set_unit(project: Project, endpoint: str, number: int, *, name: str = "", order: str = "ABCD") -> Edit:
    """Name a unit id behind an endpoint and give the byte and word order of its tags; makes the unit where there is none."""
    held = next((unit for unit in project.units_of(endpoint) if unit.number == number), None)
    if held is None:
        id_ = make_id("unit", endpoint, name or f"unit {number}", str(number), taken=project)
        held = Unit(id=id_, endpoint=endpoint, number=number)
    return replace(f"Set unit {number} of {project.all(Endpoint)[endpoint].name}", project, [with_fields(held, name=name, order=order)])


def remove_endpoint(project: Project, endpoint: str) -> Edit:
    """With its units, tags, their mappings, and the approvals and comments about all of these."""
    return remove(f"Remove endpoint {project.all(Endpoint)[endpoint].name}", project, [endpoint])
