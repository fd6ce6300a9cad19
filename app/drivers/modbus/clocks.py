"""Date and time in registers, as RFC 3339 text and back. Words come and go with their first one first.

Only the ``unix`` types say what their zero is. The others show a clock without a time zone: it is taken as UTC, and that is told
wherever the type is described. Sources: ``cp56`` IEC 60870-5-4 §6.8 (CP56Time2a; with a reserved top byte it is the four-register
form that Schneider calls TI081); ``s7dt`` the DATE_AND_TIME of Siemens STEP 7; ``mdyhms3`` the three-register date of the PowerLogic
PM800 and CM4000; ``ymdhms3`` the system time of Deye and Sunsynk inverters; ``ymdhms6`` and ``ymdhms7`` PowerLogic PM5000 and many
PLC programs.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from app.drivers.modbus.types import REGISTERS_OF

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_INVALID: Final = 0x80  # IV, in the octet of the minutes: IEC 60870-5-4 §6.8


def decode_clock(words: Sequence[int], type_: str) -> str | None:
    """RFC 3339 text in UTC; None where the registers hold no date that exists."""
    try:
        moment = _moment(words, type_)
    except (ValueError, OverflowError):
        return None
    fine = type_ in ("unixms64", "cp56", "s7dt", "ymdhms7")
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds" if fine else "seconds") + "Z"


def encode_clock(text: str, type_: str) -> list[int]:
    """The words that ``decode_clock`` turns into ``text``, to the resolution of the type.

    Raises:
        ValueError: The text is no moment, or the type does not reach it.
    """
    moment = datetime.fromisoformat(text)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    milliseconds = moment.microsecond // 1000
    if type_.startswith("unix"):
        since = (moment - _EPOCH) // timedelta(milliseconds=1 if type_ == "unixms64" else 1000)
        return _words(since.to_bytes(2 * REGISTERS_OF[type_], "big", signed=type_ != "unix32"))
    fields = (moment.month, moment.day, moment.hour, moment.minute, moment.second)
    month, day, hour, minute, second = fields
    match type_:
        case "cp56":
            if not 2000 <= moment.year < 2128:
                raise ValueError(f"{moment.year} is not within 2000 and 2127")
            weekday = moment.isoweekday()
            return [moment.year - 2000, month << 8 | weekday << 5 | day, hour << 8 | minute, 1000 * second + milliseconds]
        case "s7dt":
            if not 1990 <= moment.year < 2090:
                raise ValueError(f"{moment.year} is not within 1990 and 2089")
            weekday = moment.isoweekday() % 7 + 1
            return _words(bytes.fromhex("".join(f"{part:02d}" for part in (moment.year % 100, *fields)) + f"{milliseconds:03d}{weekday}"))
        case "ymdhms3":
            return _words(bytes((moment.year - 2000, *fields)))
        case "mdyhms3":
            return _words(bytes((month, day, moment.year - 1900, hour, minute, second)))
        case _:
            return [moment.year, *fields, milliseconds][: REGISTERS_OF[type_]]


def _moment(words: Sequence[int], type_: str) -> datetime:
    """Raises ``ValueError`` or ``OverflowError`` where there is none."""
    raw = b"".join(word.to_bytes(2, "big") for word in words)
    match type_:
        case "unix32" | "unix64" | "unixms64":
            since = int.from_bytes(raw, "big", signed=type_ != "unix32")
            return _EPOCH + (timedelta(milliseconds=since) if type_ == "unixms64" else timedelta(seconds=since))
        case "cp56":
            reserved, year, month, day, hour, minute = raw[:6]
            if reserved or minute & _INVALID:
                raise ValueError("marked as invalid")
            second, milliseconds = divmod(words[3], 1000)
            return _at(2000 + (year & 0x7F), month & 0x0F, day & 0x1F, hour & 0x1F, minute & 0x3F, second, milliseconds)
        case "s7dt":
            digits = raw.hex()
            year, month, day, hour, minute, second = (int(digits[at : at + 2]) for at in range(0, 12, 2))
            return _at(year + (1900 if year >= 90 else 2000), month, day, hour, minute, second, int(digits[12:15]))
        case "ymdhms3":
            return _at(2000 + raw[0], *raw[1:])
        case "mdyhms3":
            month, day, year, *clock = raw
            return _at(1900 + year, month, day, *clock)
        case _:
            year, *fields = words
            if 100 <= year < 1900:
                raise ValueError(f"{year} is no year")
            return _at(year + 2000 if year < 100 else year, *fields)


def _at(year: int, month: int, day: int, hour: int, minute: int, second: int, milliseconds: int = 0) -> datetime:
    if not 0 <= milliseconds < 1000:
        raise ValueError(f"{milliseconds} ms")
    return datetime(year, month, day, hour, minute, second, 1000 * milliseconds, UTC)


def _words(raw: bytes) -> list[int]:
    return [int.from_bytes(raw[at : at + 2], "big") for at in range(0, len(raw), 2)]
