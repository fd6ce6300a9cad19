"""What a connector writes to stderr, as entries of the log."""

from __future__ import annotations

import re
from typing import Final

from app.runtime.state import LogLevel

_LINE: Final = re.compile(r"([DIWEC]) ([\w.]+): (.*)", re.DOTALL)
_LEVELS: Final[dict[str, LogLevel]] = {"D": "DEBUG", "I": "INFO", "W": "WARNING", "E": "ERROR", "C": "ERROR"}


class ConnectorLines:
    """Our own at their level, a library's as information (ours tell the same in order); a line without a head goes with the one before."""

    def __init__(self) -> None:
        self._level: LogLevel = "INFO"

    def entry(self, line: str) -> tuple[LogLevel, str]:
        if match := _LINE.match(line):
            self._level = _LEVELS[match[1]] if match[2].startswith("app.") else "INFO"
            line = f"{match[2]}: {match[3]}"
        return self._level, line
