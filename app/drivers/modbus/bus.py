"""Time on a serial line: how long characters, gaps and whole requests take. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from app.drivers.modbus.url import ModbusUrl

FAST_BAUD: Final = 19200
FAST_GAP_S: Final = 0.00175
"""Above 19200 baud the gap between frames is fixed (Modbus over Serial Line V1.02 §2.5.1.1)."""
REQUEST_CHARS: Final = 8
"""Unit, function, address, count, CRC."""
REPLY_CHARS: Final = 5
"""Unit, function, byte count, CRC; the registers come on top."""


def char_s(url: ModbusUrl) -> float:
    """One character: 11 bits with parity or two stop bits, 10 with neither."""
    return url.char_bits / url.baudrate


def gap_s(url: ModbusUrl) -> float:
    """Silence that ends a frame: 3.5 characters."""
    return FAST_GAP_S if url.baudrate > FAST_BAUD else 3.5 * char_s(url)


def exchange_s(url: ModbusUrl, request_chars: int, reply_chars: int) -> float:
    """A request, its reply, and the gap after each."""
    return (request_chars + reply_chars) * char_s(url) + 2 * gap_s(url)


def bus_time_s(url: str, requests: Iterable[int]) -> float:
    """Seconds for which these reads occupy the line.

    Args:
        url: Of the endpoint. 0.0 is the answer unless it is a ``modbus-rtu:`` one: the speed behind a network converter is not known.
        requests: Registers that each request asks for (16 coils or discrete inputs count as one).

    Returns:
        What characters and gaps take. The time a device needs to answer, 5 to 100 ms with most, is not in it.

    Raises:
        UserError: It is no Modbus URL.
    """
    line = ModbusUrl(url)
    if line.transport != "rtu":
        return 0.0
    return sum(exchange_s(line, REQUEST_CHARS, REPLY_CHARS + 2 * registers) for registers in requests)
