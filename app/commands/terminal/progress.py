"""What a person is told while a command works: on stderr, and only what matters where stderr is no terminal."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
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


def counted(severities: Iterable[str]) -> str:
    """``2 errors, 1 warning``; ``nothing found``."""
    number = Counter(severities)
    parts = [f"{count} {word}{'s' if count > 1 else ''}" for word in ("error", "warning", "info") if (count := number[word])]
    return ", ".join(parts) or "nothing found"
