"""Times as people read them on a screen: local or UTC, as the person chose; every place that shows one says which."""

from __future__ import annotations

from datetime import UTC, datetime
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
    zone = UTC if utc else None
    moment = datetime.fromtimestamp(time_ns // 1_000_000_000, UTC).astimezone(zone)
    text = f"{moment:%H:%M:%S}.{time_ns // 1_000_000 % 1000:03d}"
    return text if moment.date() == datetime.now(UTC).astimezone(zone).date() else f"{moment:%Y-%m-%d} {text}"
