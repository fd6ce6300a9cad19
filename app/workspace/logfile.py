"""Logging of a process: a rotating file for everything, standard error for what a person must see. Secrets are hidden."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from app.workspace.paths import log_dir
from app.workspace.redaction import redact
from app.workspace.settings import Settings

if TYPE_CHECKING:
    from logging.handlers import RotatingFileHandler

FILE_BYTES: Final = 2 * 2**20
FILES: Final = 5

_OURS: list[logging.Handler] = []
_CHATTY: Final = ("asyncua", "pymodbus", "asyncio")
"""Libraries that tell each request; only their warnings are kept."""


class RedactingFormatter(logging.Formatter):
    """UTC times to the millisecond. Whatever a record holds, its traceback too, goes through ``redact``."""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802  logging's own name
        return datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


class _RotatingFile(logging.FileHandler):
    """Opened at once, so that it is known whether it can be written; made one that rotates by the first record.

    The start of the window has none to write, and ``logging.handlers`` brings sockets, pickling and queues with it.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, encoding="utf-8", errors="replace")
        self._rotating: RotatingFileHandler | None = None

    def emit(self, record: logging.LogRecord) -> None:
        if self._rotating is None:
            from logging.handlers import RotatingFileHandler

            super().close()
            self._rotating = RotatingFileHandler(
                self.baseFilename, maxBytes=FILE_BYTES, backupCount=FILES - 1, encoding="utf-8", delay=True, errors="replace"
            )
            self._rotating.setFormatter(self.formatter)
        self._rotating.emit(record)

    def close(self) -> None:
        super().close()
        if self._rotating is not None:
            self._rotating.close()


def start_logging(who: Literal["window", "command"], *, verbose: bool = False) -> Path:
    """Set up logging for this process; called again, it begins anew.

    Args:
        who: Name of the log file. Several processes of one kind share it.
        verbose: Show everything on standard error, not only warnings.

    Returns:
        The log file. Where it cannot be written, a warning says so and the program goes on.
    """
    stop_logging()
    root = logging.getLogger()
    path = log_dir() / f"{who}.log"
    console = logging.StreamHandler(sys.stderr)
    console.setLevel(logging.DEBUG if verbose else logging.WARNING)
    console.setFormatter(RedactingFormatter("%(levelname)s %(name)s: %(message)s"))
    _add(console)
    settings = Settings()
    root.setLevel(logging.DEBUG if verbose else getattr(logging, str(settings.get("log_level")).upper()))
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = _RotatingFile(path)
    except OSError as error:
        logging.getLogger(__name__).warning("no log file is written: %s: %s", path, error.strerror or error)
        return path
    file.setFormatter(RedactingFormatter("%(asctime)s %(levelname)s %(process)d %(threadName)s %(name)s: %(message)s"))
    _add(file)
    return path


def stop_logging() -> None:
    """Close what ``start_logging`` opened."""
    while _OURS:
        handler = _OURS.pop()
        logging.getLogger().removeHandler(handler)
        handler.close()


def log_files() -> list[Path]:
    """Log files that are there, newest first."""
    return sorted(log_dir().glob("*.log*"), key=lambda path: path.stat().st_mtime, reverse=True)


def _add(handler: logging.Handler) -> None:
    logging.getLogger().addHandler(handler)
    _OURS.append(handler)
