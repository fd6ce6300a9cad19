"""``secret://<endpoint id>/<kind>``, and the names it has in the environment and among mounted files."""

from __future__ import annotations

import re
from typing import Final

from app.errors import UserError

SCHEME: Final = "secret://"
_FORM: Final = re.compile(r"secret://(?P<owner>[A-Za-z0-9][A-Za-z0-9_-]{0,79})/(?P<kind>[A-Za-z0-9][A-Za-z0-9_-]{0,39})")


def reference_of(endpoint_id: str, kind: str = "password") -> str:
    """The reference that a project file holds.

    Raises:
        UserError: Letters that no reference may have.
    """
    reference = f"{SCHEME}{endpoint_id}/{kind}"
    parts_of(reference)
    return reference


def parts_of(reference: str) -> tuple[str, str]:
    """Endpoint id and kind.

    Raises:
        UserError: Not a reference. Its text is not repeated: it may be a password that somebody put in its place.
    """
    match = _FORM.fullmatch(reference)
    if match is None:
        why = "it has not the form secret://<endpoint id>/<kind>"
        raise UserError(
            "This is no reference to a secret", where="security.secret", why=why, fix="For example secret://filler-opcua-abc123/password"
        )
    return match["owner"], match["kind"]


def environment_name(reference: str) -> str:
    """``secret://filler-opcua-ABC123/password`` → ``TAGLOOM_SECRET_FILLER_OPCUA_ABC123_PASSWORD``."""
    return "TAGLOOM_SECRET_" + re.sub(r"[^A-Z0-9]", "_", "_".join(parts_of(reference)).upper())


def file_names(reference: str) -> tuple[str, str]:
    """``filler-opcua-abc123.password``, or as in the environment; both are legal names of Docker secrets and systemd credentials."""
    return ".".join(parts_of(reference)), environment_name(reference)
