from __future__ import annotations

import click

from app.commands.terminal import options
from app.commands.terminal.taught import TaughtCommand


@click.command(
    "discover",
    cls=TaughtCommand,
    examples=(
        'tagloom discover "opc.tcp://10.0.4.20:4840"',
        "tagloom discover --listen 10 --json",
    ),
)
@click.argument("url", default="")
@click.option(
    "--listen", "seconds", type=click.FloatRange(min=0.5, max=50), default=4.0, show_default=True, metavar="SECONDS", help="Without URL."
)
@options.as_json
def discover(url: str, seconds: float, as_json: bool) -> None:
    """List the OPC UA servers that a discovery server knows.

    Without URL: those that announce themselves on this computer's networks
    (multicast DNS); nobody is connected to.

    With --json: {"name","url","application_uri","trouble","note","offers"}.
    """
    from app.commands.terminal.asking import answers
    from app.commands.terminal.lines import announced_line, encoded, found_line, offer_line
    from app.commands.terminal.out import put_lines
    from app.commands.terminal.progress import note
    from app.commands.terminal.tables import plain
    from app.drivers import spec_for
    from app.drivers.probe_questions import Announced, FindOnNetwork, FindServers, FoundServer, Listened
    from app.drivers.questions import Anywhere

    question: Anywhere
    if url:
        question, doing = FindServers(url=spec_for(url).parse_url(url)), f"Asking {url}"
    else:
        question, doing = FindOnNetwork(seconds=seconds), "Listening for servers"
    for answer in answers(question, doing):
        match answer:
            case Listened(trouble=trouble):
                note(plain(f"{answer.interface} {answer.address}: {trouble or 'listening'}"))
            case Announced() if as_json:
                put_lines([encoded(announced_line(answer))])
            case Announced():
                put_lines([plain(f"{answer.name}  {answer.url}  heard on {answer.interface}")])
            case FoundServer() if as_json:
                put_lines([encoded(found_line(answer))])
            case FoundServer():
                offered = answer.report.offered if answer.report is not None else ()
                head = f"{answer.name}  {answer.url or ', '.join(answer.urls)}" + (f"  ({answer.trouble})" if answer.trouble else "")
                more = [answer.note] if answer.note else []
                put_lines(plain(line) for line in [head, *(f"    {text}" for text in (*more, *map(offer_line, offered)))])


COMMAND = discover
