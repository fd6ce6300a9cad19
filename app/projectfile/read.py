"""From bytes to a project: a fast way for files as we write them, the strict way for all others."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final, NamedTuple, cast

import msgspec

from app.errors import UserError
from app.model.element import Element
from app.model.lines import DECODER, End, canonical, faults
from app.model.project import FORMAT, Project, ProjectInfo, kind_of
from app.model.references import dangling
from app.projectfile.save import Fingerprint, fingerprint_of
from app.projectfile.strict import MAX_BYTES, MAX_LINE_BYTES, read_strictly, too_large
from app.projectfile.write import END_LINE, encode, no_collection

_MARK: Final = b"\xef\xbb\xbf"


class OpenedFile(NamedTuple):
    """A project and the state of the file it was read from, for ``save`` to compare with."""

    project: Project
    fingerprint: Fingerprint


def read(data: bytes, name: str) -> Project:
    """The project in the bytes of its file; wholly, or not at all.

    Args:
        name: What the file is called in errors.

    Raises:
        UserError: Written by a newer Tagloom, or too large.
        CollectedError: Everything that is wrong, each with its line (``NAME.tagloom:17``).
    """
    if len(data) > MAX_BYTES:
        raise too_large(name)
    plain = data.removeprefix(_MARK)
    if b"\r" in plain:
        plain = plain.replace(b"\r\n", b"\n")
    with no_collection():
        return _read_canonical(plain) or read_strictly(plain, name)


def open_file(path: str | os.PathLike[str]) -> OpenedFile:
    """Read a project file from disk.

    Raises:
        UserError: There is no such file, it is a directory or a device, it may not be read, or what ``read`` raises.
    """
    where = Path(path)
    what = f"Cannot open {where.name or where}"
    try:
        if not stat.S_ISREG(where.stat().st_mode):
            kind = "a directory" if where.is_dir() else "not a regular file"
            raise UserError(what, where=str(where), why=f"it is {kind}", fix="Choose a file that ends in .tagloom")
        with where.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
            status = os.fstat(file.fileno())
    except (OSError, ValueError) as error:
        why = error.strerror or str(error) if isinstance(error, OSError) else str(error)
        raise UserError(what, where=str(where), why=why, fix="Check the name and that you may read it") from error
    return OpenedFile(read(data, where.name), fingerprint_of(status, data))


def _read_canonical(data: bytes) -> Project | None:
    """The project when the bytes are exactly what we would write for it; None sends the file the strict way, which says why.

    A line that is the same when written again has no duplicate key, no unknown field, no odd number and no odd spelling.
    """
    if not data.endswith(b"\n\n" + END_LINE):
        return None
    try:
        found = DECODER.decode_lines(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(found.pop(), End) or End in map(type, found):
        return None
    elements = cast("list[Element]", found)
    ids = [element.id for element in elements]
    kinds = list(map(kind_of, elements))
    kind_of_id = dict(zip(ids, kinds, strict=True))
    if (
        not elements
        or not isinstance(elements[0], ProjectInfo)
        or elements[0].format != FORMAT
        or "tagloom" in kinds[1:]
        or len(kind_of_id) != len(elements)
        or encode([canonical(element) for element in elements]) != data
        or _has_long_line(data)
        or any(faults(element) or dangling(element, kind_of_id) for element in elements)
    ):
        return None
    return Project(elements[0], elements[1:])


def _has_long_line(data: bytes) -> bool:
    """Jumps from line end to line end, as far as a line may reach."""
    position = 0
    while len(data) - position > MAX_LINE_BYTES:
        end = data.rfind(b"\n", position, position + MAX_LINE_BYTES + 1)
        if end < 0:
            return True
        position = end + 1
    return False
