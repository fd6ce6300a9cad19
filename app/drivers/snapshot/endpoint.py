"""An endpoint of a project, made from a snapshot of it."""

from __future__ import annotations

import itertools

import msgspec

from app.drivers.snapshot.lines import Header
from app.edits.edit import Edit, create, with_fields
from app.edits.endpoints import add_endpoint
from app.model.element import Element
from app.model.ids import make_id
from app.model.plant import Endpoint, Unit
from app.model.project import Project


def add_endpoint_of(project: Project, header: Header, name: str = "") -> Edit:
    """The endpoint that the snapshot was taken of, at its own address, with its namespaces, identity and units; the first change.

    That it is reached as the snapshot from here is for the caller to say: no project holds that.

    Args:
        name: Instead of that of then; made different where it is taken.
    """
    after = add_endpoint(project, _free(name or header.endpoint, project), header.url).changes[0].after
    assert isinstance(after, Endpoint)
    endpoint = msgspec.structs.replace(after, namespaces=header.report.namespaces, identity=header.report.identity)
    made: list[Element] = [endpoint]
    for unit in header.units:
        id_ = make_id("unit", endpoint.id, f"unit {unit.number}", str(unit.number), taken=project)
        made.append(with_fields(Unit(id=id_, endpoint=endpoint.id, number=unit.number), order=unit.order))
    return create(f"Add endpoint {endpoint.name}", made)


def _free(name: str, project: Project) -> str:
    names = {endpoint.name for endpoint in project.all(Endpoint).values()}
    numbered = (f"{name} {number}" for number in itertools.count(2))
    return name if name not in names else next(other for other in numbered if other not in names)
