"""Looking at a snapshot instead of a device, and back: where an endpoint is reached from this laptop. The project stays as it is."""

from __future__ import annotations

from pathlib import Path

from app.drivers import is_offline, spec_for
from app.drivers.snapshot.endpoint import add_endpoint_of
from app.drivers.snapshot.lines import SUFFIX, Header
from app.drivers.snapshot.reading import read_header
from app.drivers.snapshot.spec import url_of
from app.errors import UserError
from app.model.plant import Endpoint
from widgets.workbench import Workbench

FILES = f"Snapshots (*{SUFFIX})"


def is_snapshot_file(path: Path) -> bool:
    return path.name.lower().endswith(SUFFIX)


def is_on_snapshot(workbench: Workbench, endpoint: str) -> bool:
    """Whether the endpoint is reached as a snapshot here, opened or not."""
    return is_offline(workbench.live.url_of(endpoint))


def open_snapshot(workbench: Workbench, path: Path, endpoint: str = "") -> None:
    """Reach an endpoint as this file from now on, and open it.

    Args:
        endpoint: Which; "" is the one of which it was taken, and where the project has none, a new one is made.

    Raises:
        UserError: It is no snapshot, or of another kind of endpoint.
    """
    header = read_header(path)
    if endpoint:
        _check_kind(workbench, endpoint, header)
    else:
        endpoint = _taken_of(workbench, header) or _added(workbench, header)
    _reach(workbench, endpoint, url_of(path))
    workbench.select("endpoint", [endpoint], endpoint)


def back_to_device(workbench: Workbench, endpoint: str) -> None:
    """Reach the endpoint at its own address again, and connect."""
    _reach(workbench, endpoint, None)


def _reach(workbench: Workbench, endpoint: str, url: str | None) -> None:
    live = workbench.live
    live.disconnect(endpoint)
    live.set_reach(endpoint, url)
    workbench.workspace.set_reach(workbench.project.info.id, endpoint, url)
    live.connect(endpoint)


def _check_kind(workbench: Workbench, endpoint: str, header: Header) -> None:
    held = workbench.project.all(Endpoint)[endpoint]
    spec = spec_for(held.addresses["default"])
    if spec.key != header.driver:
        why = f"it was taken of {header.endpoint}, which speaks another protocol than {held.name} ({spec.title})"
        raise UserError("Cannot open the snapshot", where=held.name, why=why, fix="Choose another endpoint, or none to make a new one")


def _taken_of(workbench: Workbench, header: Header) -> str:
    """The endpoint with the address or the application URI of then, else with the name; "" where there is none."""
    same_kind = [one for one in workbench.project.all(Endpoint).values() if _key(one) == header.driver]
    known = header.report.application_uri
    for is_it in (
        lambda one: header.url in one.addresses.values(),
        lambda one: known and one.identity.application_uri == known,
        lambda one: one.name == header.endpoint,
    ):
        if found := [one.id for one in same_kind if is_it(one)]:
            return found[0]
    return ""


def _added(workbench: Workbench, header: Header) -> str:
    edit = add_endpoint_of(workbench.project, header)
    workbench.do(edit)
    return edit.changes[0].id


def _key(endpoint: Endpoint) -> str:
    try:
        return spec_for(endpoint.addresses["default"]).key
    except UserError:
        return ""
