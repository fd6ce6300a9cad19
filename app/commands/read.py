from __future__ import annotations

from pathlib import Path

import click

from app.commands.terminal import options
from app.commands.terminal.taught import TaughtCommand


@click.command(
    "read",
    cls=TaughtCommand,
    examples=(
        'tagloom read "opc.tcp://10.0.4.20:4840" "ns=2;s=Line4/Filler1/FT-101.PV" "i=2258"',
        'tagloom read "modbus://10.0.4.31" "3/holding:100:float32:CDAB" "3/holding:119.4" "3/coil:0"',
        'tagloom read "modbus://10.0.4.31" --notation modicon "3/40101:float32"',
        'tagloom read "modbus://10.0.4.31" --tags "registers.csv" --json',
        'tagloom read "meter-modbus" --project "line4.tagloom" --endpoint "meter-modbus=modbus://127.0.0.1:1502"',
    ),
)
@options.endpoint
@click.argument("addresses", nargs=-1, metavar="[ADDRESS...]")
@click.option("--tags", metavar="FILE|-", help="Addresses, one per line, or a CSV tag list with scale and unit; - is standard input.")
@options.notation
@options.fail_on("a bad tag is an error, an uncertain one a warning")
@options.as_json
def read(
    endpoint: str,
    project: Path | None,
    overrides: tuple[str, ...],
    timeout_s: float,
    addresses: tuple[str, ...],
    tags: str | None,
    notation: str | None,
    fail_on: str,
    as_json: bool,
) -> int:
    """Read tags once.

    ENDPOINT is a URL, or with --project a name in that project: then an address that is a tag there has its scale and unit, and
    without ADDRESS and --tags all its tags are read.

    With --json, one line per tag:
    {"endpoint","id","value","type","quality","status","stale","unit","source_time","server_time","receive_time","why","gap"}.
    """
    from app.commands.terminal.endpoint import target
    from app.commands.terminal.failures import exit_code
    from app.commands.terminal.lines import encoded, sample_line
    from app.commands.terminal.out import put_lines
    from app.commands.terminal.reading import QUALITY_SEVERITY, put_samples, read_once, tell_if_of_then
    from app.commands.terminal.tags import asked_for, drafts_of

    with target(endpoint, project, overrides) as chosen:
        asked = asked_for(chosen, addresses, tags, notation)
        report = chosen.connect(timeout_s)
        drafts = drafts_of(chosen, asked, report.namespaces)
        samples = read_once(chosen, drafts)
        tell_if_of_then(report)
    rows = list(zip(drafts, samples, strict=True))
    if as_json:
        status_text = chosen.spec.status_text
        put_lines(
            encoded(
                sample_line(
                    chosen.label,
                    draft.address,
                    sample,
                    status=status_text(sample.status),
                    unit=draft.unit,
                    stale=report.as_of_ns is not None,
                )
            )
            for draft, sample in rows
        )
    else:
        put_samples(chosen.spec, rows)
    return exit_code([QUALITY_SEVERITY[sample.quality] for sample in samples], fail_on)


COMMAND = read
