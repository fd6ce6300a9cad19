"""TOML for Telegraf: a real serialiser, and no text of a project that Telegraf could take for a variable or a secret.

Telegraf replaces ``$NAME`` and ``${NAME}`` in every string of its configuration, ``$$`` being a plain dollar sign, and looks up
``@{store:key}`` in the options that hold secrets. So text of the project gets its dollar signs doubled, and never goes into
an option that holds secrets.
"""

from __future__ import annotations

import re
from typing import Final

import tomli_w

_VARIABLE: Final = re.compile(r"[A-Z][A-Z0-9_]*")


class Reference:
    """The value of an environment variable, empty when it is not set. The only way by which a ``${`` gets into the file."""

    def __init__(self, name: str) -> None:
        if not _VARIABLE.fullmatch(name):
            raise ValueError(f"not a name of a variable: {name!r}")
        self.name = name

    def __str__(self) -> str:
        return f"${{{self.name}:-}}"


def dumps(document: dict[str, object]) -> bytes:
    """Raises ``ValueError`` for a key that is not one of ours (letters, digits, underscores)."""
    return tomli_w.dumps(_protected(document), multiline_strings=True).encode("utf-8")


def _protected(value: object) -> dict[str, object]:
    made = _walk(value)
    assert isinstance(made, dict)
    return made


def _walk(value: object) -> object:
    if isinstance(value, Reference):
        return str(value)
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, dict):
        for key in value:
            if not re.fullmatch(r"[a-z0-9_]+", key):
                raise ValueError(f"not a key of a Telegraf configuration: {key!r}")
        return {key: _walk(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_walk(part) for part in value]
    return value
