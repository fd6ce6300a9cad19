"""How Tagloom starts processes of its own: servers of the demo plant, connectors, the window."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

if sys.platform == "win32":
    import subprocess  # only here: the window starts sooner without

    NO_CONSOLE: Final = subprocess.CREATE_NO_WINDOW
    """``creationflags`` of a process without a window of its own: a console would flash up."""
else:
    NO_CONSOLE: Final = 0


def module_command(module: str, arguments: Sequence[str] = ()) -> list[str]:
    """The command line that runs one of our modules with this very Python.

    ``-P`` keeps the current folder off the import path, where another package named ``app`` may lie.
    """
    return [sys.executable, "-P", "-m", module, *arguments]


def module_environment() -> dict[str, str]:
    """The environment that belongs to ``module_command``: this very code is found, wherever the current folder is."""
    root = str(Path(__file__).resolve().parents[1])
    inherited = os.environ.get("PYTHONPATH", "")
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (root, inherited)))}
