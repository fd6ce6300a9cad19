"""Parts of a value by path: ``motor[3].temp`` of a structure, ``[3]`` of an array, ``[1,2]`` or ``[1][2]`` of a matrix. Pure.

A name that is more than letters, digits and underscores is written in brackets and quotes: ``["flow.rate"][0]``; in it a quote and a
backslash are escaped by a backslash. Indexes count from 0, as OPC UA's IndexRange does (OPC 10000-4 §7.27).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from app.errors import UserError
from app.mapping.cast import TransformError
from app.model.values import Value

Path = tuple[str | int, ...]
EXAMPLE: Final = "For example motor[3].temp, [3] for an element of an array, [1,2] for one of a matrix"
_NAME: Final = re.compile(r"[^\W\d]\w*")
_STEP: Final = re.compile(r"""\.?(?P<name>[^\W\d]\w*)|\[(?P<indexes>\d{1,9}(?:,\d{1,9})*)\]|\["(?P<quoted>(?:[^"\\]|\\["\\])*)"\]""")


def parse_path(text: str) -> Path:
    """Names and indexes of a path; ``value`` in front stands for the value itself and may be left out.

    Raises:
        UserError: What is wrong, at which character.
    """
    path: list[str | int] = []
    at = 0
    while at < len(text):
        found = _STEP.match(text, at)
        if found is None or found.start() != at or (found["name"] and (at > 0) != text.startswith(".", at)):
            raise UserError("Not a path of a value", where=text, why=f"it cannot be read from character {at + 1} on", fix=EXAMPLE)
        if found["indexes"] is not None:
            path += [int(index) for index in found["indexes"].split(",")]
        else:
            path.append(found["name"] or re.sub(r"\\(.)", r"\1", found["quoted"]))
        at = found.end()
    if re.match(r"value(?!\w)", text):
        del path[0]
    if not path:
        raise UserError("Not a path of a value", where=text, why="it names nothing", fix=EXAMPLE)
    return tuple(path)


def path_text(path: Sequence[str | int]) -> str:
    """The text that ``parse_path`` reads back."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _NAME.fullmatch(step) and not (text == "" and step == "value"):
            text += f".{step}" if text else step
        else:
            quoted = re.sub(r'(["\\])', r"\\\1", step)
            text += f'["{quoted}"]'
    return text


def pick(value: Value, path: Path) -> Value:
    """The part of a value.

    Raises:
        TransformError: It has none there; the reason says what there is.
    """
    for place, step in enumerate(path):
        where = path_text(path[:place]) or "the value"
        value = _element(value, step, where) if isinstance(step, int) else _field(value, step, where)
    return value


def _element(value: Value, index: int, where: str) -> Value:
    if not isinstance(value, list):
        raise TransformError(f"{where} is no array")
    if index >= len(value):
        raise TransformError(f"{where} has {len(value)} elements, [{index}] is none of them")
    return value[index]


def _field(value: Value, name: str, where: str) -> Value:
    if not isinstance(value, dict):
        raise TransformError(f"{where} is no structure")
    if name not in value:
        shown = ", ".join(list(value)[:8]) + (" …" if len(value) > 8 else "")
        raise TransformError(f"{where} has no field {name}; it has {shown or 'none'}")
    return value[name]


def paths_in(value: Value, limit: int = 2_000) -> list[str]:
    """Paths of all parts that have parts no more, at most so many: what a person can choose from."""
    found: list[str] = []
    for path in _leaves(value, ()):
        if len(found) == limit:
            break
        if path:
            found.append(path_text(path))
    return found


def _leaves(value: Value, path: Path) -> Iterator[Path]:
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _leaves(part, (*path, name))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _leaves(part, (*path, index))
    else:
        yield path
