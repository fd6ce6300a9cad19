from __future__ import annotations

from pathlib import Path

import click

from app.commands.terminal import options
from app.commands.terminal.taught import TaughtCommand


@click.command(
    "watch",
    cls=TaughtCommand,
    examples=(
        'tagloom watch "opc.tcp://10.0.4.20:4840" "ns=2;s=Line4/Filler1/FT-101.PV" --interval 100',
        'tagloom watch "modbus://10.0.4.31" "3/holding:100:float32:CDAB" "3/holding:119.4" --for 60 --json',
        'tagloom watch "opc.tcp://10.0.4.20:4840" --tags "tags.csv" --for 10 > "samples.txt"',
        'tagloom watch "filler-opcua" --project "line4.tagloom"',
    ),
)
@options.endpoint
@click.argument("addresses", nargs=-1, metavar="[ADDRESS...]")
@click.option("--tags", metavar="FILE|-", help="Addresses, one per line, or a CSV tag list with scale and unit; - is standard input.")
@options.notation
@click.option("--for", "for_s", type=click.FloatRange(min=0), metavar="SECONDS", help="End after so long; without it, with Ctrl+C.")
@click.option("--interval", "interval_ms", type=click.IntRange(min=1, max=2**31 - 1), metavar="MS",
              help="How often the device is asked.  [default: 1000, or as the tag's group in the project says]")  # fmt: skip
@options.fail_on("a tag that was bad, or is stale at the end, is an error, an uncertain one a warning")
@options.as_json
def watch(
    endpoint: str,
    project: Path | None,
    overrides: tuple[str, ...],
    timeout_s: float,
    addresses: tuple[str, ...],
    tags: str | None,
    notation: str | None,
    for_s: float | None,
    interval_ms: int | None,
    fail_on: str,
    as_json: bool,
) -> int:
    """Print every sample of tags as it comes.

    ENDPOINT, ADDRESS and --tags are those of "read". The first connection must succeed; after that it is tried again and again. When
    it is lost, the last sample of each tag is printed once more as stale; what comes after the reconnect is live again.

    A line that is stale says why. The first sample after others were lost says that there is a gap before it.

    With --json, one line per sample, in the form of "read". Ctrl+C ends it as --for does; the exit code is 130 only when nothing had
    been printed yet.
    """
    from app.commands.terminal.endpoint import target
    from app.commands.terminal.failures import INTERRUPTED, exit_code
    from app.commands.terminal.reading import tell_if_of_then
    from app.commands.terminal.tags import asked_for
    from app.commands.terminal.watching import Watcher

    with target(endpoint, project, overrides) as chosen:
        asked = asked_for(chosen, addresses, tags, notation)
        report = chosen.connect(timeout_s)
        tell_if_of_then(report)
        watcher = Watcher(chosen, asked, report.namespaces, interval_ms, as_json=as_json)
        try:
            watcher.run(for_s)
        except KeyboardInterrupt:
            if not watcher.printed:
                return INTERRUPTED
        return exit_code(watcher.severities(), fail_on)


COMMAND = watch
