"""Times as people read them on a screen: local or UTC, as the person chose; every place that shows one says which."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from time import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from widgets.workbench import Workbench


def is_utc(workbench: Workbench) -> bool:
    return bool(workbench.workspace.setting("utc"))


def zone_word(workbench: Workbench) -> str:
    """``UTC`` or ``local``."""
    return "UTC" if is_utc(workbench) else "local"


def day_and_time(time_ns: int, *, utc: bool = False) -> str:
    """``2026-11-22 14:02``, in this laptop's own time unless ``utc``: of a snapshot, where seconds say nothing."""
    moment = datetime.fromtimestamp(time_ns // 1_000_000_000, UTC).astimezone(UTC if utc else None)
    return f"{moment:%Y-%m-%d %H:%M}"


def short_moment(time_ns: int) -> str:
    """``14:02`` of today, else ``2026-11-22``; in this laptop's own time."""
    day, clock = day_and_time(time_ns).split()
    return clock if day == f"{datetime.now(UTC).astimezone():%Y-%m-%d}" else day


def clock_text(time_ns: int, *, utc: bool) -> str:
    """``14:02:03.123``; with the day in front when it is not today."""
    text = _to_the_second(time_ns // 1_000_000_000, utc, int(time()) // 60)
    return f"{text}.{time_ns // 1_000_000 % 1000:03d}"


@lru_cache(maxsize=1024)
def _to_the_second(second: int, utc: bool, this_minute: int) -> str:
    """``this_minute`` says which day is today: a table asks for the same second again and again."""
    zone = UTC if utc else None
    moment = datetime.fromtimestamp(second, UTC).astimezone(zone)
    is_today = moment.date() == datetime.fromtimestamp(this_minute * 60, UTC).astimezone(zone).date()
    return f"{moment:%H:%M:%S}" if is_today else f"{moment:%Y-%m-%d %H:%M:%S}"
