from __future__ import annotations

from pathlib import Path

import click

from app.commands.terminal import options
from app.commands.terminal.taught import TaughtCommand


@click.command(
    "open",
    cls=TaughtCommand,
    examples=(
        "tagloom open",
        'tagloom open "line4.tagloom"',
        'tagloom open "line4.tagloom" --endpoint "plc=opc.tcp://127.0.0.1:4840" --connect',
    ),
)
@click.argument("project", type=options.FILE, required=False)
@options.reach
@click.option("--connect", is_flag=True, help="Connect every endpoint at once; without it, opening never connects.")
def open_window(project: Path | None, overrides: tuple[str, ...], connect: bool) -> int:
    """Open the window, and wait until it is closed."""
    from app.commands.terminal.window import require_display, run_window
    from app.errors import UserError

    if project is None and (overrides or connect):
        raise UserError("Nothing to connect", where="tagloom open", why="--endpoint and --connect are about a project", fix="Name its file")
    if project is not None:
        from app.commands.terminal.endpoint import reach_of
        from app.projectfile import open_file

        reach_of(open_file(project).project, overrides)  # told here, where the person looks
    require_display()
    return run_window(project, overrides, connect=connect)


COMMAND = open_window
