from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from app.commands.terminal import options
from app.commands.terminal.taught import TaughtCommand, TaughtGroup

F = TypeVar("F", bound=Callable[..., object])


def _which(command: F) -> F:
    command = click.argument("which")(command)
    return click.option("--project", type=options.FILE, help="Take WHICH as the name of an endpoint in this project file.")(command)


@click.group(
    "secret",
    cls=TaughtGroup,
    examples=(
        'tagloom secret list "line4.tagloom"',
        'tagloom secret set "plc" --project "line4.tagloom"',
        'tagloom secret where "secret://plc-abc234/password"',
        'tagloom secret forget "plc" --project "line4.tagloom"',
    ),
)
def secret() -> None:
    """Passwords and passphrases: where they come from.

    Project files hold references only (secret://<endpoint id>/<kind>). No command ever prints a value.
    """


@secret.command("list", cls=TaughtCommand, examples=('tagloom secret list "line4.tagloom"', 'tagloom secret list "line4.tagloom" --json'))
@click.argument("project", type=options.FILE)
@options.as_json
def list_(project: Path, as_json: bool) -> None:
    """List what a project needs.

    For each endpoint that has a secret: its reference, and where the value comes from on this computer.

    With --json: {"endpoint","reference","source"}; source is null where there is none.
    """
    from app.commands.terminal.lines import encoded
    from app.commands.terminal.out import put_lines
    from app.commands.terminal.progress import note
    from app.commands.terminal.tables import put_table
    from app.model.plant import Endpoint
    from app.projectfile import open_file
    from app.secrets import Secrets

    secrets = Secrets()
    needed = [one for one in open_file(project).project.all(Endpoint).values() if one.security.secret]
    rows = [(one.name, one.security.secret, secrets.source(one.security.secret)) for one in needed]
    if as_json:
        put_lines(encoded({"endpoint": name, "reference": reference, "source": source or None}) for name, reference, source in rows)
    elif rows:
        put_table(("endpoint", "reference", "source"), [(name, reference, source or "nowhere") for name, reference, source in rows])
    note(f"{len(rows)} secrets, {sum(1 for row in rows if not row[2])} of them not known on this computer")


@secret.command(
    "set",
    cls=TaughtCommand,
    examples=('tagloom secret set "plc" --project "line4.tagloom"', 'tagloom secret set "secret://plc-abc234/password"'),
)
@_which
def set_(which: str, project: Path | None) -> None:
    """Keep a value in the keyring of this system.

    It is typed without echo, twice; or given as one line on standard input. There is no option for it: what stands on a command line
    can be read by others.
    """
    from app.commands.terminal.progress import note
    from app.commands.terminal.references import reference_from
    from app.commands.terminal.typed import typed_secret
    from app.secrets import Secrets

    reference, secrets = reference_from(which, project), Secrets()
    secrets.keyring_name()  # fails before anything is typed
    keyring = secrets.keep_in_keyring(reference, typed_secret(f"Value of {reference}", twice=True))
    note(f"Kept {reference} in {keyring}")


@secret.command("forget", cls=TaughtCommand, examples=('tagloom secret forget "secret://plc-abc234/password"',))
@_which
def forget(which: str, project: Path | None) -> None:
    """Remove a value from the keyring.

    Environment variables and mounted files are left as they are.
    """
    from app.commands.terminal.progress import note
    from app.commands.terminal.references import reference_from
    from app.secrets import Secrets

    reference, secrets = reference_from(which, project), Secrets()
    note(f"Forgot {reference}" if secrets.forget(reference) else f"{reference} was not in the keyring")
    if left := secrets.source(reference):
        note(f"It still comes from: {left}")


@secret.command("where", cls=TaughtCommand, examples=('tagloom secret where "plc" --project "line4.tagloom"',))
@_which
@options.as_json
def where(which: str, project: Path | None, as_json: bool) -> None:
    """Show all places where a value may come from.

    In the order in which they are looked at, with the names that an environment variable or a mounted file must have.

    With --json: {"place","has","trouble"}.
    """
    from app.commands.terminal.lines import encoded
    from app.commands.terminal.out import put_lines
    from app.commands.terminal.references import reference_from
    from app.commands.terminal.tables import put_table
    from app.secrets import Secrets

    places = Secrets().places(reference_from(which, project))
    if as_json:
        put_lines(encoded({"place": one.title, "has": one.has, "trouble": one.trouble or None}) for one in places)
    else:
        put_table(("place", "has it", "trouble"), [(one.title, "yes" if one.has else "no", one.trouble) for one in places])


COMMAND = secret
