"""``trust`` and ``secret`` as processes, in a folder of their own."""

import io
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import keyring
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12
from keyring.backend import KeyringBackend

from app.commands import main
from app.errors import UserError
from app.model.plant import Endpoint, Security
from app.model.project import Project, ProjectInfo
from app.processes import module_command
from app.projectfile import save
from app.secrets import reference_of
from app.trust.facts import thumbprint_of
from app.trust.store import TrustStore
from app.workspace.paths import pki_dir
from tests.certificates import CLIENT, authority, revocations, rsa_key, server
from tests.e2e.commandline import Done, environment, tagloom

CANARY = "canary-horse-staple"
REFERENCE = "secret://plc-abc234/password"
VARIABLE = "TAGLOOM_SECRET_PLC_ABC234_PASSWORD"
Run = Callable[..., Done]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """A command in this process, where its being one is not the point: many are quicker so."""
    monkeypatch.chdir(tmp_path)

    def ran(*arguments: str | Path, stdin: bytes = b"") -> Done:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = main([str(argument) for argument in arguments])
        return Done(code, *capsys.readouterr())

    return ran


# trust


def test_that_a_server_is_trusted_shown_listed_and_forgotten(run: Run, tmp_path: Path) -> None:
    plc = server(hosts=("plc7.plant.local", "10.0.4.20"))
    (tmp_path / "plc7.pem").write_bytes(plc.pem)
    added = run("trust", "add", "plc7.pem", "--accept", "wrong host:10.0.4.21")
    assert (added.code, added.out) == (0, "")
    assert added.err.startswith("Trusted: PLC7, thumbprint ")
    (line,) = run("trust", "list", "--json").lines
    assert list(line) == [
        "kind", "name", "thumbprint", "sha256", "subject", "issuer", "application_uri", "hosts", "key", "signature", "not_before",
        "not_after", "since", "accepting",
    ]  # fmt: skip
    assert (line["kind"], line["thumbprint"], line["accepting"]) == ("trusted", thumbprint_of(plc.der), ["wrong host:10.0.4.21"])
    assert (line["hosts"], line["not_after"]) == (["plc7.plant.local", "10.0.4.20"], "2030-01-01T00:00:00.000Z")
    listed = run("trust", "list")
    assert "trusted  PLC7  " + thumbprint_of(plc.der) in listed.out
    assert str(pki_dir()) in listed.err
    for which in ("plc7.plant", thumbprint_of(plc.der)[:10].lower(), "plc7.pem"):
        shown = run("trust", "show", which)
        assert (shown.code, "valid                   2026-01-01 00:00 UTC to 2030-01-01 00:00 UTC" in shown.out) == (0, True)
    assert run("trust", "remove", "plc7").err == "Removed: PLC7, it was trusted\n"
    assert TrustStore(pki_dir()).trusted() == []


def test_that_a_ca_is_added_with_all_that_belongs_to_it(run: Run, tmp_path: Path) -> None:
    top = authority()
    middle = authority("Line CA", issuer=top, serial=2)
    for name, content in (
        ("ca.crt", top.pem),
        ("line.crt", middle.der),
        ("ca.crl", revocations(top, 66)),
        ("plc.der", server(issuer=middle).der),
    ):
        (tmp_path / name).write_bytes(content)
    assert "It is a CA: every server" in run("trust", "add", "ca.crt").err
    assert run("trust", "add-issuer", "line.crt").err.startswith("Added: Line CA")
    assert run("trust", "add-crl", "ca.crl").err.startswith("Added: 1 revoked certificates of CN=Plant CA")
    assert 'issued by CN=Line CA: add that certificate with "tagloom trust add-issuer"' in run("trust", "add", "plc.der").err
    listed = run("trust", "list")
    assert [row.split()[0] for row in listed.out.splitlines()] == ["kind", "trusted", "trusted", "issuer"]
    assert "Revocation list of CN=Plant CA: 1 certificates" in listed.err


def test_that_a_refused_certificate_stays_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.der").write_bytes(server().der)
    assert run("trust", "refuse", "bad.der").err.startswith("Refused: PLC7")
    again = run("trust", "add", "bad.der")
    assert again.code == 2
    assert "it was refused here on" in again.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add", "nothing.der"), "there is no such file"),
        (("add", "rubbish.der"), "This is no certificate"),
        (("add", "."), "is a directory"),
        (("add", "plc.der", "--accept", "revoked"), "nobody may overrule that"),
        (("add", "plc.der", "--accept", "all"), 'there is no problem called "all"'),
        (("show", "nobody"), "none that is known here fits"),
        (("show", "rubbish.der"), "This is no certificate"),
        (("remove", "nobody"), "none that is known here fits"),
        (("remove", "user:nobody"), "none was imported under this name"),
        (("add-issuer", "plc.der"), "This is no certificate of a CA"),
        (("add-crl", "plc.der"), "This is no revocation list"),
        (("import-user", "op", "plc.der"), "the file holds no private key"),
        (("import-user", "../op", "plc.der"), "This cannot be the name"),
        (("own", "--save", "no/such/folder/x.der"), "Cannot save x.der"),
    ],
)
def test_that_every_failure_says_what_and_why(run: Run, tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    (tmp_path / "rubbish.der").write_bytes(b"rubbish")
    (tmp_path / "plc.der").write_bytes(server().der)
    done = run("trust", *arguments)
    assert (done.code, said in done.err) == (2, True), done.err
    assert "fault of Tagloom" not in done.err


def test_that_our_own_certificate_is_made_saved_and_stays(tmp_path: Path) -> None:
    first = tagloom("trust", "own", "--save", "ours.der", "--json", cwd=tmp_path)
    assert first.code == 0
    der = (tmp_path / "ours.der").read_bytes()
    assert first.lines[0]["thumbprint"] == thumbprint_of(der)
    assert f'On the server it is "{first.lines[0]["name"]}"' in first.err
    second = tagloom("trust", "own", "--save", "ours.crt", cwd=tmp_path)
    assert x509.load_pem_x509_certificate((tmp_path / "ours.crt").read_bytes()).public_bytes(serialization.Encoding.DER) == der
    assert first.lines[0]["name"] in second.out
    assert b"PRIVATE" not in (tmp_path / "ours.crt").read_bytes()


def test_that_a_user_is_imported_with_a_passphrase_from_standard_input(run: Run, tmp_path: Path) -> None:
    person = server("operator", uri="", hosts=(), purposes=CLIENT, key=rsa_key("person"))
    encryption = serialization.BestAvailableEncryption(CANARY.encode())
    (tmp_path / "op.p12").write_bytes(pkcs12.serialize_key_and_certificates(b"op", person.key, person.certificate, None, encryption))
    wrong = run("trust", "import-user", "op", "op.p12", stdin=b"wrong\n")
    assert (wrong.code, "the passphrase is wrong" in wrong.err) == (2, True)
    empty = run("trust", "import-user", "op", "op.p12")
    assert (empty.code, "it is empty" in empty.err) == (2, True)
    done = tagloom("trust", "import-user", "op", "op.p12", cwd=tmp_path, stdin=f"{CANARY}\r\n".encode())
    assert (done.code, CANARY in done.err) == (0, False), done.err
    assert TrustStore(pki_dir()).user("op", CANARY).der == person.der
    assert "user  op" in run("trust", "list").out
    assert run("trust", "remove", "user:op").code == 0
    (tmp_path / "op.key").write_bytes(person.key_pem())
    (tmp_path / "op.der").write_bytes(person.der)
    done = run("trust", "import-user", "op", "op.der", "--key", "op.key")
    assert (done.code, "whoever can read your files can use it" in done.err) == (0, True)


@pytest.mark.skipif(os.name == "nt", reason="a terminal of POSIX")
def test_that_what_is_typed_on_a_terminal_is_not_shown(tmp_path: Path) -> None:
    if sys.platform != "win32":  # its tests are skipped there
        import pty

        (tmp_path / "op.pem").write_bytes((made := server()).key_pem(CANARY.encode()) + made.pem)
        outer, inner = pty.openpty()
        process = subprocess.Popen(
            module_command("app.commands", ["trust", "import-user", "op", "op.pem"]),
            cwd=tmp_path, env=environment(), stdin=inner, stdout=inner, stderr=inner, start_new_session=True,
        )  # fmt: skip
        os.close(inner)
        shown, answered, deadline = b"", False, time.monotonic() + 30
        try:
            while time.monotonic() < deadline:
                try:
                    shown += (piece := os.read(outer, 4096))
                except OSError:  # Linux says so of a terminal that nobody has open any more
                    break
                if not piece:
                    break
                if b"Passphrase of the key of op:" in shown and not answered:
                    os.write(outer, CANARY.encode() + b"\n")
                    answered = True
            assert process.wait(10) == 0, shown
        finally:
            process.kill()
            process.wait()
            os.close(outer)
        assert b"Imported: op" in shown
        assert CANARY.encode() not in shown


# secret


@pytest.fixture
def project(tmp_path: Path) -> Path:
    guarded = Security(user="password", name="op", secret=reference_of("plc-abc234"))
    endpoints = [
        Endpoint(id="plc-abc234", name="plc", addresses={"default": "opc.tcp://plc:4840"}, security=guarded),
        Endpoint(id="open-abc234", name="open", addresses={"default": "opc.tcp://open:4840"}),
    ]
    path = tmp_path / "line4.tagloom"
    save(Project(ProjectInfo(id="line-4", name="Line 4"), endpoints), path, None)
    return path


def test_that_a_project_says_which_secrets_it_needs_and_where_they_come_from(
    run: Run, tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = tagloom("secret", "list", project, "--json", cwd=tmp_path)
    assert (missing.code, missing.lines) == (0, [{"endpoint": "plc", "reference": REFERENCE, "source": None}])
    assert missing.err == "1 secrets, 1 of them not known on this computer\n"
    monkeypatch.setenv(VARIABLE, CANARY)
    assert run("secret", "list", project, "--json").lines[0]["source"] == f"environment variable {VARIABLE}"
    where = run("secret", "where", "plc", "--project", project)
    assert any(line.split("  ")[0] == f"environment variable {VARIABLE}" and "yes" in line for line in where.out.splitlines())
    for done in (run("secret", "list", project), where):
        assert CANARY not in done.out + done.err


def test_that_a_mounted_file_is_found(run: Run, tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secrets").mkdir()
    monkeypatch.setenv("TAGLOOM_SECRETS_DIR", str(tmp_path / "secrets"))
    (tmp_path / "secrets" / VARIABLE).write_text(CANARY)
    lines = run("secret", "where", "plc", "--project", project, "--json").lines
    assert [line["place"] for line in lines if line["has"]] == [f"file {tmp_path / 'secrets' / VARIABLE}"]
    assert list(lines[0]) == ["place", "has", "trouble"]


def test_that_without_a_safe_keyring_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    done = tagloom("secret", "set", "secret://plc/password", cwd=tmp_path, stdin=f"{CANARY}\n".encode())
    assert (done.code, CANARY in done.out + done.err) == (2, False)
    assert "no keyring that encrypts what it keeps" in done.err
    assert "fault of Tagloom" not in done.err
    assert tagloom("secret", "forget", "secret://plc/password", cwd=tmp_path).err == "secret://plc/password was not in the keyring\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("set", CANARY), "it is no reference"),
        (("where", "secret://../x"), "This is no reference to a secret"),
        (("where", "nobody", "--project", "line4.tagloom"), "endpoints of line4.tagloom: open, plc"),
        (("list", "nothing.tagloom"), "nothing.tagloom"),
    ],
)
def test_that_secrets_that_are_none_are_told(run: Run, tmp_path: Path, project: Path, arguments: tuple[str, ...], said: str) -> None:
    done = run("secret", *arguments)
    assert (done.code, said in done.err, CANARY in done.err) == (2, True, False), done.err


class SafeInMemory(KeyringBackend):
    """Stands in for the keyring of a desktop, which a test machine has not."""

    priority = 1
    name = "Memory"
    kept: dict[tuple[str, str], str] = {}  # noqa: RUF012  one for all

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


def test_that_a_secret_goes_into_the_keyring_and_out_of_it(run: Run, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SafeInMemory, "__module__", "keyring.backends.libsecret")
    monkeypatch.setattr(keyring, "get_keyring", SafeInMemory)
    kept = run("secret", "set", "plc", "--project", project, stdin=f"{CANARY}\n".encode())
    assert SafeInMemory.kept == {("Tagloom", "plc-abc234/password"): CANARY}
    listed = run("secret", "list", project)
    forgot = run("secret", "forget", REFERENCE)
    assert SafeInMemory.kept == {}
    assert [one.code for one in (kept, listed, forgot)] == [0, 0, 0]
    assert (kept.err, forgot.err) == (f"Kept {REFERENCE} in Memory\n", f"Forgot {REFERENCE}\n")
    assert "the keyring of this system" in listed.out
    assert CANARY not in "".join(one.out + one.err for one in (kept, listed, forgot))


def test_that_the_store_is_where_the_documentation_says(own_folders: Path) -> None:
    assert pki_dir() == own_folders / "data" / "pki"
    with pytest.raises(UserError):
        TrustStore(pki_dir()).find("x")
