"""What the start of the window pays for, and that what is put off comes when it is wanted."""

from __future__ import annotations

import subprocess
import sys
import time
from importlib import import_module
from typing import Final

import pytest
import shiboken6
from PySide6.QtCore import QCoreApplication, QObject, QTimer
from pytestqt.qtbot import QtBot

import widgets.dialogs
from tests.gui.driving import Driver
from widgets import idle, quick_start
from widgets.idle import once_idle
from widgets.main_window import MainWindow

LIMIT_S: Final = 60.0
NOT_AT_START: Final = (
    "numpy._core", "asyncua", "pymodbus", "pyqtgraph", "sqlite_utils", "pandas", "cryptography", "openpyxl", "jinja2", "zeroconf",
    "keyring", "psutil", "app.trust.store", "app.taglists.reading", "app.gateways", "widgets.dialogs.trust", "widgets.dialogs.import_tags",
    "widgets.map_mode", "widgets.review_mode", "widgets.deploy_mode", "widgets.plots.grid", "widgets.register_grid", "widgets.moves_panel",
    "widgets.wire_panel", "widgets.references_panel", "widgets.message_panel", "asyncio", "subprocess", "app.runtime.link",
    "app.drivers.modbus.plan", "widgets.node_search", "logging.handlers", "typing_extensions", "importlib.resources", "concurrent.futures",
    "getpass",
)  # fmt: skip


def said_by(program: str) -> str:
    """By a process of its own: in this one everything is imported already."""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


def test_that_the_window_is_painted_before_anything_is_imported_that_nobody_asked_for() -> None:
    program = f"""
import sys
from widgets import idle, quick_start
from widgets.idle import once_idle
quick_start.begin()
from widgets.application import start
running = start()
running.application.processEvents()
print([name for name in {NOT_AT_START!r} if name in sys.modules])
running.window.workbench.shut_down()
"""
    assert said_by(program) == "[]"


def test_that_numpy_is_itself_once_something_of_it_is_used_whoever_asks_first() -> None:
    program = """
import sys
from widgets import idle, quick_start
from widgets.idle import once_idle
quick_start.begin()
import numpy as np
import numpy.typing as npt
assert "numpy._core" not in sys.modules, "it was not put off"
alias = npt.NDArray[np.float64]
import numpy
import numpy.linalg
from numpy.random import default_rng
assert numpy is sys.modules["numpy"] and numpy.float64 is np.float64 and np.linalg is numpy.linalg
assert isinstance(np.zeros(3) + default_rng(1).random(3), numpy.ndarray)
quick_start.end()
print("fine")
"""
    assert said_by(program) == "fine"


def test_that_what_pyside_says_of_a_wrong_call_is_compiled_when_it_is_said_and_is_the_same() -> None:
    wrong = """
import sys
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QLabel
carried = sys.modules["shibokensupport.signature.parser"]
print("__getattr__" in vars(carried))
for call in (lambda: QPoint("x", "y"), lambda: QLabel(1, 2, 3), lambda: QPoint().setX(None)):
    try:
        call()
    except TypeError as error:
        print(error)
from shibokensupport.signature import get_signature
print(get_signature(QLabel.setText), QLabel.setText.__doc__, QLabel.__doc__)
print("__getattr__" in vars(carried), carried.__spec__.name)
"""
    plainly, put_off = said_by(wrong), said_by(f"from widgets import quick_start\nquick_start.begin()\n{wrong}")
    assert "upported signatures" in plainly
    assert plainly.startswith("False")
    assert put_off == plainly.replace("False", "True", 1)


def test_that_compiling_is_pythons_own_again() -> None:
    assert said_by("from widgets import quick_start\nown = compile\nquick_start.begin()\nprint(compile is own)") == "True"


def test_that_pyside_still_has_what_is_spared() -> None:
    """A release without it needs no sparing: then this goes, and ``spare_import_hook`` with it."""
    program = """
import builtins
import PySide6.QtCore
theirs = builtins.__import__
from widgets import idle, quick_start
from widgets.idle import once_idle
quick_start.spare_import_hook()
print(theirs is builtins.__feature_import__, builtins.__import__ is theirs, builtins.__import__ is builtins.__orig_import__)
"""
    assert said_by(program) == "True False True"


def test_that_what_annotations_mean_can_be_asked_although_they_were_not_compiled() -> None:
    program = """
import typing
from widgets import idle, quick_start
from widgets.idle import once_idle
quick_start.begin()
from app.model.resolve import path_of
Row = typing.NamedTuple("Row", [("names", "list[int | None]"), ("at", "'float'")])
print(typing.get_type_hints(Row), "compile" in vars(typing))
quick_start.end()
print("compile" in vars(typing))
import msgspec
print(msgspec.convert([[1, None], 2.5], Row), "typing_extensions" in __import__("sys").modules)
"""
    assert said_by(program).splitlines() == [
        "{'names': list[int | None], 'at': <class 'float'>} True",
        "False",
        "Row(names=[1, None], at=2.5) False",
    ]


def test_that_what_is_imported_later_exists(qtbot: QtBot) -> None:
    for name in quick_start.LATER:
        import_module(name)
    parent = QObject()
    quick_start.import_the_rest(parent)
    (timer,) = parent.findChildren(QTimer)
    timer.setInterval(0)
    qtbot.waitSignal(timer.destroyed, timeout=20_000).wait()


@pytest.mark.parametrize(("module", "names"), widgets.dialogs._OPENED_BY.items())
def test_that_every_dialog_of_the_front_is_where_it_says(module: str, names: tuple[str, ...]) -> None:
    for name in names:
        assert callable(getattr(import_module(f"widgets.dialogs.{module}"), name))
    with pytest.raises(AttributeError):
        _ = widgets.dialogs.no_such_dialog


def test_that_every_panel_is_built_soon_although_nobody_has_seen_it(gui: Driver, window: MainWindow) -> None:
    gui.until(lambda: all(dock.widget() is not None for dock in window._docks.values()), "a panel was never built")
    gui.until(lambda: window.workbench._frame.isActive(), "nothing would ever arrive")


def test_that_nothing_arrives_before_every_panel_can_hear_of_it(window: MainWindow) -> None:
    assert any(dock.widget() is None for dock in window._docks.values())
    assert not window.workbench._frame.isActive()
    window.docks()
    assert all(dock.widget() is not None for dock in window._docks.values())


def test_that_every_enumeration_of_qt_is_what_the_standard_library_makes_of_it() -> None:
    program = """
import enum
from importlib import import_module
from widgets import quick_enums
slow = enum.EnumType._create_
quick_enums.install()
quick = enum.EnumType._create_
made = []

def both(cls, name, names, **named):
    named["module"] = "PySide6.QtCore"
    one, other = slow(cls, name, names, **named), quick(cls, name, names, **named)
    made.append((name, what_it_is(one) == what_it_is(other) and what_it_does(one) == what_it_does(other)))
    return other  # which PySide6 puts into its own module, so that they differ from now on

def what_it_is(kind):
    return {
        key: (repr(value), repr(vars(value)), list(vars(value))) if isinstance(value, enum.Enum) else repr(value)
        for key, value in vars(kind).items()
    }

def what_it_does(kind):
    members = list(kind.__members__.values())
    return (
        kind.__mro__[1:], repr(list(kind)), [kind(member.value) is member for member in members],
        [f"{member} {member!s} {member!r}" for member in members],
        [(repr(~member), repr(member | members[0]), repr(kind(0))) for member in members if isinstance(member, enum.Flag)],
    )

enum.EnumType._create_ = both
for module in ("PySide6.QtCore", "PySide6.QtGui", "PySide6.QtWidgets"):
    for name in dir(import_module(module)):
        getattr(import_module(module), name)
assert len(made) > 300
print([name for name, same in made if not same])
"""
    assert said_by(program) == "[]"


def test_that_an_enumeration_that_is_not_of_names_and_integers_is_left_to_the_standard_library() -> None:
    program = """
import enum
from widgets import quick_enums
quick_enums.install()
words = enum.Enum("Words", [("a", "x"), ("name", "y"), ("twin", "x")], boundary=enum.KEEP)
assert [word.value for word in words] == ["x", "y"]
assert words.a.name == "a" and words["name"].value == "y" and words.twin is words.a
by_itself = enum.IntFlag("Bits", "one two", module="somewhere")
assert repr(by_itself(3)) == "<Bits.one|two: 3>" and by_itself.__module__ == "somewhere"
assert enum.Enum("Here", "a b").__module__ == __name__
quick = enum.Enum("Quick", [("a", 1)], boundary=enum.KEEP)
assert quick.__module__ == __name__ and quick(1) is quick.a
print("right")
"""
    assert said_by(program) == "right"


def test_that_what_waits_until_nothing_is_left_to_do_comes_once_and_not_after_its_parent(qtbot: QtBot) -> None:
    came: list[str] = []
    parent, gone = QObject(), QObject()
    once_idle(parent, lambda: came.append("idle"))
    once_idle(gone, lambda: came.append("gone"))
    shiboken6.delete(gone)
    qtbot.wait(20)
    qtbot.wait(20)
    assert came == ["idle"]


def test_that_what_waits_for_idle_comes_in_the_end_where_the_loop_never_waits(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idle, "LATEST_MS", 30)
    came: list[str] = []
    parent = QObject()
    once_idle(parent, lambda: came.append("idle"))
    end_s = time.monotonic() + 5
    while not came and time.monotonic() < end_s:
        QCoreApplication.processEvents()
    qtbot.wait(50)
    assert came == ["idle"]
