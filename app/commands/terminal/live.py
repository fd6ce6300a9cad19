"""Connections as commands have them: with this computer's certificate store and secrets, and a person who can be asked."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from app.commands.terminal.typed import typed_secret
from app.edits import Editor
from app.model.plant import Endpoint
from app.runtime.live import LiveProject
from app.runtime.opening import secret_reference
from app.secrets import Secrets
from app.workspace.paths import pki_dir
from app.workspace.redaction import never_show


def live_project(editor: Editor, *, reach: Mapping[str, str] | None = None, secrets: Secrets | None = None) -> LiveProject:
    """Nothing is connected yet; who makes one closes it."""
    return LiveProject(editor, reach=reach, secrets=(secrets or known_secrets()).get, pki=str(pki_dir()))


def known_secrets() -> Secrets:
    return Secrets(revealed=never_show)


def ask_missing(secrets: Secrets, endpoint: Endpoint) -> None:
    """Ask for the endpoint's secret where it is not known and somebody sits at a terminal; it is kept until the command ends.

    Raises:
        UserError: Not a reference, or nothing was typed.
        click.Abort: The person pressed Ctrl+C.
    """
    reference = secret_reference(endpoint)
    if not reference or not sys.stdin.isatty() or secrets.get(reference) is not None:
        return
    of_user = endpoint.security.user == "password"
    title = f"Password of {endpoint.security.name or 'the user'}" if of_user else "Passphrase of the user certificate"
    secrets.remember_for_session(reference, typed_secret(f"{title} at {endpoint.name}"))
