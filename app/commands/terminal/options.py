"""Options that several commands have. Only click is imported here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

F = TypeVar("F", bound=Callable[..., object])

FILE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)

as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
timeout = click.option("--timeout", "timeout_s", type=click.FloatRange(min=0.1), default=10.0, show_default=True, metavar="SECONDS",
                       help="How long to connect.")  # fmt: skip
notation = click.option(
    "--notation",
    type=click.Choice(["modicon", "one-based", "hex"]),
    default=None,
    help='How Modbus addresses are written: "40101", "holding:101" or "holding:0x64" for the register "holding:100".',
)


def reach(command: F) -> F:
    """``--endpoint NAME=URL``, as often as needed."""
    return click.option(
        "--endpoint", "overrides", multiple=True, metavar="NAME=URL", help="Where an endpoint of the project is reached from here."
    )(command)


def endpoint(command: F) -> F:
    """ENDPOINT, and what says where it is."""
    command = click.argument("endpoint")(command)
    project = click.option("--project", type=FILE, help="Take ENDPOINT by its name from this project file.")
    return timeout(reach(project(command)))


def fail_on(meaning: str) -> Callable[[F], F]:
    """``--fail-on``; ``meaning`` says what counts as what."""
    return click.option(
        "--fail-on",
        type=click.Choice(["error", "warning", "info", "never"]),
        default="error",
        show_default=True,
        help=f"Exit with 1 from here on: {meaning}.",
    )
