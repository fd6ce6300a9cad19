from __future__ import annotations

from pathlib import Path

import click

from app.commands.terminal import options
from app.commands.terminal.taught import TaughtCommand, TaughtGroup


@click.group(
    "trust",
    cls=TaughtGroup,
    examples=(
        "tagloom trust list",
        'tagloom trust own --save "tagloom.der"',
        'tagloom trust add "plc7.der"',
        'tagloom trust add "plant-ca.crt" --accept "no revocation list"',
        'tagloom trust show "plc7"',
        'tagloom trust remove "3F2A 91C4"',
        'tagloom trust import-user "operator-1" "operator-1.p12"',
    ),
)
def trust() -> None:
    """Certificates: our own, and whose are trusted.

    WHICH is the beginning of a thumbprint, or a part of a name, application URI or host.
    """


@trust.command("list", cls=TaughtCommand, examples=("tagloom trust list", "tagloom trust list --json"))
@options.as_json
def list_(as_json: bool) -> None:
    """List certificates that are known here.

    With --json: {"kind","name","thumbprint","sha256","subject","issuer","application_uri","hosts","key","signature","not_before",
    "not_after","since","accepting"}.
    """
    from app.commands.terminal.certificates import known_line, known_row, store
    from app.commands.terminal.lines import encoded
    from app.commands.terminal.out import put_lines
    from app.commands.terminal.progress import note
    from app.commands.terminal.tables import put_table
    from app.trust.facts import utc

    kept = store()
    known = [*kept.trusted(), *kept.refused(), *kept.issuers()]
    users = kept.users()
    if as_json:
        put_lines(encoded(known_line(one.kind, one.facts, one.since_ns, one.accepting)) for one in known)
        put_lines(encoded(known_line("user", one.facts, None, ())) for one in users)
        return
    rows = [known_row(one) for one in known]
    rows += [("user", one.name, one.facts.thumbprint, utc(one.facts.not_after_ns), "", "") for one in users]
    if rows:
        put_table(("kind", "name", "thumbprint", "valid until", "since", "accepted"), rows)
    for one in kept.crls():
        due = f", the next is due {utc(one.next_ns)}" if one.next_ns is not None else ""
        note(f"Revocation list of {one.issuer}: {one.count:,} certificates, of {utc(one.since_ns)}{due}")
    note(f"{len(known)} certificates, {len(users)} of users, in {kept.folder}")


@trust.command("show", cls=TaughtCommand, examples=('tagloom trust show "plc7"', 'tagloom trust show "plc7.der" --json'))
@click.argument("which", metavar="WHICH|FILE")
@options.as_json
def show(which: str, as_json: bool) -> None:
    """Show all that a certificate says.

    WHICH is the beginning of a thumbprint, or a part of a name, application URI or host; or a file with a certificate.
    """
    from app.commands.terminal.certificates import content_of, facts_rows, known_line, store
    from app.commands.terminal.lines import encoded
    from app.commands.terminal.out import put_lines
    from app.commands.terminal.tables import put_table
    from app.trust.facts import facts, utc
    from app.trust.store import certificate_der

    if Path(which).is_file():
        kind, found, known = "file", facts(certificate_der(content_of(Path(which)))), None
    else:
        known = store().find(which)
        kind, found = known.kind, known.facts
    since_ns, accepting = (known.since_ns, known.accepting) if known is not None else (None, ())
    if as_json:
        put_lines([encoded(known_line(kind, found, since_ns, accepting))])
        return
    rows = facts_rows(found)
    if since_ns is not None:
        rows.append((f"{kind} since", utc(since_ns)))
    if accepting:
        rows.append(("accepted with it", ", ".join(accepting)))
    put_table(("", kind), rows)


@trust.command(
    "add",
    cls=TaughtCommand,
    examples=('tagloom trust add "plc7.der"', 'tagloom trust add "plc7.der" --accept "wrong host:10.0.4.20" --accept "expired"'),
)
@click.argument("file", type=options.FILE)
@click.option("--accept", "accepting", multiple=True, metavar="PROBLEM", help='Accept what is wrong with it, as told when connecting: "expired", "wrong host:10.0.4.20".')  # fmt: skip  # noqa: E501
def add(file: Path, accepting: tuple[str, ...]) -> None:
    """Trust a server, or all that a CA issues.

    Compare the thumbprint with the one that the server itself shows.
    """
    from app.commands.terminal.certificates import content_of, store
    from app.commands.terminal.progress import note
    from app.trust.facts import spaced
    from app.trust.store import certificate_der

    known = store().trust(certificate_der(content_of(file)), accepting=accepting)
    note(f"Trusted: {known.facts.name}, thumbprint {spaced(known.thumbprint)}")
    if known.facts.authority:
        note("It is a CA: every server that it issues a certificate to is trusted")
        if not any(one.partition(":")[0] == "no revocation list" for one in known.accepting):
            note('Add its revocation list with "tagloom trust add-crl", or accept that there is none: --accept "no revocation list"')
    elif not known.facts.self_signed:
        note(f'It was issued by {known.facts.issuer}: add that certificate with "tagloom trust add-issuer"')


@trust.command("refuse", cls=TaughtCommand, examples=('tagloom trust refuse "stolen.der"',))
@click.argument("file", type=options.FILE)
def refuse(file: Path) -> None:
    """Never accept this certificate."""
    from app.commands.terminal.certificates import content_of, store
    from app.commands.terminal.progress import note
    from app.trust.facts import spaced
    from app.trust.store import certificate_der

    known = store().refuse(certificate_der(content_of(file)))
    note(f"Refused: {known.facts.name}, thumbprint {spaced(known.thumbprint)}")


@trust.command("remove", cls=TaughtCommand, examples=('tagloom trust remove "3F2A 91C4"', 'tagloom trust remove "user:operator-1"'))
@click.argument("which")
def remove(which: str) -> None:
    """Forget a certificate, trusted or refused.

    "user:NAME" removes the certificate of a user with its key.
    """
    from app.commands.terminal.certificates import store
    from app.commands.terminal.progress import note

    if which.startswith("user:"):
        store().remove_user(which.removeprefix("user:"))
        note(f"Removed: {which}")
        return
    known = store().find(which)
    store().remove(known.thumbprint)
    note(f"Removed: {known.facts.name}, it was {known.kind}")


@trust.command("own", cls=TaughtCommand, examples=("tagloom trust own", 'tagloom trust own --save "tagloom.der"'))
@click.option(
    "--save", type=options.FILE, help="Write the certificate, without its key: as PEM when the name ends in .pem or .crt, else DER."
)
@options.as_json
def own(save: Path | None, as_json: bool) -> None:
    """Show or save our own certificate.

    A server must trust it before it lets us in over a secured connection. It is made when it is first needed.
    """
    from app.commands.terminal.certificates import facts_rows, known_line, store
    from app.commands.terminal.lines import encoded
    from app.commands.terminal.out import put_lines
    from app.commands.terminal.progress import note
    from app.commands.terminal.tables import put_table
    from app.projectfile.durable import replace_file
    from app.trust.facts import facts

    ours = store().own()
    for text in ours.notes:
        note(text)
    if as_json:
        put_lines([encoded(known_line("own", facts(ours.der), None, ()))])
    else:
        put_table(("", "own"), [*facts_rows(facts(ours.der)), ("file", str(ours.certificate_path))])
    if save is not None:
        replace_file(save, ours.pem() if save.suffix.lower() in (".pem", ".crt") else ours.der)
        note(f'Saved to {save}. On the server it is "{ours.name}": trust it there')


@trust.command(
    "import-user",
    cls=TaughtCommand,
    examples=('tagloom trust import-user "operator-1" "operator-1.p12"', 'tagloom trust import-user "operator-1" "op.der" --key "op.key"'),
)
@click.argument("name")
@click.argument("file", type=options.FILE)
@click.option("--key", type=options.FILE, help="The private key, where it is in a file of its own.")
@click.option("--encrypt", is_flag=True, help="Ask for a passphrase also when the key has none, and keep it encrypted.")
def import_user(name: str, file: Path, key: Path | None, encrypt: bool) -> None:
    """Keep certificate and key of a user.

    FILE is PEM with both, PKCS#12, or a certificate with --key. A passphrase is asked for where it is needed, without echo; or given as
    one line on standard input.
    """
    from app.commands.terminal.certificates import content_of, store
    from app.commands.terminal.progress import note
    from app.commands.terminal.typed import typed_secret
    from app.trust.facts import spaced
    from app.trust.store import PassphraseError

    content, key_content = content_of(file), content_of(key) if key is not None else b""
    title = f"Passphrase of the key of {name}"
    if encrypt:
        kept = store().import_user(name, content, typed_secret(title, twice=True), key=key_content)
    else:
        try:
            kept = store().import_user(name, content, key=key_content)
        except PassphraseError:
            kept = store().import_user(name, content, typed_secret(title), key=key_content)
    note(f"Imported: {kept.name}, {kept.facts.subject}, thumbprint {spaced(kept.facts.thumbprint)}")
    if not kept.encrypted:
        note("Its key is kept without a passphrase: whoever can read your files can use it")


@trust.command("add-issuer", cls=TaughtCommand, examples=('tagloom trust add-issuer "plant-intermediate.crt"',))
@click.argument("file", type=options.FILE)
def add_issuer(file: Path) -> None:
    """Add a CA that completes chains.

    It is not trusted by that: "tagloom trust add" does that.
    """
    from app.commands.terminal.certificates import content_of, store
    from app.commands.terminal.progress import note
    from app.trust.facts import spaced
    from app.trust.store import certificate_der

    known = store().add_issuer(certificate_der(content_of(file)))
    note(f"Added: {known.facts.name}, thumbprint {spaced(known.thumbprint)}")


@trust.command("add-crl", cls=TaughtCommand, examples=('tagloom trust add-crl "plant-ca.crl"',))
@click.argument("file", type=options.FILE)
def add_crl(file: Path) -> None:
    """Add a revocation list of a CA."""
    from app.commands.terminal.certificates import content_of, store
    from app.commands.terminal.progress import note
    from app.trust.facts import utc

    found = store().add_crl(content_of(file))
    due = f", the next is due {utc(found.next_ns)}" if found.next_ns is not None else ""
    note(f"Added: {found.count:,} revoked certificates of {found.issuer}, of {utc(found.since_ns)}{due}")


COMMAND = trust
