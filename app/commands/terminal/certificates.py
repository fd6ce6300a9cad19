"""Certificates as tables, as JSON lines, and as text for people."""

from __future__ import annotations

from pathlib import Path

from app.commands.terminal.lines import Json
from app.errors import UserError
from app.model.times import rfc3339
from app.trust import files
from app.trust.facts import Facts, spaced, utc
from app.trust.store import Known, TrustStore
from app.workspace.paths import pki_dir

MAX_INPUT = 16 * 1024 * 1024
"""Bytes of a file that a person names: a revocation list may be large."""


def store() -> TrustStore:
    return TrustStore(pki_dir())


def content_of(path: Path) -> bytes:
    """Raises ``UserError`` when there is no such file, or it cannot be read."""
    content = files.read(path, MAX_INPUT)
    if content is None:
        raise UserError("A file cannot be read", where=str(path), why="there is no such file", fix="Check its name")
    return content


def known_line(kind: str, found: Facts, since_ns: int | None, accepting: tuple[str, ...]) -> dict[str, Json]:
    """The JSON line of ``trust list`` and ``trust show``. ``kind`` is trusted, refused, issuer, user or file."""
    return {
        "kind": kind,
        "name": found.name,
        "thumbprint": found.thumbprint,
        "sha256": found.sha256,
        "subject": found.subject,
        "issuer": found.issuer,
        "application_uri": found.application_uri,
        "hosts": list(found.hosts),
        "key": found.key,
        "signature": found.signature,
        "not_before": rfc3339(found.not_before_ns),
        "not_after": rfc3339(found.not_after_ns),
        "since": None if since_ns is None else rfc3339(since_ns),
        "accepting": list(accepting),
    }


def known_row(known: Known) -> tuple[str, ...]:
    return known.kind, known.facts.name, known.thumbprint, utc(known.facts.not_after_ns), utc(known.since_ns), ", ".join(known.accepting)


def facts_rows(found: Facts) -> list[tuple[str, str]]:
    """Title and text of each part."""
    rows = [
        ("name", found.name),
        ("thumbprint (SHA-1)", spaced(found.thumbprint)),
        ("thumbprint (SHA-256)", spaced(found.sha256)),
        ("application URI", found.application_uri or "none"),
        ("hosts", ", ".join(found.hosts) or "none"),
        ("subject", found.subject),
        ("issuer", "itself" if found.self_signed else found.issuer),
        ("serial number", found.serial),
        ("valid", f"{utc(found.not_before_ns)} to {utc(found.not_after_ns)}"),
        ("key", found.key),
        ("signature", found.signature),
        (
            "may issue certificates",
            "yes, it is a CA" if found.authority else "it says so, but is that of an application" if found.is_ca else "no",
        ),
    ]
    return [*rows, ("not readable", found.flaw)] if found.flaw else rows
