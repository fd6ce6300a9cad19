"""*Save diagnostics*: what is needed to understand a problem, in one zip file that can be mailed.

Versions, platform, settings, the last logs, and the project. Secrets, people, hosts and free text of reviews are taken out;
names and addresses of tags stay, since most problems cannot be understood without them.
"""

from __future__ import annotations

import io
import json
import os
import platform
import sys
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Final, cast

import msgspec

from app.model.element import Element, Json
from app.model.plant import Endpoint, Security
from app.model.project import FORMAT, Project, kind_of
from app.model.references import REFERENCES
from app.projectfile.durable import replace_file
from app.workspace.logfile import log_files
from app.workspace.redaction import HIDDEN, Pseudonyms
from app.workspace.settings import SETTINGS, Settings

LOG_BYTES: Final = 2**20
_LIBRARIES: Final = (
    "tagloom", "PySide6-Essentials", "pyqtgraph", "numpy", "asyncua", "pymodbus", "sqlite-utils", "msgspec", "click", "rich",
    "platformdirs", "psutil", "jinja2", "tomli_w",
)  # fmt: skip
_README: Final = """Diagnostics of Tagloom. Look through the files before you send them.

Taken out: passwords and other secrets, user names, host names and IP addresses, the home folder, what reviewers wrote,
what imports left for other formats. The same host or person has the same other name in all files.
Left in: names, descriptions and addresses of tags, the asset model, mappings.
"""


def save_diagnostics(path: str | os.PathLike[str], project: Project | None = None) -> None:
    """Write the zip file, atomically.

    Raises:
        UserError: It cannot be written.
    """
    others = Pseudonyms()
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", _README)
        if project is not None:
            archive.writestr("project.jsonl", "\n".join(_redacted_lines(project, others)) + "\n")
        archive.writestr("about.json", json.dumps(_about(), indent=2))
        archive.writestr("settings.json", others.apply(json.dumps({name: Settings().get(name) for name in SETTINGS}, indent=2)))
        for log in log_files()[:3]:
            archive.writestr(f"log/{log.name}", others.apply(_last_lines(log)))
    replace_file(Path(path), content.getvalue())


def _about() -> dict[str, Json]:
    versions: dict[str, Json] = {}
    for library in _LIBRARIES:
        try:
            versions[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            versions[library] = None
    return {
        "project_format": FORMAT,
        "python": sys.version,
        "platform": platform.platform(),
        "machine": platform.machine(),
        "processors": os.cpu_count(),
        "frozen": bool(getattr(sys, "frozen", False)),
        "session": {name: os.environ.get(name, "") for name in ("XDG_SESSION_TYPE", "QT_QPA_PLATFORM", "QT_SCALE_FACTOR", "LANG")},
        "versions": versions,
    }


def _last_lines(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - LOG_BYTES))
        cut = file.tell() > 0
        text = file.read().decode("utf-8", "replace")
    return text.partition("\n")[2] if cut else text


# The project


def _redacted_lines(project: Project, others: Pseudonyms) -> Iterator[str]:
    """Elements as in the project file, but with other ids: an id is made of the first name, which may be that of a host."""
    for endpoint in project.all(Endpoint).values():
        others.name(endpoint.security.name, "person")
        for url in endpoint.addresses.values():
            others.hosts_in(url)
    counts: dict[str, int] = {}
    ids: dict[str, str] = {}
    for element in project.elements():
        kind = kind_of(element)
        counts[kind] = counts.get(kind, 0) + 1
        ids[element.id] = f"{kind}-{counts[kind]}"
        if by := getattr(element, "by", ""):
            others.name(by, "person")
    for element in project.elements():
        yield msgspec.json.encode(_redacted(element, ids, others)).decode()


_KEPT_WORDS: Final = frozenset({"kind", "id", "op", "type", "data_type", "level", "order", "access", "time", "quality", "message", "keys",
                                "null", "trigger", "rounding", "mode", "policy", "user", "digest", "at", "rule"})  # fmt: skip
"""Fields with words of our own: to replace a part of them (a user may be called ``pass``) would only mislead."""

_FREE_TEXT: Final = frozenset({"text", "why", "note"})


def _redacted(element: Element, ids: dict[str, str], others: Pseudonyms) -> dict[str, Json]:
    if isinstance(element, Endpoint):
        element = msgspec.structs.replace(element, security=_redacted_security(element.security), settings=_redacted_settings(element))
    fields = cast("dict[str, Json]", msgspec.to_builtins(element))
    if fields.pop("extensions", None):
        fields["extensions"] = {HIDDEN: None}
    references = {reference.field for reference in REFERENCES.get(type(element), ())} | {"id"}
    for name, value in fields.items():
        if name in references:
            fields[name] = (
                [ids.get(id_, HIDDEN) for id_ in value] if isinstance(value, list | tuple) else value and ids.get(str(value), HIDDEN)
            )
        elif name in _FREE_TEXT and value:
            fields[name] = HIDDEN
        else:
            fields[name] = _words_replaced(name, value, others)
    return fields


def _redacted_security(security: Security) -> Security:
    kept = security.secret == "" or security.secret.startswith("secret://")
    return msgspec.structs.replace(security, secret="secret://" + HIDDEN if security.secret and kept else HIDDEN if security.secret else "")


def _redacted_settings(endpoint: Endpoint) -> dict[str, bool | int | float | str]:
    """Numbers and switches stay; a text may be anything."""
    return {name: HIDDEN if isinstance(value, str) and value else value for name, value in endpoint.settings.items()}


def _words_replaced(name: str, value: Json, others: Pseudonyms) -> Json:
    if isinstance(value, str):
        return value if name in _KEPT_WORDS else others.apply(value)
    if isinstance(value, dict):
        return {
            others.apply(str(key)) if name == "addresses" else key: _words_replaced(str(key), one, others) for key, one in value.items()
        }
    if isinstance(value, list | tuple):
        return [_words_replaced(name, one, others) for one in value]
    return value
