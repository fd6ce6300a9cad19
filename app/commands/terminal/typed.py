"""Passwords and passphrases that a person types: without echo on a terminal, else one line of standard input."""

from __future__ import annotations

import sys

import click

from app.errors import UserError
from app.workspace.redaction import never_show

MAX_LINE = 64 * 1024


def typed_secret(title: str, *, twice: bool = False) -> str:
    """What was typed; never empty.

    Args:
        twice: Ask again and compare, for what is set and could be mistyped. Not from standard input.

    Raises:
        UserError: Nothing came.
    """
    if sys.stdin.isatty():
        value: str = click.prompt(title, hide_input=True, confirmation_prompt=twice, err=True, prompt_suffix=": ")
    else:
        line = sys.stdin.buffer.readline(MAX_LINE)
        value = line.decode("utf-8", "replace").removesuffix("\n").removesuffix("\r")
        if "\N{REPLACEMENT CHARACTER}" in value:  # no decoding error: it would hold what was typed
            raise UserError("Nothing was set", where="standard input", why="it is not UTF-8 text", fix="Give it as UTF-8")
    if not value:
        raise UserError("Nothing was set", where=title, why="it is empty", fix="Type it, or give it as one line on standard input")
    never_show(value)
    return value
