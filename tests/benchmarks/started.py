"""One start of a window, for ``bench_startup``: ends itself when the window is painted and the event loop has nothing left to do.

Run as a process with ``WAY [ARGUMENTS…]``: ``bare`` is a QMainWindow of PySide6 and nothing else, ``widgets`` the product as
``python -m widgets ARGUMENTS``, ``eager`` the same after importing every library and every module of ours. It prints one line of JSON:
``monotonic_s`` when it was so far, ``cpu_s`` used until then, ``late_ms`` the longest time that a timer had to wait in the second
after, ``modules`` that were imported. Imports nothing of Qt before the way that is measured does: how that is done is part of it.
"""

from __future__ import annotations

import sys

LIBRARIES = (
    "asyncua", "asyncua.server", "pymodbus.client", "pymodbus.server", "pyqtgraph", "sqlite_utils", "cryptography.x509", "openpyxl",
    "numpy", "jinja2", "serial", "zeroconf", "keyring", "psutil",
)  # fmt: skip


def bare() -> None:
    from PySide6.QtWidgets import QApplication, QMainWindow

    application = QApplication(sys.argv[:1])
    window = QMainWindow()
    window.setWindowTitle("Bare")
    window.resize(1366, 768)
    window.show()

    from tests.benchmarks.first_paint import watch_the_window

    watch_the_window()
    application.exec()


def import_everything() -> None:
    from importlib import import_module
    from pkgutil import walk_packages

    import app
    import widgets

    for name in LIBRARIES:
        import_module(name)
    for package in (app, widgets):
        for module in walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                import_module(module.name)


def watched_when_built() -> None:
    """The product calls ``end`` once its window is built and shown, and before its event loop begins."""
    from widgets import quick_start

    ends = quick_start.end

    def end() -> None:
        ends()
        from tests.benchmarks.first_paint import watch_the_window

        watch_the_window()

    quick_start.end = end


if __name__ == "__main__":
    way = sys.argv.pop(1)
    if way == "bare":
        bare()
    else:
        if way == "eager":
            import_everything()
        watched_when_built()
        import runpy

        runpy.run_module("widgets", run_name="__main__", alter_sys=True)
