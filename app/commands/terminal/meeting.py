"""Who answers, beside whom the project knows; and keeping it in the project file."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from app.commands.terminal.endpoint import Target
from app.commands.terminal.progress import note
from app.edits import Editor
from app.edits.endpoints import confirm_identity
from app.errors import EndpointError
from app.model.plant import Endpoint, Identity
from app.projectfile import open_file, save
from app.runtime.identity import Difference


class Met(NamedTuple):
    """``rows`` are title, text in the project and text found."""

    found: Identity
    rows: list[tuple[str, str, str]]
    changed: tuple[Difference, ...]


def meet(chosen: Target, timeout_s: float) -> Met:
    """Connect and compare.

    Raises:
        UserError: Why it could not be connected; another device is no failure here.
    """
    try:
        chosen.connect(timeout_s)
    except EndpointError as error:
        if error.code != "identity":
            raise
    state = chosen.live.state(chosen.endpoint.id)
    assert state.report is not None  # it is connected
    known, found = chosen.endpoint.identity, state.report.identity
    rows = [
        ("application URI", known.application_uri, found.application_uri),
        ("certificate", known.thumbprint, found.thumbprint),
        ("product", known.product, found.product),
    ]
    if known.register:
        rows.append((f"value of {known.register}", known.value, found.value))
    return Met(found, rows, state.changed)


def remember(path: Path, endpoint_id: str, met: Met) -> None:
    """What answers is the device of the project from now on.

    Raises:
        UserError: The file cannot be read or written, or was changed meanwhile.
    """
    opened = open_file(path)
    editor = Editor(opened.project)
    edit = confirm_identity(editor.project, endpoint_id, met.found)
    name = editor.project.all(Endpoint)[endpoint_id].name
    if not edit.changes:
        note(f"{name}: the project knows this device already")
        return
    editor.do(edit)
    save(editor.project, path, opened.fingerprint)
    note(f"{name}: confirmed, and saved in {path}")
