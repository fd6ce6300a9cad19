from __future__ import annotations

from pathlib import Path

import click

from app.commands.terminal import options
from app.commands.terminal.taught import TaughtCommand, TaughtGroup


@click.group(
    "tags",
    cls=TaughtGroup,
    examples=(
        'tagloom tags import "line4.tagloom" "registers.xlsx" --endpoint "meter" --dry-run',
        'tagloom tags import "line4.tagloom" "registers.csv" --endpoint "meter" --unit 3 --base 1',
        'tagloom tags list "line4.tagloom" --endpoint "meter"',
        'tagloom tags rebind "line4.tagloom" --dry-run',
    ),
)
def tags() -> None:
    """Tags of a project: import lists, show them, re-bind."""


@tags.command(
    "import",
    cls=TaughtCommand,
    examples=(
        'tagloom tags import "line4.tagloom" "registers.xlsx" --endpoint "meter" --dry-run',
        'tagloom tags import "line4.tagloom" "registers.txt" --endpoint "meter=modbus://10.0.4.31" --unit 3 --probe',
        'tagloom tags import "line4.tagloom" "registers.csv" --endpoint "meter" --unit 3 --base 1',
        'tagloom tags import "line4.tagloom" "map.csv" --endpoint "meter" --column "address=Reg" --column "divisor=Gain"',
    ),
)
@click.argument("project", type=options.FILE)
@click.argument("file", metavar="FILE|-")
@click.option(
    "--endpoint", required=True, metavar="NAME[=URL]", help="Whose tags they are; URL is where it is reached from here, for --probe."
)
@click.option("--unit", type=click.IntRange(0, 255), metavar="N", help="Unit id of rows that state none.")
@click.option("--base", type=click.Choice(["0", "1"]), help="Number of the first register, where the list does not tell.")
@click.option(
    "--notation",
    type=click.Choice(["plain", "modicon", "one-based", "hex"]),
    help="How the list writes addresses, where it is not found out rightly.",
)
@click.option("--table", type=click.Choice(["holding", "input", "coil", "discrete"]), default="holding", show_default=True,
              help="Table of rows for which the list names none.")  # fmt: skip
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="MEANING=COLUMN",
    help="A column by its heading, number or letter; remembered for lists with the same headings.",
)
@click.option("--sheet", metavar="NAME", help="Only this sheet of a workbook.")
@click.option("--group", metavar="NAME", help="Group of the new tags.")
@click.option("--update/--no-update", default=True, show_default=True, help="Whether tags that the list describes otherwise are changed.")
@click.option("--remove-gone", is_flag=True, help="Remove tags of the same units and tables that the list no longer holds.")
@click.option("--dry-run", is_flag=True, help="Show what would happen; change nothing.")
@click.option("--probe", is_flag=True, help="Read three telling rows at base 0 and at base 1, show them, and change nothing.")
@click.option("--allow-errors", is_flag=True, help="Exit with 0 even when rows have problems.")
@options.timeout
@options.as_json
def import_(
    project: Path,
    file: str,
    endpoint: str,
    unit: int | None,
    base: str | None,
    notation: str | None,
    table: str,
    columns: tuple[str, ...],
    sheet: str | None,
    group: str | None,
    update: bool,
    remove_gone: bool,
    dry_run: bool,
    probe: bool,
    allow_errors: bool,
    timeout_s: float,
    as_json: bool,
) -> int:
    """Import a register list or tag list into a project.

    FILE is CSV with any delimiter, .xlsx, a saved web page, text copied from a PDF, or a Kepware CSV; - is standard input. Columns are
    recognised, and shown. MEANING is one of name, address, type, order, length, bit, table, function, unit_id, gain, divisor, offset,
    unit, low, high, range, enum, access, description.

    Good rows go in although others are bad; each bad row is named with what is wrong and what to do, and the exit code is 1. Importing an
    updated list changes tags that are there and adds the new ones. A list that does not tell whether registers are counted from 0 or from
    1 is refused until --base says it.

    With --json, one line per row: {"place","state","name","address","type","gain","offset","unit","access","description","changes",
    "marks","problems"}; state is new, changed, same or bad.
    """
    from app.commands.terminal.importing import Import, Wish

    wish = Wish(
        unit=unit, base=None if base is None else int(base), notation=notation or "", table=table, columns=columns, sheet=sheet or "",
        group=group or "", update=update, remove_gone=remove_gone,
    )  # fmt: skip
    asked = Import(project, file, endpoint, wish)
    if probe:
        asked.put_probe(timeout_s, as_json=as_json)
        return 0
    return asked.run(dry_run=dry_run, allow_errors=allow_errors, as_json=as_json)


@tags.command(
    "list",
    cls=TaughtCommand,
    examples=(
        'tagloom tags list "line4.tagloom"',
        'tagloom tags list "line4.tagloom" --endpoint "meter" --csv > "tags.csv"',
    ),
)
@click.argument("project", type=options.FILE)
@click.option("--endpoint", metavar="NAME", help="Only tags of this endpoint.")
@click.option("--csv", "as_csv", is_flag=True, help="As CSV that import reads back, in UTF-8.")
@options.as_json
def list_(project: Path, endpoint: str | None, as_csv: bool, as_json: bool) -> None:
    """List the tags of a project.

    With --json, one line per tag: {"endpoint","name","address","type","gain","offset","unit","low","high","access","description"}.
    """
    from app.commands.terminal.importing import put_tags

    put_tags(project, endpoint or "", as_csv=as_csv, as_json=as_json)


@tags.command(
    "rebind",
    cls=TaughtCommand,
    examples=(
        'tagloom tags rebind "line4.tagloom" --dry-run',
        'tagloom tags rebind "line4.tagloom" --endpoint "plc=opc.tcp://10.0.4.20:4840"',
        'tagloom tags rebind "line4.tagloom" --endpoint "plc" --accept --json',
    ),
)
@click.argument("project", type=options.FILE)
@click.option(
    "--endpoint",
    "endpoints",
    multiple=True,
    metavar="NAME[=URL]",
    help="Only this endpoint, as often as needed; URL is where it is reached from here. Without it, all of OPC UA.",
)
@click.option("--accept", is_flag=True, help="Where another variable has the tag's id and its own is not found, take that one.")
@click.option("--dry-run", is_flag=True, help="Show what would happen; change nothing.")
@options.timeout
@options.as_json
def rebind(project: Path, endpoints: tuple[str, ...], accept: bool, dry_run: bool, timeout_s: float, as_json: bool) -> int:
    """Give tags the ids that their variables have now.

    Every tag is looked at. One whose variable was found by its browse path under another id follows it; type and path are noted as they
    are now, and what was approved of it shows as changed. Where another variable has taken a tag's id and its own cannot be found, nothing
    is done without --accept. The project is saved once. The exit code is 1 when tags are left.

    With --json, one line per tag that is not what, or not where, it was:
    {"state","endpoint","tag","address","found","path","type"}; state is found, taken, left or missing.
    """
    from app.commands.terminal.rebinding import run

    return run(project, endpoints, timeout_s, accept=accept, dry_run=dry_run, as_json=as_json)


COMMAND = tags
