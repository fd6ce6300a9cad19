from __future__ import annotations

import click

from app.commands.terminal import options
from app.commands.terminal.taught import TaughtCommand


@click.command(
    "probe",
    cls=TaughtCommand,
    examples=(
        'tagloom probe "192.168.0.10"',
        'tagloom probe "192.168.0.10" --ports "4840, 4841, 502" --json',
        'tagloom probe "opc.tcp://filler.plant:4840/server"',
    ),
)
@click.argument("host")
@click.option("--ports", default="", metavar="LIST", help="Ask these ports instead of the usual ones.")
@options.as_json
def probe(host: str, ports: str, as_json: bool) -> None:
    """Find out what answers at an address, or why not.

    Asks ports 4840, 48010, 53530, 62541 (OPC UA), 502 and 802 (Modbus), or
    only the one that HOST names: one connection each, nothing else is sent.

    With --json: {"step","port","outcome","kind","text","url","offers"}.
    """
    from app.commands.terminal.asking import answers
    from app.commands.terminal.lines import encoded, offer_line, step_line
    from app.commands.terminal.out import put_lines
    from app.commands.terminal.tables import plain
    from app.drivers.probe_questions import ProbeStep, Verdict
    from app.drivers.probe_target import ports_of, target
    from app.errors import EndpointError

    wanted = target(host)
    question = wanted.probe(ports_of(ports) if ports else ())
    for answer in answers(question, f"Asking {wanted.host} on ports {', '.join(map(str, question.ports))}"):
        if isinstance(answer, ProbeStep) and answer.outcome != "asking":
            offered = answer.report.offered if answer.report is not None else ()
            if as_json:
                put_lines([encoded(step_line(answer))])
            else:
                put_lines([plain(answer.text), *(plain(f"    {offer_line(offer)}") for offer in offered)])
        elif isinstance(answer, Verdict):
            if answer.outcome != "fine":
                raise EndpointError(answer.what, where=wanted.host, why=answer.why, fix=answer.fix)
            if not as_json:
                put_lines([plain(answer.what)])


COMMAND = probe
