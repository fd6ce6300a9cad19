from __future__ import annotations

from pathlib import Path

import click

from app.commands.terminal import options
from app.commands.terminal.taught import TaughtCommand


@click.command(
    "browse",
    cls=TaughtCommand,
    examples=(
        'tagloom browse "opc.tcp://10.0.4.20:4840"',
        'tagloom browse "opc.tcp://10.0.4.20:4840" --under "ns=2;s=Line4/Filler1" --json',
        'tagloom browse "opc.tcp://10.0.4.20:4840" --under "/Objects/2:Plant1/2:Packaging"',
        'tagloom browse "filler-opcua" --project "line4.tagloom" --max 500',
        'tagloom browse "modbus://10.0.4.31?unit=3"',
    ),
)
@options.endpoint
@click.option("--under", default="", metavar="NODE", help="Only what is below this node; without it, everything below Objects.")
@click.option("--max", "limit", type=click.IntRange(min=1), default=10_000, show_default=True, help="Stop after so many nodes.")
@options.as_json
def browse(
    endpoint: str, project: Path | None, overrides: tuple[str, ...], timeout_s: float, under: str, limit: int, as_json: bool
) -> None:
    """List what a server offers.

    The ids are those that "read" and "watch" take.
    Modbus has no address space: it shows units and their tables.

    With --json: {"id","path","class","type"}.
    """
    from app.commands.terminal.crawl import pages
    from app.commands.terminal.endpoint import target
    from app.commands.terminal.lines import encoded, node_line
    from app.commands.terminal.out import put_lines
    from app.commands.terminal.tables import put_table
    from app.commands.terminal.tags import ANY_NAMESPACE

    with target(endpoint, project, overrides) as chosen:
        if under:
            chosen.spec.parse_address(under, namespaces=ANY_NAMESPACE)  # its form, before anything is connected
        report = chosen.connect(timeout_s)
        root = chosen.spec.parse_address(under, namespaces=report.namespaces) if under else ""
        rows: list[tuple[str, ...]] = []
        for page in pages(chosen, root, limit):
            if as_json:
                put_lines(encoded(node_line(page, row)) for row in range(len(page)))
            else:
                rows += zip(page.id, page.path, page.node_class, page.type, strict=True)
        if not as_json:
            put_table(("id", "path", "class", "type"), rows)


COMMAND = browse
