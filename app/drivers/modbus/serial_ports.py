"""Serial ports that this computer has. Lists them; opens none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from serial.tools import list_ports

BAUDRATES: Final = (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)
"""As devices offer them; 19200 is the default of Modbus over Serial Line V1.02 §2.5.1.1, 9600 the other one it requires."""
PARITIES: Final = {"E": "even", "N": "none", "O": "odd"}


@dataclass(frozen=True, slots=True)
class SerialPort:
    """``device`` is what is opened: ``COM3``, ``/dev/ttyUSB0``."""

    device: str
    text: str


def serial_ports() -> list[SerialPort]:
    """USB adapters first: that is what hangs on a laptop."""
    found = sorted(list_ports.comports(), key=lambda port: (port.vid is None, port.device))
    return [SerialPort(port.device, _words(port.device, port.description, port.manufacturer)) for port in found]


def serial_url(device: str, baudrate: int, parity: str, stopbits: int, unit: int) -> str:
    """As ``app.drivers.modbus.url`` reads it, not canonical yet."""
    return f"modbus-rtu:{device}?baudrate={baudrate}&parity={parity}&stopbits={stopbits}&unit={unit}"


def _words(device: str, description: str | None, maker: str | None) -> str:
    about = ", ".join(text for text in (description, maker) if text and text not in ("n/a", device))
    return f"{device}   {about}" if about else device
