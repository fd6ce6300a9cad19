"""SRC: the source side: tags, registers, endpoints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from app.check.base import Finding, Rule
from app.drivers import is_offline, spec_for
from app.drivers.base import ItemState
from app.errors import UserError
from app.model.plant import Endpoint, Tag
from app.model.project import Project


def tag_place(project: Project, tag: Tag) -> str:
    endpoint = project.get(Endpoint, tag.endpoint)
    return f"{endpoint.name if endpoint else tag.endpoint}/{tag.name}"


def _bad_addresses(project: Project) -> Iterator[Finding]:
    for tag in project.all(Tag).values():
        endpoint = project.get(Endpoint, tag.endpoint)
        if endpoint is None:
            continue
        try:
            spec = spec_for(endpoint.addresses["default"])
        except UserError:
            continue  # SRC-004 reports the endpoint
        try:
            canonical = spec.parse_address(tag.address)
        except UserError as error:
            yield Finding("SRC-001", "error", tag.id, tag_place(project, tag), f"{error.what}: {error.why}", error.fix)
            continue
        if canonical != tag.address:
            message = f'the address is written "{tag.address}"; its canonical form is "{canonical}"'
            yield Finding("SRC-001", "warning", tag.id, tag_place(project, tag), message, "Write the canonical form")


def _bad_endpoints(project: Project) -> Iterator[Finding]:
    for endpoint in project.all(Endpoint).values():
        for name, url in endpoint.addresses.items():
            try:
                spec_for(url).parse_url(url)
                if is_offline(url):
                    why = "a file on one computer is where nobody else reaches it"
                    raise UserError("Not an address", where=url, why=why, fix="Write the address of the device, and reach it as the file")
            except UserError as error:
                yield Finding("SRC-004", "error", endpoint.id, endpoint.name, f'the address "{name}": {error.why}', error.fix)


def _twins(project: Project) -> Iterator[Finding]:
    count = Counter((tag.endpoint, tag.address) for tag in project.all(Tag).values())
    for tag in project.all(Tag).values():
        if count[tag.endpoint, tag.address] > 1:
            names = ", ".join(twin.name for twin in project.tags_at(tag.endpoint, tag.address) if twin.id != tag.id)
            yield Finding(
                "SRC-002",
                "info",
                tag.id,
                tag_place(project, tag),
                f"the same source is also the tag {names}",
                "Keep one, unless both are meant",
            )


def _empty_ranges(project: Project) -> Iterator[Finding]:
    for tag in project.all(Tag).values():
        if tag.low is not None and tag.high is not None and tag.low >= tag.high:
            message = f"the range {tag.low:g}…{tag.high:g} is empty or upside down"
            yield Finding("SRC-003", "warning", tag.id, tag_place(project, tag), message, "Correct low and high of the tag")


def _not_without_devices(_: Project) -> Iterator[Finding]:
    """The project alone does not tell."""
    return iter(())


def _moved(project: Project, strayed: Mapping[str, ItemState]) -> Iterator[Finding]:
    for tag_id, state in strayed.items():
        tag = project.get(Tag, tag_id)
        if tag is not None and state.rebind not in ("", tag.address) and not state.refused:
            message = f"its variable was found by its path; the id is {state.rebind} now, the project still says {tag.address}"
            yield Finding("SRC-005", "warning", tag.id, tag_place(project, tag), message, "Re-bind…")


def _other_variables(project: Project, strayed: Mapping[str, ItemState]) -> Iterator[Finding]:
    for tag_id, state in strayed.items():
        tag = project.get(Tag, tag_id)
        if tag is not None and state.refused:
            message = state.refused + (f"; its own variable seems to be {state.rebind} now" if state.rebind else "")
            yield Finding("SRC-006", "error", tag.id, tag_place(project, tag), message, "Re-bind…")


RULES = [
    Rule("SRC-001", "bad address", "error", "The driver cannot ask for it.", _bad_addresses),
    Rule("SRC-002", "same source", "info", "Two names for one value confuse who reads them.", _twins),
    Rule("SRC-004", "bad endpoint", "error", "Nothing can be connected.", _bad_endpoints),
    Rule("SRC-003", "empty range", "warning", "Checks and scalings that use the range are wrong.", _empty_ranges),
    Rule(
        "SRC-005",
        "moved",
        "warning",
        "Gateways read by id, and the id that the project gives them is not the variable's any more.",
        _not_without_devices,
        find_strayed=_moved,
    ),
    Rule(
        "SRC-006",
        "identity changed",
        "error",
        "Another variable stands at the tag's address: a gateway would deliver its values under the tag's name.",
        _not_without_devices,
        find_strayed=_other_variables,
    ),
]
