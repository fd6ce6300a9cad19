"""What holds of every command, found as the program finds them."""

import shlex
import subprocess
import sys

import click
import pytest

from app.commands import tagloom
from app.commands.terminal.taught import TaughtCommand, TaughtGroup

CONTEXT = click.Context(tagloom, info_name="tagloom")
NAMES = tagloom.list_commands(CONTEXT)


def command(name: str) -> TaughtCommand | TaughtGroup:
    """By its name, ``trust`` or ``trust list``."""
    found: click.Command | None = tagloom
    for word in name.split():
        assert isinstance(found, click.Group)
        found = found.get_command(CONTEXT, word)
    assert isinstance(found, TaughtCommand | TaughtGroup)
    return found


GROUPS = {name: found for name in NAMES if isinstance(found := command(name), TaughtGroup)}
EVERY = [*NAMES, *(f"{name} {sub}" for name, group in GROUPS.items() for sub in group.list_commands(CONTEXT))]


def test_that_every_command_of_the_line_is_there() -> None:
    assert NAMES == [
        "browse", "check", "demo", "discover", "export", "identity", "new", "open", "probe", "read",
        "review", "secret", "snapshot", "tags", "trust", "watch",
    ]  # fmt: skip


@pytest.mark.parametrize("name", EVERY)
def test_that_help_shows_examples_that_run_as_they_stand(name: str) -> None:
    taught = command(name)
    text = taught.get_help(click.Context(taught, info_name=name, parent=CONTEXT))
    assert taught.examples
    for example in taught.examples:
        assert f"  {example}\n" in text
        words = shlex.split(example.partition(" > ")[0])
        program, said, arguments = words[0], words[1 : len(name.split()) + 1], words[len(name.split()) + 1 :]
        assert (program, said) == ("tagloom", name.split())
        named = taught
        if isinstance(taught, TaughtGroup):  # the example is of one of its commands
            named, arguments = command(f"{name} {arguments[0]}"), arguments[1:]
        named.make_context(name, arguments)  # raises for an option or a form that is not


@pytest.mark.parametrize("name", EVERY)
def test_that_addresses_and_files_in_examples_stand_in_double_quotes(name: str) -> None:
    for example in command(name).examples:
        bare = [word for place, word in enumerate(example.split('"')) if place % 2 == 0]
        assert not any(letter in part for part in bare for letter in "':;=\\$`%!&()*?")


@pytest.mark.parametrize("name", EVERY)
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
