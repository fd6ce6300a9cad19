"""Which secret a person means."""

from __future__ import annotations

from pathlib import Path

from app.errors import UserError
from app.model.plant import Endpoint
from app.projectfile import open_file
from app.secrets import reference_of
from app.secrets.reference import SCHEME, parts_of


def reference_from(which: str, project: Path | None) -> str:
    """The reference itself, or that of an endpoint by its name; an endpoint without one gets the one it would have.

    Raises:
        UserError: Not a reference, and no such endpoint.
    """
    if which.startswith(SCHEME):
        parts_of(which)
        return which
    if project is None:
        why = "it is no reference (secret://<endpoint id>/<kind>), and no project is named"
        raise UserError(
            "Which secret?", where="the command line", why=why, fix='For example: tagloom secret where "plc" --project "line4.tagloom"'
        )
    endpoints = open_file(project).project.all(Endpoint).values()
    found = next((one for one in endpoints if one.name == which), None)
    if found is None:
        names = ", ".join(one.name for one in endpoints) or "none"
        raise UserError("No such endpoint", where=which, why=f"endpoints of {project.name}: {names}", fix="Give one of these names")
    return found.security.secret or reference_of(found.id)
