"""The command line: ``tagloom COMMAND``. One module per command, found because it sits here and ends in ``COMMAND``.

A command's module imports nothing but click at its top: what it needs is imported when it runs, so that ``tagloom --help`` is
quick and a command pays only for itself. No command imports a protocol library or Qt: those live in processes of their own.
What commands share (forms of output, errors, the ENDPOINT argument) is in the package ``terminal``.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pkgutil import iter_modules

import click

from app.commands.terminal.taught import TaughtGroup


class Commands(TaughtGroup):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return [module.name for module in iter_modules(__path__) if not module.ispkg and not module.name.startswith("_")]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = import_module(f"{__name__}.{cmd_name}").COMMAND
        return command


def _show_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from app.commands.terminal.version import version

        click.echo(f"tagloom {version()}")
        ctx.exit()


@click.group(
    cls=Commands,
    examples=(
        "tagloom demo",
        'tagloom browse "opc.tcp://10.0.4.20:4840"',
        'tagloom new "line4.tagloom" --endpoint "plc=opc.tcp://10.0.4.20:4840"',
        'tagloom open "line4.tagloom"',
        'tagloom check "line4.tagloom"',
        'tagloom export "line4.tagloom" --target telegraf --out "gateway"',
    ),
    epilog="Data goes to stdout, everything else to stderr. Exit codes: 0 fine; 1 findings, losses or bad tags at or above --fail-on;"
    " 2 could not run; 130 interrupted before anything was delivered; 141 the reader of the output has gone.",
)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version, help="Show the version and end.")
def tagloom() -> None:
    """From live OPC UA and Modbus to a reviewed mapping and a gateway configuration.

    COMMAND --help shows examples of each command.
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line (``sys.argv`` without arguments); the result is the exit code."""
    from app.commands.terminal.failures import run

    return run(tagloom, arguments)
