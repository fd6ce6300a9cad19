from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.commands.terminal import options
from app.commands.terminal.taught import TaughtCommand

if TYPE_CHECKING:
    from app.gateways import Exporter, Loss


@click.command(
    "export",
    cls=TaughtCommand,
    examples=(
        'tagloom export "line4.tagloom" --target telegraf --out "gateway"',
        'tagloom export "line4.tagloom" --target node-red --out "gateway" --endpoint "plc=opc.tcp://10.0.4.20:4840"',
        'tagloom export "line4.tagloom" --target telegraf --out "gateway" --option "collect_ms=250"',
    ),
)
@click.argument("project", type=options.FILE)
@click.option("--target", required=True, metavar="TARGET", help="Which gateway product; an unknown name lists those there are.")
@click.option("--out", required=True, type=options.FOLDER, metavar="FOLDER", help="Where the files go; it is made when it is not there.")
@options.reach
@click.option("--option", "values", multiple=True, metavar="NAME=VALUE", help="An option of the target; an unknown name lists them.")
@click.option("--overwrite", is_flag=True, help="Also replace files that no export wrote, or that were changed since.")
@options.fail_on("each loss has its severity")
@options.as_json
def export(
    project: Path, target: str, out: Path, overrides: tuple[str, ...], values: tuple[str, ...], overwrite: bool, fail_on: str, as_json: bool
) -> int:
    """Write the configuration of a gateway product.

    What the target cannot express of the project is shown on stderr and written to "losses.json" beside the files, as
    [{"place","what","consequence"}]. The address of an endpoint is --endpoint, else its address "gateway", else "default". No secret
    is written.

    stdout lists the files written; with --json, one line per file: {"file"}.
    """
    from app.commands.terminal.endpoint import reach_of
    from app.commands.terminal.failures import exit_code
    from app.commands.terminal.lines import encoded
    from app.commands.terminal.out import put_lines
    from app.gateways import Options, write_export
    from app.projectfile import open_file

    exporter = _exporter(target)
    chosen = _values(exporter, values)
    held = open_file(project).project
    rendered = exporter.render(held, Options(reach=reach_of(held, overrides), values=chosen))
    files = write_export(rendered, out, overwrite=overwrite)
    put_lines(encoded({"file": str(file)}) if as_json else str(file) for file in files)
    _show_losses(exporter, rendered.losses)
    return exit_code([loss.severity for loss in rendered.losses], fail_on)


def _exporter(key: str) -> Exporter:
    from app.errors import UserError
    from app.gateways import exporters

    known = exporters()
    if key not in known:
        names = ", ".join(f"{one.key} ({one.title})" for one in known.values())
        raise UserError("Unknown target", where=key, why="there is no exporter of this name", fix=f"Use one of: {names}")
    return known[key]


def _values(exporter: Exporter, given: tuple[str, ...]) -> dict[str, str]:
    from app.commands.terminal.endpoint import raise_all
    from app.errors import UserError

    found: dict[str, str] = {}
    problems: list[UserError] = []
    known = ", ".join(f"{name}={default}" for name, default in exporter.options.items()) or "none"
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or name not in exporter.options:
            why = f"{exporter.title} has no option {name!r}" if equals else "it is not of the form NAME=VALUE"
            problems.append(UserError("Not an option", where=f"--option {text}", why=why, fix=f"Options and their defaults: {known}"))
        found[name] = value
    raise_all("Cannot use --option", "the command line", problems)
    return found


def _show_losses(exporter: Exporter, losses: list[Loss]) -> None:
    from app.commands.terminal.progress import counted, note
    from app.commands.terminal.tables import aligned, plain

    if losses:
        rows = [
            ("severity", "place", "what is not carried over", "consequence"),
            *((x.severity, x.place, x.what, x.consequence) for x in losses),
        ]
        for line in aligned([[plain(cell) for cell in row] for row in rows]):
            note(line)
    note(f"{exporter.title}: {counted(loss.severity for loss in losses) if losses else 'no losses'}")


COMMAND = export
