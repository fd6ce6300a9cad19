"""What a person is told while a command works: on stderr, and only what matters where stderr is no terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

Update = Callable[[str], None]


@contextmanager
def working(text: str) -> Iterator[Update]:
    """A line with a spinner while the block runs, on a terminal; the block may change its text."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.text import Text

    with Console(stderr=True).status(Text(text)) as status:
        yield lambda changed: status.update(Text(changed))


def note(text: str) -> None:
    """One line that stays, wherever stderr goes."""
    click.echo(text, err=True)
