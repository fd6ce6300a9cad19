"""What makes the process of the window start in a third of the time. Called before anything else is imported; no other process does.

Measured with ``run.py bench startup``:

* PySide6 reads the source of every module that is imported after it, in search of its own name, for a language feature that we do not
  use (``from __feature__ import …``; shibokensupport/feature.py in PySide6 6.11). That took as long as all imports together.
* The core names numpy at the top of a dozen modules, as it should; before the first value arrives none of them needs it. A module
  stands in its place that becomes numpy at the first question for anything in it.
* The collector walks again and again through what was just imported, all of which stays.
"""

from __future__ import annotations

import gc
import importlib
import sys
from threading import RLock
from types import ModuleType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from PySide6.QtCore import QObject

_PUT_OFF: Final = ("numpy", "numpy.typing")
_GIVEN_BY_IMPORT: Final = frozenset({"__spec__", "__wrapped__", "__file__"})
_lock = RLock()

LATER: Final = (
    "numpy", "numpy.typing", "app.check", "cryptography.x509", "app.trust.store", "app.drivers.modbus.registers",
    "app.drivers.probe_questions", "app.mapping.fit", "app.taglists.columns", "app.taglists.reading", "app.taglists.probing",
    "app.review.page", "app.gateways", "widgets.details.node", "widgets.details.tag", "widgets.details.endpoint", "widgets.details.asset",
    "widgets.dialogs.add_endpoint_look", "widgets.dialogs.add_endpoint", "widgets.dialogs.trust", "widgets.dialogs.password",
    "widgets.dialogs.find", "widgets.map_mode", "widgets.review_mode", "widgets.deploy_mode", "widgets.register_grid",
    "widgets.dialogs.import_tags", "widgets.dialogs.transform",
)  # fmt: skip
"""What is likely to be opened first, small pieces before those that need them."""
LATER_MS: Final = 150


def begin() -> None:
    gc.disable()
    put_numpy_off()
    spare_source_reading()


def end() -> None:
    """The window is built: what there is now stays, and is no longer looked through."""
    gc.freeze()
    gc.enable()


def import_the_rest(parent: QObject) -> None:
    """One module at a time while nothing else happens, so that what is opened first does not wait for them."""
    from PySide6.QtCore import QTimer

    left = iter(LATER)
    timer = QTimer(parent, interval=LATER_MS)

    def on_timeout() -> None:
        name = next(left, None)
        if name is None:
            timer.deleteLater()
        elif name.startswith("numpy"):
            _import()
        else:
            importlib.import_module(name)

    timer.timeout.connect(on_timeout)
    timer.start()


def spare_source_reading() -> None:
    """Have every module count as one that may use PySide6, which is the answer for our own, and costs nothing for the others."""
    import PySide6.QtCore  # noqa: F401  loads what is changed here

    feature = sys.modules.get("shibokensupport.feature")
    if hasattr(feature, "_mod_uses_pyside"):
        feature._mod_uses_pyside = lambda _: True  # type: ignore[union-attr]  # it is there


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
