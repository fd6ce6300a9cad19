from __future__ import annotations

from pathlib import Path

import click

from app.commands.terminal import options
from app.commands.terminal.taught import TaughtCommand


@click.command(
    "identity",
    cls=TaughtCommand,
    examples=(
        'tagloom identity "plc" --project "line4.tagloom"',
        'tagloom identity "plc" --project "line4.tagloom" --confirm',
        'tagloom identity "meter" --project "line4.tagloom" --endpoint "meter=modbus://10.0.4.31" --json',
    ),
)
@options.endpoint
@click.option("--confirm", is_flag=True, help="From now on, what answers is the device of the project; the file is saved.")
@options.as_json
def identity(endpoint: str, project: Path | None, overrides: tuple[str, ...], timeout_s: float, confirm: bool, as_json: bool) -> int:
    """Compare who answers with the project.

    While another device answers than the project knows, no command reads its tags. The exit code is 1 then, unless it is confirmed.

    With --json, one line per field: {"field","known","found"}.
    """
    from app.commands.terminal.endpoint import target
    from app.commands.terminal.failures import FINE, FOUND
    from app.commands.terminal.lines import encoded
    from app.commands.terminal.meeting import meet, remember
    from app.commands.terminal.out import put_lines
    from app.commands.terminal.tables import put_table
    from app.errors import UserError

    if project is None:
        raise UserError("Nothing to compare with", where=endpoint, why="no project is named", fix="Add --project FILE")
    with target(endpoint, project, overrides) as chosen:
        met = meet(chosen, timeout_s)
    if as_json:
        put_lines(encoded({"field": title, "known": known or None, "found": found or None}) for title, known, found in met.rows)
    else:
        put_table(("field", "in the project", "found"), met.rows)
    if confirm:
        remember(project, chosen.endpoint.id, met)
    return FOUND if met.changed and not confirm else FINE


COMMAND = identity
