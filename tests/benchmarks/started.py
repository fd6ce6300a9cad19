"""One start of a window, for ``bench_startup``: ends itself when the window is painted and the event loop has nothing left to do.

Run as a process with ``WAY [ARGUMENTS…]``: ``bare`` is a QMainWindow of PySide6 and nothing else, ``widgets`` the product as
``python -m widgets ARGUMENTS``, ``eager`` the same after importing every library and every module of ours. It prints one line of JSON:
``monotonic_s`` when it was so far, ``cpu_s`` used until then, ``late_ms`` the longest time that a timer had to wait in the second
after, ``modules`` that were imported.
"""

from __future__ import annotations

import os
import sys
import time

from PySide6.QtCore import QAbstractEventDispatcher, QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication, QMainWindow

AFTER_MS = 1000
BEAT_MS = 5
LIBRARIES = (
    "asyncua", "asyncua.server", "pymodbus.client", "pymodbus.server", "pyqtgraph", "sqlite_utils", "cryptography.x509", "openpyxl",
    "numpy", "jinja2", "serial", "zeroconf", "keyring", "psutil",
)  # fmt: skip


class Watch(QObject):
    """Looks when the main window paints and when the loop goes to sleep. Costs a call for each event of one widget, and for each sleep."""

    def __init__(self, window: QMainWindow) -> None:
        super().__init__(window)
        self._painted = self._ready = False
        self._beat_s = self._late_s = 0.0
        self._beat = QTimer(self, interval=BEAT_MS, timerType=Qt.TimerType.PreciseTimer)
        self._beat.timeout.connect(self._on_beat)
        window.installEventFilter(self)
        QAbstractEventDispatcher.instance().aboutToBlock.connect(self._on_about_to_block)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self._painted |= event.type() == QEvent.Type.Paint
        return False

    def _on_about_to_block(self) -> None:
        if self._painted and not self._ready:
            self._ready = True
            self._beat_s = time.monotonic()
            self._at = {"monotonic_s": self._beat_s, "cpu_s": time.process_time(), "modules": len(sys.modules)}
            self._beat.start()
            QTimer.singleShot(AFTER_MS, self, self._end)

    def _on_beat(self) -> None:
        now_s = time.monotonic()
        self._late_s = max(self._late_s, now_s - self._beat_s - BEAT_MS / 1000)
        self._beat_s = now_s

    def _end(self) -> None:
        import json

        print(json.dumps({**self._at, "late_ms": self._late_s * 1000}), flush=True)
        os._exit(0)  # what follows is the end of the program, which nobody times


def watched_exec(*_: object) -> int:
    window = next(widget for widget in QApplication.topLevelWidgets() if isinstance(widget, QMainWindow))
    watch = Watch(window)
    code = run()
    del watch
    return code


def bare() -> None:
    application = QApplication(sys.argv[:1])
    window = QMainWindow()
    window.setWindowTitle("Bare")
    window.resize(1366, 768)
    window.show()
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


if __name__ == "__main__":
    run = QApplication.exec
    QApplication.exec = watched_exec  # type: ignore[method-assign]  # the start ends where the loop begins
    way = sys.argv.pop(1)
    if way == "bare":
        bare()
    else:
        if way == "eager":
            import_everything()
        import runpy

        runpy.run_module("widgets", run_name="__main__", alter_sys=True)
