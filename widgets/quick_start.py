"""What makes the process of the window start in a third of the time. Called before anything else is imported; no other process does.

Measured with ``run.py bench startup``:

* PySide6 looks at every import statement that is run after it, and reads the source of every module, in search of its own name, for a
  language feature that we do not use (``from __feature__ import …``; shibokensupport/feature.py in PySide6 6.11). That took as long as
  all imports together.
* PySide6 carries the part of itself that makes signatures and error messages as source, and compiles it at every start; more than a
  third of the time that ``import PySide6.QtCore`` takes. Nobody asks for it before something is wrong.
* The core names numpy at the top of a dozen modules, as it should; before the first value arrives none of them needs it. A module
  stands in its place that becomes numpy at the first question for anything in it.
* ``typing`` compiles each annotation that is a string, to have it ready when somebody asks what it means: 400 fields of named tuples of
  which nobody asks. ``eval`` compiles a string as well.
* msgspec takes from typing_extensions what ``typing`` has had since Python 3.11.
* The collector walks again and again through what was just imported, all of which stays.
"""

from __future__ import annotations

import builtins
import gc
import importlib
import sys
import typing
from collections.abc import Callable, Iterator
from threading import RLock
from time import perf_counter
from types import ModuleType
from typing import TYPE_CHECKING, Final

from widgets import quick_enums

if TYPE_CHECKING:
    from PySide6.QtCore import QObject

_PUT_OFF: Final = ("numpy", "numpy.typing")
_GIVEN_BY_IMPORT: Final = frozenset({"__spec__", "__wrapped__", "__file__"})
_CARRIED: Final = {
    f"shibokensupport/signature/{name}.py"
    for name in ("errorhandler", "layout", "mapping", "parser", "lib/enum_sig", "lib/pyi_generator")
}  # fmt: skip
"""Files within the archive that PySide6 6.11 carries (``sys.modules["shibokensupport.feature"].__loader__.zfile``)."""
_IN_ITS_PLACE: Final = """
import widgets.quick_start
__getattr__ = widgets.quick_start.wakes(__name__)
def update_mapping(asked=__getattr__):
    return asked("update_mapping")()
"""
"""``update_mapping``: C++ takes it out of the dict of ``mapping``, and ends the process when there is none."""
_lock = RLock()

LATER: Final = (
    "numpy", "numpy.typing", "asyncio", "app.runtime.link", "app.runtime.once", "app.check", "cryptography.x509", "app.trust.store",
    "app.drivers.modbus.registers", "app.drivers.modbus.load", "app.drivers.probe_questions", "app.mapping.fit",
    "app.taglists.columns", "app.taglists.reading", "app.taglists.probing", "jinja2", "app.review.page", "app.gateways",
    "widgets.details.node", "widgets.details.tag", "widgets.details.endpoint", "widgets.details.asset", "widgets.dialogs.add_endpoint_look",
    "widgets.dialogs.add_endpoint", "widgets.dialogs.trust", "widgets.dialogs.password", "widgets.dialogs.find", "widgets.map_mode",
    "widgets.review_mode", "widgets.deploy_mode", "widgets.register_grid", "widgets.dialogs.import_tags", "widgets.dialogs.transform",
    "widgets.node_search",
)  # fmt: skip
"""What is likely to be opened first, small pieces before those that need them."""
NAMED_IN_FULL: Final = ("PySide6.QtCore", "PySide6.QtGui", "PySide6.QtWidgets")
"""pyqtgraph asks these for all that is in them, which PySide6 makes at the first question: two thirds of the time that its import takes."""
FOR_PLOTS: Final = (
    "PySide6.QtOpenGL", "PySide6.QtOpenGLWidgets", "PySide6.QtTest", "xml.etree.ElementTree", "multiprocessing.connection", "pydoc",
    "cProfile", "pyqtgraph", "widgets.plots.grid",
)  # fmt: skip
LATER_MS: Final = 100
NAMING_S: Final = 0.006


def begin() -> None:
    gc.disable()
    quick_enums.install()
    put_numpy_off()
    put_signatures_off()
    spare_import_hook()
    put_annotations_off()
    spare_typing_extensions()


def end() -> None:
    """The window is built: what there is now stays, and is no longer looked through."""
    vars(typing).pop("compile", None)
    gc.freeze()
    gc.enable()


def import_the_rest(parent: QObject) -> None:
    """One piece at a time while nothing else happens, so that what is opened first does not wait for them."""
    from PySide6.QtCore import QTimer

    from widgets.idle import once_idle

    left = _pieces()
    timer = QTimer(parent, interval=LATER_MS)

    def on_timeout() -> None:
        if next(left, None) is None:
            timer.deleteLater()
            gc.freeze()  # what was imported stays too

    timer.timeout.connect(on_timeout)
    once_idle(timer, timer.start)


def _pieces() -> Iterator[str]:
    """Does one at each step, and says which."""
    for name in LATER:
        _import() if name.startswith("numpy") else importlib.import_module(name)
        yield name
    for name in NAMED_IN_FULL:
        module = importlib.import_module(name)
        until_s = perf_counter() + NAMING_S
        for part in dir(module):
            getattr(module, part)
            if perf_counter() > until_s:
                yield f"{name}.{part}"
                until_s = perf_counter() + NAMING_S
    for name in FOR_PLOTS:
        importlib.import_module(name)
        yield name


def put_signatures_off() -> None:
    """Import PySide6 without compiling what it carries; each of its modules compiles itself when it is asked for anything."""
    compiles = builtins.compile

    def compile_or_put_off(source: object, filename: object, *arguments: object, **named: object) -> object:
        if filename in _CARRIED:
            source = _IN_ITS_PLACE
        return compiles(source, filename, *arguments, **named)  # type: ignore[call-overload]  # passed on as they came

    builtins.compile = compile_or_put_off  # type: ignore[assignment]  # its overloads say what it returns for which flags
    try:
        import PySide6.QtCore  # noqa: F401
    finally:
        builtins.compile = compiles


def wakes(name: str) -> Callable[[str], object]:
    """The ``__getattr__`` of a module of that name that is still empty: its first question has the module's own loader fill it."""

    def answer(asked: str) -> object:
        module = sys.modules[name]
        if asked.startswith("__"):  # of the import system, which asks every module
            raise AttributeError(asked)
        with _lock:
            if module.__dict__.pop("__getattr__", None) is not None:
                spec = module.__spec__
                assert spec is not None
                assert spec.loader is not None
                moved, spec.name = spec.name, name  # PySide6 has given it another name since, which its loader does not know
                spec.loader.exec_module(module)
                spec.name = moved
        return getattr(module, asked)

    return answer


def spare_import_hook() -> None:
    """Python's own import statement again. A module that PySide6 has not looked at has none of its features."""
    import PySide6.QtCore  # noqa: F401  puts its own in the place of it

    builtins.__import__ = getattr(builtins, "__orig_import__", builtins.__import__)


def put_annotations_off() -> None:
    """``typing.ForwardRef`` keeps the string, which is compiled when it is evaluated. Nothing to a Python that does so by itself."""
    typing.compile = lambda source, *_: source  # type: ignore[attr-defined]  # before the builtin of this name


def spare_typing_extensions() -> None:
    missing = sys.modules.keys().isdisjoint({"typing_extensions", "msgspec"})
    if missing:
        sys.modules["typing_extensions"] = None  # type: ignore[assignment]  # the import system's own word for: there is none
    import msgspec  # noqa: F401

    if missing:
        del sys.modules["typing_extensions"]


class _PutOff(ModuleType):
    """Any question for what it does not have imports the real module, and takes over all that has."""

    def __getattr__(self, name: str) -> object:
        if name in _GIVEN_BY_IMPORT:  # the import system and ``inspect`` ask for these without any need of the module
            raise AttributeError(name)
        _import()
        return getattr(sys.modules[self.__name__], name)


def _import() -> None:
    with _lock:
        held = {name: module for name in _PUT_OFF if isinstance(module := sys.modules.get(name), _PutOff)}
        for name in held:
            del sys.modules[name]
        for name, module in held.items():
            module.__dict__.update(importlib.import_module(name).__dict__)


def put_numpy_off() -> None:
    """Before anything imports it; nothing where it is imported already."""
    if "numpy" in sys.modules:
        return
    numpy, typing = (_PutOff(name) for name in _PUT_OFF)
    for module in (numpy, typing):
        for name in ("__spec__", "__loader__", "__package__"):
            del module.__dict__[name]
        sys.modules[module.__name__] = module
    numpy.__dict__["typing"] = typing
