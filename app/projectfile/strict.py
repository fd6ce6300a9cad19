"""The strict way of reading: line by line, every rule, every problem with its line."""

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Iterator
from typing import Final, NamedTuple, NoReturn, cast

import msgspec

from app.errors import CollectedError, UserError
from app.model.element import Element, Json
from app.model.lines import DEPTH_LIMIT, canonical, faults
from app.model.project import FORMAT, KINDS, Project, ProjectInfo, kind_of
from app.model.references import dangling
from app.projectfile.migrate import Row, migrate

MAX_BYTES: Final = 256 * 2**20
MAX_LINE_BYTES: Final = 2**20
MAX_PROBLEMS: Final = 1_000
"""Beyond these, reading stops: the file is no project file, or wholly broken."""

_LINE: Final = re.compile(rb"[^\n]+")
_DIGITS: Final = 40
_ID: Final = re.compile(rb'"id"\s*:\s*"([a-z0-9-]+)"')
_CONFLICT_MARKS: Final = (b"<<<<<<<", b"=======", b">>>>>>>", b"|||||||")


class _LineError(ValueError):
    """What is wrong with one line, found inside the JSON parser's hooks."""


class _Problems:
    """Collects what is wrong, by line.

    Attributes:
        broken_ids: Ids of lines that are no good; what refers to them is not reported as well.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._found: list[tuple[int, UserError]] = []
        self.broken_ids: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, line: int, what: str, why: str) -> None:
        self._found.append((line, UserError(what, where=f"{self._name}:{line}" if line else self._name, why=why)))
        if len(self._found) >= MAX_PROBLEMS:
            self._found.append((2**63, UserError("Reading stopped", where=self._name, why=f"{MAX_PROBLEMS} problems are enough")))
            self.report()

    def report(self) -> NoReturn:
        problems = [problem for _, problem in sorted(self._found, key=lambda found: found[0])]
        raise CollectedError(
            f"Cannot open {self._name}", where=self._name, problems=problems, fix="Mend these lines, or take an older version of the file"
        )


def too_large(name: str) -> UserError:
    return UserError(f"Cannot open {name}", where=name, why=f"it is larger than {MAX_BYTES // 2**20} MiB", fix="Is it a project file?")


def read_strictly(data: bytes, name: str) -> Project:
    """The project in bytes that are not as we write them: edited by hand, merged, older, or broken.

    Other orders of lines and keys, explicit defaults, other white space and spellings of numbers are taken as they are meant.

    Args:
        data: Without byte order mark, with LF.

    Raises:
        UserError: Written by a newer Tagloom.
        CollectedError: Every problem with its line.
    """
    problems = _Problems(name)
    rows = _framed(list(_rows(data, problems, name)), problems)
    found = _format_of(rows, problems)
    if found < FORMAT and not problems:
        rows = migrate(rows, found, FORMAT)
    placed = [(row.line, element) for row in rows if (element := _element(row, problems)) is not None]
    problems.broken_ids.update(str(row.fields.get("id")) for row in rows)
    _check_together(placed, problems)
    if problems:
        problems.report()
    header, *others = sorted((element for _, element in placed), key=lambda element: not isinstance(element, ProjectInfo))
    return Project(cast("ProjectInfo", header), others)


# Lines


def _rows(data: bytes, problems: _Problems, name: str) -> Iterator[Row]:
    """Every line that is a JSON object, the end line included; the others become problems."""
    number, position, first = 1, 0, True
    for match in _LINE.finditer(data):
        number += data.count(b"\n", position, match.start())
        position = match.start()
        line = match.group()
        if not line.strip(b" \t\r"):
            continue
        try:
            fields = _object(line)
        except _LineError as refused:
            problems.add(number, "Not a line of a project file", str(refused))
            problems.broken_ids.update(match.group(1).decode() for match in _ID.finditer(line, 0, MAX_LINE_BYTES))
        else:
            if first:
                _refuse_newer(fields, name)
            yield Row(number, fields)
        first = False


def _object(line: bytes) -> dict[str, Json]:
    if len(line) > MAX_LINE_BYTES:
        raise _LineError(f"the line is longer than {MAX_LINE_BYTES // 2**20} MiB")
    if line.startswith(_CONFLICT_MARKS):
        raise _LineError("a merge conflict stands here that nobody has resolved")
    try:
        text = line.decode()
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_int=_integer, parse_float=_finite)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeDecodeError as error:
        raise _LineError(f"byte {error.start + 1} is not UTF-8") from None
    except UnicodeEncodeError:
        raise _LineError("half of a surrogate pair, which is no character") from None
    except RecursionError:
        raise _LineError(f"nested deeper than {DEPTH_LIMIT} levels") from None
    except json.JSONDecodeError as error:
        raise _LineError(f"not JSON: {error.msg}, at character {error.colno}") from None
    if not isinstance(value, dict):
        raise _LineError("a line must be a JSON object")
    return value


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]  # add() in a condition
        raise _LineError(f'the key "{twice}" stands twice')
    return found


def _no_constant(text: str) -> NoReturn:
    raise _LineError(f"{text} is no JSON number")


def _integer(text: str) -> int:
    if len(text) > _DIGITS:
        raise _LineError(f"an integer of {len(text)} digits")
    return int(text)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise _LineError("a number is too large for float64")
    return number


# The frame: header, end, format


def _framed(rows: list[Row], problems: _Problems) -> list[Row]:
    """The rows without the end line; a missing or misplaced header or end becomes a problem."""
    ends = [place for place, row in enumerate(rows) if row.fields.get("kind") == "end"]
    if not ends:
        problems.add(0, "Cut off", 'the last line must be {"kind":"end"}; a part of the file is missing')
    for place in ends:
        if len(rows[place].fields) > 1:
            problems.add(rows[place].line, "Not an end line", 'it must be {"kind":"end"} and nothing else')
    for row in rows[ends[0] + 1 :] if ends else ():
        problems.add(row.line, "Content after the end", 'nothing may stand behind {"kind":"end"}')
    body = rows[: ends[0]] if ends else rows
    if not body or body[0].fields.get("kind") != "tagloom":
        problems.add(body[0].line if body else 0, "Not a project file", 'the first line must be the header {"kind":"tagloom",…}')
    for row in body[1:]:
        if row.fields.get("kind") == "tagloom":
            problems.add(row.line, "A second header", "a project file has one")
    return body


def _refuse_newer(header: dict[str, Json], name: str) -> None:
    """Before anything else: every other complaint about a file from the future would mislead."""
    found = header.get("format")
    if header.get("kind") == "tagloom" and type(found) is int and found > FORMAT:
        why = f"written by a newer Tagloom (format {found}; this one reads up to {FORMAT})"
        raise UserError(f"Cannot open {name}", where=name, why=why, fix="Open it with a newer Tagloom")


def _format_of(rows: list[Row], problems: _Problems) -> int:
    if not rows or rows[0].fields.get("kind") != "tagloom":
        return FORMAT
    found = rows[0].fields.get("format")
    if type(found) is int and 1 <= found <= FORMAT:
        return found
    problems.add(rows[0].line, "Unknown format", f'the header must say "format":{FORMAT}')
    return FORMAT


# Elements


class _Field(NamedTuple):
    type: object
    required: bool


@functools.cache
def _fields(kind: type[Element]) -> dict[str, _Field]:
    return {field.encode_name: _Field(field.type, field.required) for field in msgspec.structs.fields(kind)}


def _element(row: Row, problems: _Problems) -> Element | None:
    """The element of one row, or None after adding everything that is wrong with it."""
    word = row.fields.get("kind")
    kind = KINDS.get(word) if isinstance(word, str) else None
    if kind is None:
        what = "No kind" if word is None else f"Unknown kind {json.dumps(word)[:80]}"
        problems.add(row.line, what, f'"kind" must be one of {", ".join(KINDS)}')
        return None
    wrong = list(_field_faults(row.fields, _fields(kind)))
    element: Element | None = None
    if not wrong:
        try:
            element = canonical(msgspec.convert(row.fields, kind))
        except (msgspec.ValidationError, RecursionError) as error:
            wrong.append(str(error))
        else:
            wrong += faults(element)
    for why in wrong:
        problems.add(row.line, f"{word} {str(row.fields.get('id', 'without id'))[:100]}", why)
    return None if wrong else element


def _field_faults(found: dict[str, Json], fields: dict[str, _Field]) -> Iterator[str]:
    for name in found:
        if name != "kind" and name not in fields:
            yield f'unknown field "{name[:100]}"'
    for name, field in fields.items():
        if name not in found:
            if field.required:
                yield f'the field "{name}" is missing'
            continue
        try:
            msgspec.convert(found[name], field.type)
        except msgspec.ValidationError as error:
            yield f"{name}: {error}"
        except RecursionError:
            yield f"{name}: nested deeper than {DEPTH_LIMIT} levels"


def _check_together(placed: list[tuple[int, Element]], problems: _Problems) -> None:
    """Ids that stand twice, and references to nothing. A reference to an element that is itself broken is not reported again."""
    first: dict[str, int] = {}
    kinds = dict.fromkeys(problems.broken_ids, "")
    for line, element in placed:
        kinds[element.id] = kind_of(element)
        if first.setdefault(element.id, line) != line:
            kinds[element.id] = ""
            problems.add(line, f"{kind_of(element)} {element.id}", f"the id stands already in line {first[element.id]}")
    for line, element in placed:
        for why in dangling(element, kinds):
            problems.add(line, f"{kind_of(element)} {element.id}", why)
