"""The window as a process of its own: the command line never loads Qt."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Sequence
from pathlib import Path

from app.commands.terminal.failures import FAILED
from app.commands.terminal.progress import note
from app.errors import UserError
from app.processes import module_command, module_environment


def has_display() -> bool:
    """Whether a window can be shown. Only on Linux is there a question."""
    if platform.system() != "Linux":
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


def require_display() -> None:
    """Raises ``UserError`` where no window can be shown."""
    if not has_display():
        why = "there is no display: neither DISPLAY nor WAYLAND_DISPLAY is set"
        fix = "Run it in a desktop session; browse, read, watch, check, export and review need no window"
        raise UserError("Cannot open the window", where="this session", why=why, fix=fix)


def run_window(project: Path | None, overrides: Sequence[str] = (), *, connect: bool = False) -> int:
    """Open it and wait until it is closed; its exit code, ``FAILED`` for any failure. Ctrl+C closes it."""
    with subprocess.Popen(_command(project, overrides, connect=connect), env=module_environment()) as process:
        try:
            code = process.wait()
        except KeyboardInterrupt:
            process.terminate()
            return 0
    if code:
        note(f"The window ended with code {code}.")
    return FAILED if code else 0


def take_pictures(project: Path, overrides: Sequence[str], folder: Path, timeout_s: float) -> list[Path]:
    """Let a window that nobody sees connect, go through its modes and leave a picture of each.

    Raises:
        UserError: The folder cannot be made, or it failed, did not end in time, or left none; then its log's errors are the reason,
            without tracebacks.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("*.png"):  # of a mode that is no more
            old.unlink()
    except OSError as error:
        fix = "Remove what stands in its place"
        raise UserError("No pictures of the window", where=str(folder), why=str(error), fix=fix) from error
    command = [*_command(project, overrides, connect=True), "--pictures", str(folder)]
    environment = {**module_environment(), "QT_QPA_PLATFORM": "offscreen"}
    try:
        done = subprocess.run(command, env=environment, check=False, timeout=timeout_s, stdin=subprocess.DEVNULL, capture_output=True)
    except subprocess.TimeoutExpired:
        raise _failed(f"it did not end within {timeout_s:g} s") from None
    pictures = sorted(folder.glob("*.png"))
    if done.returncode or not pictures:
        lines = done.stderr.decode("utf-8", "replace").splitlines()
        told = [line for line in lines if line.startswith("ERROR ")] + [line for line in lines[-1:] if line.strip()]
        raise _failed("\n".join(dict.fromkeys(told)) or f"it ended with code {done.returncode} and {len(pictures)} pictures")
    return pictures


def _failed(why: str) -> UserError:
    return UserError("No pictures of the window", where="widgets", why=why, fix="Open the window by hand: tagloom open")


def _command(project: Path | None, overrides: Sequence[str], *, connect: bool) -> list[str]:
    arguments = [str(project.absolute())] if project is not None else []
    for override in overrides:
        arguments += ["--endpoint", override]
    return module_command("widgets", [*arguments, *(["--connect"] if connect else [])])
