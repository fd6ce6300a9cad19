"""Writes an export into a folder: whole or not at all, and never over files that it did not write."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping as ReadOnly
from pathlib import Path, PurePosixPath
from typing import Final

from app.errors import UserError
from app.gateways.base import Rendered
from app.projectfile.durable import replace_file

MANIFEST: Final = ".tagloom-export.json"
"""Says which files of a folder were written by an export, each with its SHA-256."""

LOSSES: Final = "losses.json"


def write_export(rendered: Rendered, folder: Path, *, overwrite: bool = False) -> list[Path]:
    """Write the files, ``losses.json`` and the manifest. Files of an earlier export that are no longer made are removed.

    Each file is replaced as a whole. What a person changed after the last export, and files that an export never wrote,
    are left alone unless told otherwise.

    Returns:
        The paths written, without the manifest.

    Raises:
        UserError: A file of this name is there that no export wrote, or that was changed since; or the folder cannot be written.
    """
    files = {**rendered.files, LOSSES: losses_json(rendered)}
    targets = {name: _inside(folder, name) for name in files}
    _refuse_links(targets, folder)
    written_before = _manifest(folder)
    if not overwrite:
        _refuse_foreign(targets, written_before, folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, path in targets.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, files[name])
        for name, digest in written_before.items():
            if name not in files and _is_unchanged(_inside(folder, name), digest):
                _inside(folder, name).unlink()
        digests = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}
        replace_file(folder / MANIFEST, json.dumps({"files": digests}, indent=1).encode() + b"\n")
    except OSError as error:
        raise UserError("Cannot write the export", where=str(error.filename or folder), why=error.strerror or str(error)) from error
    return list(targets.values())


def losses_json(rendered: Rendered) -> bytes:
    """``[{"place","what","consequence"}]``: a stable form, exactly these keys, one loss per line."""
    rows = [
        json.dumps({"place": loss.place, "what": loss.what, "consequence": loss.consequence}, ensure_ascii=False)
        for loss in rendered.losses
    ]
    text = "[\n" + ",\n".join(rows) + "\n]\n" if rows else "[]\n"
    return text.encode("utf-8", "backslashreplace")


def _inside(folder: Path, name: str) -> Path:
    """Raises ``ValueError`` for a name that would lead out of the folder: exporters make names, so that is a bug of theirs."""
    path = PurePosixPath(name)
    if not path.parts or path.is_absolute() or any(part in ("..", ".") or "\\" in part or ":" in part for part in path.parts):
        raise ValueError(f"not a path inside an export: {name!r}")
    return folder.joinpath(*path.parts)


def _manifest(folder: Path) -> dict[str, str]:
    """Empty when there is none, or it cannot be read: then no file counts as written by us."""
    try:
        found = json.loads((folder / MANIFEST).read_bytes())
        files = found["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    if not isinstance(files, dict):
        return {}
    return {name: digest for name, digest in files.items() if isinstance(digest, str) and _is_safe(folder, name)}


def _is_safe(folder: Path, name: str) -> bool:
    try:
        return bool(_inside(folder, name))
    except ValueError:
        return False


def _refuse_links(targets: ReadOnly[str, Path], folder: Path) -> None:
    """A link in the folder could lead a file of ours anywhere."""
    root = folder.resolve()
    for path in targets.values():
        if path.is_symlink() or not path.resolve().is_relative_to(root):
            raise UserError(
                "The export was not written", where=str(path), why="it is a link that leads elsewhere", fix="Choose another folder"
            )


def _refuse_foreign(targets: ReadOnly[str, Path], written_before: ReadOnly[str, str], folder: Path) -> None:
    foreign = [name for name, path in targets.items() if path.exists() and not _is_unchanged(path, written_before.get(name, ""))]
    if foreign:
        raise UserError(
            "The export was not written",
            where=str(folder),
            why=f"it would replace files that no export wrote, or that were changed since: {', '.join(foreign)}",
            fix="Choose an empty folder, or allow overwriting",
        )


def _is_unchanged(path: Path, digest: str) -> bool:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == digest
    except OSError:
        return False
