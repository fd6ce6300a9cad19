"""What keeps the window's thread from waiting for the interpreter: its garbage collector, and threads that work at the same time."""

from __future__ import annotations

import gc
import sys
from typing import Final

from PySide6.QtCore import QObject, QTimer

SWITCH_S: Final = 0.001
"""So long a thread may keep the interpreter while another wants it; 5 ms, as is usual, is a third of a frame for each time it is asked."""
YOUNG: Final = (5_000, 20)
"""New objects until the collector looks at those, and how often it does so until it looks at what was left of them too (a few ms)."""
NEVER: Final = 1_000_000_000
ALL_EVERY_MS: Final = 600_000
"""To look at all objects takes some 40 ms at once, which is why it is not left to the collector: that would do so many times a minute
while values or nodes come, of which none is ever part of a circle."""


def keep_steady(parent: QObject) -> None:
    """Once, when the window has been built; ``parent`` lives as long as the window."""
    sys.setswitchinterval(SWITCH_S)
    gc.set_threshold(*YOUNG, NEVER)
    timer = QTimer(parent, interval=ALL_EVERY_MS)
    timer.timeout.connect(gc.collect)
    timer.start()
