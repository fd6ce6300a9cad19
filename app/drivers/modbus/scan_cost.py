"""What a scan would ask of a device, in words, before it begins. Pure; the numbers are those without a retry."""

from __future__ import annotations

from app.drivers.modbus.plan import Limits
from app.drivers.modbus.questions import ScanRegisters, ScanSerial, ScanUnits


def duration_text(seconds: float) -> str:
    """``40 s``, ``3 min``, ``2.5 h``."""
    if seconds < 100:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def units_cost(question: ScanUnits, timeout_s: float) -> str:
    count = question.last - question.first + 1
    longest = duration_text(count * (question.pause_ms / 1000 + timeout_s))
    return f"{_requests(count)}; at most {longest}, if no unit answers within the time-out of {timeout_s:g} s."


def registers_cost(question: ScanRegisters) -> str:
    size = max(1, min(question.block, Limits().size(question.table)))
    count = -(-(question.last - question.first + 1) // size)
    least = duration_text(count * question.pause_ms / 1000)
    return f"At least {_requests(count)} in {least}; more where it refuses a block, which is then asked for in halves."


def serial_cost(question: ScanSerial) -> str:
    sets = len(question.baudrates) * len(question.parities)
    count = sets * len(question.units)
    longest = duration_text(count * (question.pause_ms / 1000 + question.reply_s))
    return f"{sets} set{'' if sets == 1 else 's'} of parameters, {_requests(count)}, at most {longest}; it stops at the first answer."


def _requests(count: int) -> str:
    return f"{count:,} request{'' if count == 1 else 's'}"
