"""What holds of every command, found as the program finds them."""

import shlex
import subprocess
import sys

import click
import pytest

from app.commands import tagloom
from app.commands.terminal.taught import TaughtCommand

CONTEXT = click.Context(tagloom, info_name="tagloom")
NAMES = tagloom.list_commands(CONTEXT)


def command(name: str) -> TaughtCommand:
    found = tagloom.get_command(CONTEXT, name)
    assert isinstance(found, TaughtCommand)
    return found


def test_that_every_command_of_the_line_is_there() -> None:
    assert NAMES == ["browse", "check", "demo", "export", "new", "open", "read", "review", "watch"]


@pytest.mark.parametrize("name", NAMES)
def test_that_help_shows_examples_that_run_as_they_stand(name: str) -> None:
    taught = command(name)
    text = taught.get_help(click.Context(taught, info_name=name, parent=CONTEXT))
    assert taught.examples
    for example in taught.examples:
        assert f"  {example}\n" in text
        program, said, *arguments = shlex.split(example.partition(" > ")[0])
        assert (program, said) == ("tagloom", name)
        taught.make_context(name, arguments)  # raises for an option or a form that is not


@pytest.mark.parametrize("name", NAMES)
def test_that_addresses_and_files_in_examples_stand_in_double_quotes(name: str) -> None:
    for example in command(name).examples:
        bare = [word for place, word in enumerate(example.split('"')) if place % 2 == 0]
        assert not any(letter in part for part in bare for letter in "':;=\\$`%!&()*?")


@pytest.mark.parametrize("name", NAMES)
def test_that_the_list_of_commands_says_what_each_does_in_full(name: str) -> None:
    assert not command(name).get_short_help_str(60).endswith("...")


def test_that_help_is_quick_to_import_and_no_command_line_loads_a_protocol_library_or_qt() -> None:
    code = (
        "import sys, contextlib, io\n"
        "from app.commands import main\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n"
        "    main(['--help'])\n"
        "early = {'numpy', 'msgspec', 'rich', 'jinja2'} & sys.modules.keys()\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):\n"
        "    codes = [main(['read', 'opc.tcp://127.0.0.1:1', 'i=85']), main(['watch', 'modbus://127.0.0.1:1', 'coil:0'])]\n"
        "    codes.append(main(['check', 'no-such-file']))\n"
        "late = {'asyncua', 'pymodbus', 'PySide6'} & sys.modules.keys()\n"
        "print(sorted(early), sorted(late), codes)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=60)
    assert done.stdout == "[] [] [2, 2, 2]\n", done.stderr
