import os
import subprocess
import sys
from collections.abc import Callable

import click
import pytest

from app.commands.terminal.failures import DEBUG, exit_code, run
from app.errors import CollectedError, UserError


def command(body: Callable[[], int | None]) -> click.Command:
    return click.Command("x", callback=body)


def raising(error: BaseException) -> click.Command:
    def body() -> None:
        raise error

    return command(body)


@pytest.mark.parametrize(("severities", "fail_on", "code"), [
    ([], "info", 0), (["error"], "error", 1), (["warning"], "error", 0), (["warning"], "warning", 1), (["info"], "warning", 0),
    (["info"], "info", 1), (["error", "warning"], "never", 0), (["fine", "fine"], "info", 0), (["fine", "error"], "info", 1),
])  # fmt: skip
def test_that_the_exit_code_is_1_from_fail_on_up(severities: list[str], fail_on: str, code: int) -> None:
    assert exit_code(severities, fail_on) == code


def test_that_what_a_command_returns_is_its_exit_code() -> None:
    assert run(command(lambda: 1), []) == 1
    assert run(command(lambda: None), []) == 0


def test_that_an_error_is_three_lines_on_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    error = UserError("Cannot connect", where="opc.tcp://h:4840", why="BadTimeout (0x800A0000) [x]", fix="Check the port")
    assert run(raising(error), []) == 2
    seen = capfd.readouterr()
    assert seen.err == "Cannot connect: opc.tcp://h:4840\nBadTimeout (0x800A0000) [x]\nCheck the port\n"
    assert seen.out == ""


def test_that_collected_problems_are_told_all_at_once(capfd: pytest.CaptureFixture[str]) -> None:
    problems = [UserError("Not an address", where=f"line {number}", why="it is none") for number in (1, 2)]
    assert run(raising(CollectedError("Not read", where="tags.csv", problems=problems, fix="Mend them")), []) == 2
    assert capfd.readouterr().err.splitlines() == [
        "Not read: tags.csv", "line 1: Not an address: it is none", "line 2: Not an address: it is none", "Mend them",
    ]  # fmt: skip


def test_that_a_wrong_command_line_could_not_run(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(command(lambda: 0), ["--nonsense"]) == 2
    assert "--nonsense" in capfd.readouterr().err


def test_that_an_interrupt_is_130() -> None:
    assert run(raising(KeyboardInterrupt()), []) == 130


def test_that_a_fault_of_ours_shows_no_traceback_unless_asked(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(raising(ZeroDivisionError("division by zero")), []) == 2
    seen = capfd.readouterr().err
    assert "Traceback" not in seen
    assert "ZeroDivisionError: division by zero" in seen
    assert DEBUG in seen
    monkeypatch.setenv(DEBUG, "1")
    with pytest.raises(ZeroDivisionError):
        run(raising(ZeroDivisionError()), [])


@pytest.mark.skipif(sys.platform == "win32", reason="no pipe of this kind there")
@pytest.mark.parametrize("size", [1, 100_000])  # what fits a buffer is still there when the interpreter ends
def test_that_a_reader_who_has_gone_is_quiet_and_141(size: int) -> None:
    code = (
        "import sys, click\n"
        "from app.commands.terminal.failures import run\n"
        "from app.commands.terminal.out import put_lines\n"
        "def body():\n"
        "    sys.stdin.readline()\n"
        f"    put_lines(['x' * {size}])\n"
        "sys.exit(run(click.Command('x', callback=body), []))\n"
    )
    reading, writing = os.pipe()
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=writing, stderr=subprocess.PIPE, env=environment)
    os.close(writing)
    os.close(reading)
    _, complaints = process.communicate(b"go\n", timeout=30)
    assert (process.returncode, complaints) == (141, b"")
