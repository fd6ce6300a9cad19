"""What a person can do about a trouble right where it is shown, by the code of the error. One entry for each code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtWidgets import QWidget

from app.edits.endpoints import confirm_identity
from app.errors import EndpointError, UserError
from widgets.dialogs import needs_password, show_edit_endpoint, show_password, show_save_certificate, show_trust
from widgets.look import MessageBar
from widgets.workbench import Workbench


@dataclass(frozen=True, slots=True)
class Remedy:
    """``run`` is called with the window above which it may open a dialog, the workbench and the id of the endpoint."""

    title: str
    icon: str
    run: Callable[[QWidget, Workbench, str], object]


def _confirm(window: QWidget, workbench: Workbench, endpoint: str) -> None:
    """From now on the device that answers is the one of the project."""
    del window
    report = workbench.live.state(endpoint).report
    if report is not None:
        workbench.attempt(lambda: confirm_identity(workbench.project, endpoint, report.identity))


def _edit(window: QWidget, workbench: Workbench, endpoint: str) -> None:
    show_edit_endpoint(window, workbench, endpoint)


def _look_at_certificate(window: QWidget, workbench: Workbench, endpoint: str) -> None:
    why = workbench.live.state(endpoint).why
    if isinstance(why, EndpointError) and why.code == "certificate":
        show_trust(window, workbench, endpoint, why)


def _save_certificate(window: QWidget, workbench: Workbench, endpoint: str) -> None:
    del endpoint  # one certificate for all servers
    show_save_certificate(window, workbench)


def _ask_password(window: QWidget, workbench: Workbench, endpoint: str) -> None:
    show_password(window, workbench, endpoint, workbench.live.state(endpoint).why)


REMEDIES: dict[str, tuple[Remedy, ...]] = {
    "identity": (Remedy("Use the new device", "approve", _confirm), Remedy("Check the address…", "settings", _edit)),
    "certificate": (Remedy("Look at the certificate…", "lock", _look_at_certificate),),
    "rejected": (Remedy("Save our certificate…", "export", _save_certificate), Remedy("Connection…", "settings", _edit)),
    "secret": (Remedy("Enter the password…", "unlock", _ask_password), Remedy("Connection…", "settings", _edit)),
    "user": (Remedy("Enter the password…", "unlock", _ask_password), Remedy("Connection…", "settings", _edit)),
}
"""Code of ``EndpointError`` → what can be done about it. For every other one there are the address and *Connect*."""


def show_trouble(bar: MessageBar, workbench: Workbench, endpoint: str, why: UserError) -> None:
    """Say it, with its remedies as buttons."""
    bar.show_error(why)
    for remedy in REMEDIES.get(getattr(why, "code", ""), ()):
        if remedy.run is _ask_password and not needs_password(workbench, endpoint):
            continue  # nobody signs in by name: there is no password that could be wrong
        pressed = bar.add_action(remedy.title, remedy.icon)
        pressed.clicked.connect(lambda _=False, run=remedy.run: run(bar.window(), workbench, endpoint))
