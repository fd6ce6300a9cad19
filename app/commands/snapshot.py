from __future__ import annotations

from pathlib import Path

import click

from app.commands.terminal import options
from app.commands.terminal.taught import TaughtCommand

DEFAULT_PER_S = 100.0


@click.command(
    "snapshot",
    cls=TaughtCommand,
    examples=(
        'tagloom snapshot "opc.tcp://10.0.4.20:4840" -o "filler"',
        'tagloom snapshot "line4.tagloom" --endpoint "filler-opcua" --root "/Objects/2:Line4" --rate 50',
        'tagloom snapshot "line4.tagloom" --endpoint "meter=modbus://10.0.4.31" --registers "3/holding:0-99"',
    ),
)
@click.argument("source", metavar="PROJECT|URL")
@click.option("--endpoint", default="", metavar="NAME[=URL]", help="Which endpoint of PROJECT; URL is where it is reached from here.")
@click.option("-o", "--out", type=options.FILE, metavar="FILE", help="File to write; without it, the endpoint's name beside PROJECT.")
@click.option("--root", default="", metavar="NODE", help="OPC UA: only what is below this node; without it, everything below Objects.")
@click.option(
    "--registers", multiple=True, metavar="RANGES", help='Modbus: beside the registers of tags, for example "3/holding:0-99, input:5".'
)
@click.option("--rate", "per_s", type=click.FloatRange(1, 5000), default=DEFAULT_PER_S, show_default=True, metavar="N",
              help="Nodes or registers asked for per second, at most.")  # fmt: skip
@options.timeout
def snapshot(source: str, endpoint: str, out: Path | None, root: str, registers: tuple[str, ...], per_s: float, timeout_s: float) -> None:
    """Keep what an endpoint shows in a file.

    Of OPC UA every node below Objects or NODE, with attributes, types, values and times; of Modbus the registers of the project's tags and
    those of RANGES, and never any other. The file is opened beside the project on any computer:
    --endpoint NAME=snapshot:FILE. Its values are always those of then.

    Only reads. An interrupted snapshot is FILE.part, and goes on where it was when the command is given again.
    """
    from app.commands.terminal.surveying import take, what_to_survey

    with what_to_survey(source, endpoint, out) as (chosen, file):
        take(chosen, file, root=root, ranges=", ".join(registers), per_s=per_s, timeout_s=timeout_s)


COMMAND = snapshot
