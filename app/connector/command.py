"""How a connector process is started: the one place that knows."""

from __future__ import annotations

import sys

from app.processes import module_command, module_environment

MEMORY_VARIABLE = "TAGLOOM_CONNECTOR_MEMORY"
"""MiB of address space of a connector on Linux; 0 is no limit."""
DEFAULT_MEMORY_MB = 2048


def connector_command() -> list[str]:
    """The program and its arguments. Never a URL or a secret: those travel in the first frame, where no process list shows them."""
    if getattr(sys, "frozen", False):
        return [sys.executable, "--connector"]
    return module_command("app.connector")


def connector_environment() -> dict[str, str]:
    """The parent's environment, with what a small process with an address-space limit needs.

    numpy's BLAS reserves a buffer per core and glibc 64 MiB of addresses per thread: on a many-core machine that alone would
    pass the limit, and a connector needs neither.
    """
    environment = module_environment()
    environment.setdefault("OPENBLAS_NUM_THREADS", "1")
    environment.setdefault("MALLOC_ARENA_MAX", "2")
    return environment
