"""Where secrets come from, and that their values go nowhere else."""

from __future__ import annotations

import logging
import os
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import keyring
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keyring.backend import KeyringBackend
from keyring.backends import SecretService, Windows, fail, kwallet, macOS, null
from keyring.backends.chainer import ChainerBackend
from keyring.errors import PasswordSetError

from app.errors import UserError
from app.secrets import Secrets, reference_of
from app.secrets.os_keyring import NoKeyringError, OsKeyring, is_safe, safe_backend
from app.secrets.reference import environment_name, file_names, parts_of
from app.secrets.resolve import KEYRING, SESSION

REFERENCE = "secret://filler-opcua-abc234/password"
VARIABLE = "TAGLOOM_SECRET_FILLER_OPCUA_ABC234_PASSWORD"
CANARY = "canary-horse-staple"


class Memory(KeyringBackend):
    """Keeps what it is given, and may be told to misbehave."""

    priority = 1
    name = "Memory"

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.before: Callable[[], object] = lambda: None

    def get_password(self, service: str, username: str) -> str | None:
        self.before()
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.before()
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self.before()
        del self.kept[service, username]


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def make(memory: Memory, tmp_path: Path) -> Callable[..., Secrets]:
    """Secrets with a keyring in memory, an empty environment and a folder of mounted files."""
    (tmp_path / "mounted").mkdir()

    def made(prompted: dict[str, str] | None = None, environment: dict[str, str] | None = None, **more: object) -> Secrets:
        ring = OsKeyring(lambda: memory, ask_s=5.0, keep_s=5.0)
        return Secrets(prompted, environment or {}, [tmp_path / "mounted"], **{"keyring": ring, **more})  # type: ignore[arg-type]  # its own

    return made


# References


def test_that_a_reference_names_endpoint_and_kind() -> None:
    assert reference_of("filler-opcua-abc234") == REFERENCE
    assert reference_of("filler-opcua-abc234", "passphrase") == "secret://filler-opcua-abc234/passphrase"
    assert parts_of(REFERENCE) == ("filler-opcua-abc234", "password")


def test_that_its_other_names_are_those_of_the_documentation() -> None:
    assert environment_name("secret://filler-opcua-ABC123/password") == "TAGLOOM_SECRET_FILLER_OPCUA_ABC123_PASSWORD"
    assert environment_name(REFERENCE) == VARIABLE
    assert file_names(REFERENCE) == ("filler-opcua-abc234.password", VARIABLE)


@pytest.mark.parametrize(
    "text",
    ["", "hunter22", "secret://", "secret://a", "secret:///password", "secret://a/", "secret://../x", "secret://a/b/c", "secret://a b/c",
     "secret://a/../../etc/passwd", "secret://a/b\n", "SECRET://a/b", "secret://" + "a" * 81 + "/b", "secret://é/b", "secret://a.b/c"],
)  # fmt: skip
def test_that_what_is_no_reference_is_refused_without_repeating_it(make: Callable[..., Secrets], text: str) -> None:
    secrets = make()
    calls: list[Callable[[], object]] = [
        lambda: secrets.get(text), lambda: secrets.source(text), lambda: secrets.places(text), lambda: secrets.forget(text),
        lambda: secrets.remember_for_session(text, CANARY), lambda: secrets.keep_in_keyring(text, CANARY),
    ]  # fmt: skip
    for call in calls:
        with pytest.raises(UserError) as error:
            call()
        assert text in ("", "secret://") or text not in str(error.value)


@given(st.text(), st.text())
def test_that_a_reference_is_refused_or_can_be_taken_apart(endpoint: str, kind: str) -> None:
    try:
        reference = reference_of(endpoint, kind)
    except UserError:
        return
    assert parts_of(reference) == (endpoint, kind)
    assert environment_name(reference).replace("_", "").isalnum()
    for name in file_names(reference):
        assert Path(name).name == name


# The order


def test_that_places_are_asked_in_their_order(make: Callable[..., Secrets], memory: Memory, tmp_path: Path) -> None:
    mounted, other = tmp_path / "mounted" / "filler-opcua-abc234.password", tmp_path / "mounted" / VARIABLE
    mounted.write_text("from file\n")
    other.write_text("from other file")
    memory.kept["Tagloom", "filler-opcua-abc234/password"] = "from keyring"
    environment = {VARIABLE: "from environment"}
    secrets = make({REFERENCE: "typed in"}, environment)
    assert (secrets.get(REFERENCE), secrets.source(REFERENCE)) == ("typed in", SESSION)
    assert [one.has for one in secrets.places(REFERENCE)] == [True, True, True, True, True]
    assert secrets.forget(REFERENCE)
    assert memory.kept == {}
    assert (secrets.get(REFERENCE), secrets.source(REFERENCE)) == ("from environment", f"environment variable {VARIABLE}")
    secrets.keep_in_keyring(REFERENCE, "from keyring")
    assert (secrets.get(REFERENCE), secrets.source(REFERENCE)) == ("from keyring", KEYRING)
    assert secrets.forget(REFERENCE)
    assert not secrets.forget(REFERENCE)
    del environment[VARIABLE]
    assert (secrets.get(REFERENCE), secrets.source(REFERENCE)) == ("from file", f"file {mounted}")
    mounted.unlink()
    assert (secrets.get(REFERENCE), secrets.source(REFERENCE)) == ("from other file", f"file {other}")
    other.unlink()
    assert (secrets.get(REFERENCE), secrets.source(REFERENCE)) == (None, "")
    secrets.remember_for_session(REFERENCE, "again")
    assert secrets.get(REFERENCE) == "again"


def test_that_one_secret_is_never_taken_for_another(make: Callable[..., Secrets], memory: Memory) -> None:
    make().keep_in_keyring(REFERENCE, CANARY)
    secrets = make({"secret://b/password": "b"}, {"TAGLOOM_SECRET_C_PASSWORD": "c"})
    assert secrets.get("secret://filler-opcua-abc234/passphrase") is None
    assert secrets.get("secret://filler-opcua-abc235/password") is None
    assert secrets.get("secret://c/password") == "c"


def test_that_folders_of_mounted_secrets_are_those_of_systemd_and_docker(tmp_path: Path, memory: Memory) -> None:
    for name in ("own", "systemd"):
        (tmp_path / name).mkdir()
    environment = {"TAGLOOM_SECRETS_DIR": str(tmp_path / "own"), "CREDENTIALS_DIRECTORY": str(tmp_path / "systemd")}
    (tmp_path / "systemd" / VARIABLE).write_text("systemd")
    secrets = Secrets(environment=environment, keyring=OsKeyring(lambda: memory))
    assert secrets.get(REFERENCE) == "systemd"
    (tmp_path / "own" / VARIABLE).write_text("own")
    assert secrets.get(REFERENCE) == "own"
    files = [one.title for one in secrets.places(REFERENCE) if one.title.startswith("file ")]
    expected = ["own", "systemd"] if os.name == "nt" else ["own", "systemd", "run"]
    assert [Path(one.removeprefix("file ")).parent.name for one in files[::2]] == [
        *expected[:2],
        *(["secrets"] if len(expected) > 2 else []),
    ]


@pytest.mark.parametrize(
    ("content", "value"),
    [(b"a\n", "a"), (b"a\r\n", "a"), (b"a", "a"), (b"a\n\n", "a\n"), (b" a \n", " a "), ("ü\n".encode(), "ü"), (b"a\r", "a\r"),
     (b"", None), (b"\n", None)],
)  # fmt: skip
def test_that_a_mounted_file_loses_one_newline(make: Callable[..., Secrets], tmp_path: Path, content: bytes, value: str | None) -> None:
    (tmp_path / "mounted" / VARIABLE).write_bytes(content)
    assert make().get(REFERENCE) == value


def test_that_an_empty_variable_is_none(make: Callable[..., Secrets]) -> None:
    assert make(None, {VARIABLE: ""}).get(REFERENCE) is None


@pytest.mark.parametrize("content", [b"\xff" + CANARY.encode(), CANARY.encode() * 10_000])
def test_that_a_file_that_cannot_be_a_secret_is_told_without_its_content(
    make: Callable[..., Secrets], tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "mounted" / VARIABLE).write_bytes(content)
    with pytest.raises(UserError) as error:
        make().get(REFERENCE)
    assert CANARY not in "".join(traceback.format_exception(error.value)) + repr(vars(error.value))
    assert error.value.__context__ is None  # that of the decoder holds the content
    assert [one.trouble for one in make().places(REFERENCE)][-1] == error.value.why


def test_that_a_folder_in_place_of_a_file_is_told(make: Callable[..., Secrets], tmp_path: Path) -> None:
    (tmp_path / "mounted" / VARIABLE).mkdir()
    with pytest.raises(UserError, match="A file with a secret cannot be read"):
        make().get(REFERENCE)


# The keyring


class PlainText(Memory):
    pass


PlainText.__module__ = "keyrings.alt.file"


UNSAFE: list[type[KeyringBackend]] = [fail.Keyring, null.Keyring, PlainText]


@pytest.mark.parametrize("kind", [*UNSAFE, Memory, ChainerBackend])
def test_that_keyrings_that_do_not_encrypt_or_are_not_known_are_not_safe(kind: type[KeyringBackend]) -> None:
    assert not is_safe(kind())


@pytest.mark.parametrize("kind", [SecretService.Keyring, kwallet.DBusKeyring, macOS.Keyring, Windows.WinVaultKeyring])
def test_that_those_of_the_systems_are_safe(kind: type[KeyringBackend]) -> None:
    assert is_safe(object.__new__(kind))  # made without asking the system, which may not have it


@pytest.mark.parametrize("kind", UNSAFE)
def test_that_an_unsafe_keyring_is_never_written_nor_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: type[KeyringBackend]
) -> None:
    backend = kind()
    monkeypatch.setattr(keyring, "get_keyring", lambda: backend)
    secrets = Secrets(environment={}, folders=[tmp_path])
    with pytest.raises(NoKeyringError) as error:
        secrets.keep_in_keyring(REFERENCE, CANARY)
    assert "no keyring that encrypts what it keeps" in error.value.why
    assert CANARY not in str(error.value)
    with pytest.raises(NoKeyringError):
        secrets.keyring_name()
    if isinstance(backend, PlainText):
        backend.kept["Tagloom", "filler-opcua-abc234/password"] = CANARY
    assert secrets.get(REFERENCE) is None
    assert not secrets.forget(REFERENCE)
    assert "no keyring that encrypts" in secrets.places(REFERENCE)[1].trouble


def test_that_of_several_keyrings_the_first_safe_one_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    class Several(ChainerBackend):
        backends = [PlainText(), safe := object.__new__(SecretService.Keyring)]  # noqa: RUF012  as the class has it

    monkeypatch.setattr(keyring, "get_keyring", Several)
    assert safe_backend() is Several.safe


@pytest.fixture
def hanging(memory: Memory) -> Iterator[threading.Event]:
    """The keyring waits for its own password until this is set."""
    unlocked = threading.Event()
    memory.before = unlocked.wait
    yield unlocked
    unlocked.set()


@pytest.mark.expect_log(r"WARNING app\.secrets\.os_keyring: the keyring of the system is not used: it did not answer within")
def test_that_a_keyring_that_hangs_is_left_out_and_asked_again_later(memory: Memory, hanging: threading.Event, tmp_path: Path) -> None:
    memory.kept["Tagloom", "filler-opcua-abc234/password"] = "from keyring"
    ring = OsKeyring(lambda: memory, ask_s=0.05, keep_s=0.05)
    secrets = Secrets(environment={VARIABLE: "from environment"}, folders=[tmp_path], keyring=ring)
    assert secrets.get(REFERENCE) == "from environment"
    with pytest.raises(UserError, match="has not answered an earlier question yet"):
        secrets.keep_in_keyring(REFERENCE, CANARY)
    assert [thread.name for thread in threading.enumerate()].count("keyring") == 1
    hanging.set()
    for thread in [one for one in threading.enumerate() if one.name == "keyring"]:
        thread.join(5.0)
    assert secrets.get(REFERENCE) == "from keyring"


def test_that_a_keyring_that_hangs_is_told_when_keeping(memory: Memory, hanging: threading.Event, make: Callable[..., Secrets]) -> None:
    with pytest.raises(UserError, match=r"it did not answer within 0.05 s; it may be locked"):
        make(keyring=OsKeyring(lambda: memory, keep_s=0.05)).keep_in_keyring(REFERENCE, CANARY)


@pytest.mark.expect_log(r"WARNING app\.secrets\.os_keyring: the keyring of the system is not used: it failed with PasswordSetError")
def test_that_a_keyring_that_fails_is_told_by_the_kind_of_failure_only(memory: Memory, make: Callable[..., Secrets]) -> None:
    def failing() -> None:
        raise PasswordSetError(f"cannot store {CANARY}")

    memory.before = failing
    secrets = make(None, {VARIABLE: "from environment"})
    for call in (lambda: secrets.keep_in_keyring(REFERENCE, CANARY), lambda: secrets.forget(REFERENCE)):
        with pytest.raises(UserError, match="it failed with PasswordSetError") as error:
            call()
        assert CANARY not in "".join(traceback.format_exception(error.value, chain=True))
        assert error.value.__cause__ is None
        assert error.value.__context__ is None
    for _ in range(3):
        assert secrets.get(REFERENCE) == "from environment"


# Nothing leaks


def test_that_who_hides_secrets_is_told_each_value_before_it_is_given(make: Callable[..., Secrets], memory: Memory) -> None:
    hidden: list[str] = []
    secrets = make(revealed=hidden.append)
    secrets.remember_for_session("secret://a/password", "a1")
    secrets.keep_in_keyring("secret://b/password", "b1")
    assert hidden == ["a1", "b1"]
    hidden.clear()
    secrets.get("secret://a/password")
    secrets.get("secret://b/password")
    assert hidden == ["a1", "b1"]


def test_that_no_value_is_in_logs_reprs_errors_or_files(
    make: Callable[..., Secrets], memory: Memory, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secrets = make({REFERENCE: CANARY + "1"}, {VARIABLE: CANARY + "2"})
    secrets.keep_in_keyring(REFERENCE, CANARY + "3")
    secrets.remember_for_session(REFERENCE, CANARY + "4")
    said = [repr(secrets), str(secrets), f"{secrets.places(REFERENCE)}", secrets.source(REFERENCE), caplog.text]
    with pytest.raises(UserError) as error:
        secrets.get("secret://" + CANARY)
    said += [str(error.value), repr(vars(error.value))]
    assert CANARY not in "".join(said)
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and CANARY.encode() in path.read_bytes()]


def test_that_a_desktop_keyring_that_does_not_run_is_none_and_no_warning(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    absent = type("SecretServiceNotAvailableException", (Exception,), {})

    class Absent(Memory):
        def get_password(self, service: str, username: str) -> str | None:
            raise absent("no bus")

    monkeypatch.setattr("app.secrets.os_keyring.is_safe", lambda _: True)
    monkeypatch.setattr(keyring, "get_keyring", Absent)
    secrets = Secrets(environment={}, folders=[tmp_path])
    assert secrets.get(REFERENCE) is None
    assert "no keyring that encrypts" in secrets.places(REFERENCE)[1].trouble
