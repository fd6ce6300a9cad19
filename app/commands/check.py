from __future__ import annotations

from pathlib import Path

import click

from app.commands.terminal import options
from app.commands.terminal.taught import TaughtCommand


@click.command(
    "check",
    cls=TaughtCommand,
    examples=(
        'tagloom check "line4.tagloom"',
        'tagloom check "line4.tagloom" --fail-on warning',
        'tagloom check "line4.tagloom" --json',
    ),
)
@click.argument("project", type=options.FILE)
@options.fail_on("each finding has its severity")
@options.as_json
def check(project: Path, fail_on: str, as_json: bool) -> int:
    """Check a project: sources, mappings, names, security.

    With --json, one line per finding: {"rule","severity","place","message","fix"}. Findings that somebody suppressed in the project,
    with a reason, are not shown.
    """
    from app.check import run
    from app.commands.terminal.failures import exit_code
    from app.commands.terminal.lines import encoded, finding_line
    from app.commands.terminal.out import put_lines
    from app.commands.terminal.progress import counted, note
    from app.commands.terminal.tables import put_table
    from app.projectfile import open_file

    findings = run(open_file(project).project)
    if as_json:
        put_lines(encoded(finding_line(finding)) for finding in findings)
    elif findings:
        put_table(
            ("severity", "rule", "place", "message", "fix"),
            [(finding.severity, finding.rule, finding.place, finding.message, finding.fix) for finding in findings],
        )
    note(f"{project.name}: {counted(finding.severity for finding in findings)}")
    return exit_code([finding.severity for finding in findings], fail_on)


COMMAND = check
