"""Times as text: ns since 1970-01-01 UTC to RFC 3339 and back, without a float between."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)")


def rfc3339(time_ns: int) -> str:
    """``2026-11-22T14:02:11.482Z``: UTC, with 3, 6 or 9 digits, as few as lose nothing."""
    seconds, fraction = divmod(time_ns, 1_000_000_000)
    text = f"{fraction:09d}"
    digits = 3 if text.endswith("000000") else 6 if text.endswith("000") else 9
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{text[:digits]}Z"


def parse_rfc3339(text: str) -> int:
    """ns since 1970 UTC.

    Raises:
        ValueError: Not an RFC 3339 time with an offset.
    """
    match = _RFC3339.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"not an RFC 3339 time: {text!r}")
    day, clock, fraction, offset = match.groups()
    moment = datetime.fromisoformat(f"{day}T{clock}{'+00:00' if offset in 'Zz' else offset}")
    return int(moment.timestamp()) * 1_000_000_000 + int((fraction or "0").ljust(9, "0"))
