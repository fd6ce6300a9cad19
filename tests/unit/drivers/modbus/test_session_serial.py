from __future__ import annotations

import errno
import subprocess
import sys

import pytest
import serial

from app.drivers.modbus.session_serial import why_not_opened

PORTS = ["COM3 (USB Serial Port)", "COM7"]


def on_windows(name: str, number: int, text: str) -> serial.SerialException:
    """As pyserial words it there: the system's error is in the text only."""
    return serial.SerialException(f"could not open port 'COM9': {name}({number}, '{text}', None, {number})")


@pytest.mark.parametrize(
    ("device", "error", "why", "fix"),
    [
        ("COM9", on_windows("PermissionError", 13, "Access is denied."), "COM9 is in use by another program", "Close the other program"),
        ("COM9", on_windows("FileNotFoundError", 2, "The system cannot find"), "no such serial port", "COM3 (USB Serial Port), COM7"),
        ("/dev/ttyUSB9", serial.SerialException(errno.ENOENT, "no such file"), "no such serial port", "COM3"),
        ("/dev/ttyUSB9", serial.SerialException(errno.EACCES, "denied"), "this user may not open", "to the group dialout"),
        ("/dev/ttyUSB9", serial.SerialException(errno.EBUSY, "busy"), "/dev/ttyUSB9 is in use", "disconnect its endpoint here"),
        ("/dev/ttyUSB9", serial.SerialException(errno.EAGAIN, "Could not exclusively lock port"), "is in use", "Close the other program"),
        ("COM9", ValueError("Not a valid baudrate: 7"), "does not take these parameters", "baud rate"),
        ("COM9", serial.SerialException("something else"), "something else", "Check that this is a serial port"),
    ],
)
def test_that_why_a_port_does_not_open_is_told_with_what_to_do(device: str, error: Exception, why: str, fix: str) -> None:
    told, remedy = why_not_opened(device, error, PORTS)
    assert why in told
    assert fix in remedy


def test_that_a_computer_without_ports_says_so() -> None:
    assert "no serial port" in why_not_opened("COM9", serial.SerialException(errno.ENOENT, ""), [])[1]


def test_that_nothing_of_posix_is_needed_to_import_the_driver() -> None:
    """On Windows there is neither ``fcntl`` nor ``termios``: with them hidden, all of the driver's own modules must be importable."""
    code = (
        "import sys, serial, asyncio\n"
        "import serial.tools.list_ports, app.trust.store\n"
        "for name in ('fcntl', 'termios', 'grp', 'tty', 'pty'): sys.modules[name] = None\n"
        "import app.drivers.modbus.session\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
