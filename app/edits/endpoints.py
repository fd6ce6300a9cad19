"""Edits of endpoints: one connection each."""

from __future__ import annotations

import msgspec

from app.edits.edit import Edit, create, replace, with_fields
from app.edits.naming import free_name
from app.edits.removal import remove
from app.errors import UserError
from app.model.ids import make_id
from app.model.plant import Endpoint, Security, Unit
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
