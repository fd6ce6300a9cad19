"""How a command ends: errors as three lines on stderr, exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from typing import Final

import click

from app.commands.terminal.out import ReaderGoneError
from app.errors import UserError

FINE: Final = 0
FOUND: Final = 1
"""Findings, losses or bad tags at or above ``--fail-on``."""
FAILED: Final = 2
"""Could not run."""
INTERRUPTED: Final = 130
READER_GONE: Final = 141
"""As of a program that SIGPIPE ended: whoever read the output closed it (``tagloom watch … | head``)."""

LEVELS: Final = ("error", "warning", "info", "never")
DEBUG: Final = "TAGLOOM_DEBUG"
"""Set to anything, a failure of Tagloom itself shows its traceback."""


def run(command: click.Command, arguments: Sequence[str] | None) -> int:
    """Run a command and give its exit code. What a person may be shown goes to stderr; no traceback does."""
    try:
        code = command.main(args=None if arguments is None else list(arguments), prog_name="tagloom", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return FAILED
    except UserError as error:
        show(error)
        return FAILED
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except ReaderGoneError:
        return READER_GONE
    except Exception as error:
        if os.environ.get(DEBUG):
            raise
        why = f"{type(error).__name__}: {error}"
        fix = f"This is a fault of Tagloom. Set {DEBUG}=1, run it again, and report what it prints"
        show(UserError("Tagloom failed", where=" ".join(sys.argv[1:2]), why=why, fix=fix))
        return FAILED
    return code if isinstance(code, int) else FINE


def show(error: UserError) -> None:
    """Three lines: what and where, why, what to do."""
    from rich.console import Console
    from rich.text import Text

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print(Text.assemble((error.what, "bold red"), f": {error.where}" if error.where else ""))
    console.print(Text(error.why))
    if error.fix:
        console.print(Text(error.fix, "bold"))


def exit_code(severities: Iterable[str], fail_on: str) -> int:
    """``FOUND`` when one of ``severities`` (error, warning, info; others do not count) is at or above ``fail_on``."""
    limit = LEVELS.index(fail_on)
    return FOUND if fail_on != "never" and any(severity in LEVELS[: limit + 1] for severity in severities) else FINE
