from __future__ import annotations

from pathlib import Path

import click

from app.commands.terminal import options
from app.commands.terminal.taught import TaughtCommand


@click.command(
    "review",
    cls=TaughtCommand,
    examples=('tagloom review "line4.tagloom" --out "line4.html"',),
)
@click.argument("project", type=options.FILE)
@click.option("--out", required=True, type=options.FILE, metavar="FILE.html", help="The page to write; one that is there is replaced.")
def review(project: Path, out: Path) -> None:
    """Write the review page.

    It is the whole project as one HTML file that opens in any browser, offline.

    stdout names the file.
    """
    from app.commands.terminal.out import put_lines
    from app.projectfile import open_file
    from app.projectfile.durable import replace_file
    from app.review.page import render_page

    replace_file(out, render_page(open_file(project).project, project.name))
    put_lines([str(out)])


COMMAND = review
