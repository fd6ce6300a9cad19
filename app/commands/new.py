from __future__ import annotations

from pathlib import Path

import click

from app.commands.terminal import options
from app.commands.terminal.taught import TaughtCommand


@click.command(
    "new",
    cls=TaughtCommand,
    examples=(
        'tagloom new "line4.tagloom" --endpoint "plc=opc.tcp://10.0.4.20:4840"',
        'tagloom new "line4.tagloom" --endpoint "plc=opc.tcp://10.0.4.20:4840" --under "ns=2;s=Line4"',
        'tagloom new "meter.tagloom" --endpoint "meter=modbus://10.0.4.31" --tags "registers.csv"',
        'tagloom new "both.tagloom" --endpoint "plc=opc.tcp://10.0.4.20:4840" --endpoint "meter=modbus://10.0.4.31"'
        ' --under "plc=ns=2;s=Line4" --tags "meter=registers.csv"',
    ),
)
@click.argument("project", type=options.FILE)
@click.option("--endpoint", "endpoints", multiple=True, required=True, metavar="NAME=URL", help="An endpoint; once for each.")
@click.option("--under", "roots", multiple=True, metavar="[NAME=]NODE", help="Connect, and add every variable below this node as a tag.")
@click.option("--tags", "lists", multiple=True, metavar="[NAME=]FILE.csv", help="Add the tags of a list; - is standard input.")
@click.option("--max", "limit", type=click.IntRange(min=1), default=10_000, show_default=True, help="Browse at most so many nodes.")
@options.notation
@options.timeout
def new_project(
    project: Path,
    endpoints: tuple[str, ...],
    roots: tuple[str, ...],
    lists: tuple[str, ...],
    limit: int,
    notation: str | None,
    timeout_s: float,
) -> None:
    """Make a project file with endpoints and tags.

    --under and --tags are of the first endpoint unless they begin with the name of another. From a server come type, unit, range,
    states, access and path of every variable; properties of variables (EURange and the like) are left out. A list is a CSV file
    with the columns name,address,type,order,gain,offset,unit,description,access, of which only address must be there.

    A file that is there already is never replaced. stdout names the file.
    """
    from app.commands.terminal.building import Builder
    from app.commands.terminal.out import put_lines

    builder = Builder(project, endpoints, notation or "")
    builder.add_lists(lists)
    builder.add_browsed(roots, limit, timeout_s)
    builder.save()
    put_lines([str(builder.path)])


COMMAND = new_project
