"""A serial port as a ``Line``: pyserial in one thread of its own, which opens the port, reads it and gives it back."""

from __future__ import annotations

import asyncio
import errno
import os
import re
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

import serial
from serial.tools import list_ports

from app.drivers.modbus.url import ModbusUrl
from app.errors import EndpointError

READ_S: Final = 0.2
"""How long one wait for bytes lasts; whoever closes need not wait for it (``cancel_read``)."""
WRITE_S: Final = 1.0


class SerialLine:
    """See ``session_line.Line``. The port is locked: a second program, or a second endpoint, is told so."""

    def __init__(self, url: ModbusUrl) -> None:
        self._url = url
        self._port = serial.Serial()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._closed = asyncio.Event()
        self._closed.set()
        self._opened: asyncio.Future[None] | None = None

    def listen(self, on_bytes: Callable[[bytes], None], on_closed: Callable[[str], None]) -> None:
        self._on_bytes, self._on_closed = on_bytes, on_closed

    async def open(self, timeout_s: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._opened = self._loop.create_future()
        self._closed.clear()
        self._thread = threading.Thread(target=self._run, name=f"serial port {self._url.device}", daemon=True)
        self._thread.start()
        try:
            async with asyncio.timeout(timeout_s):
                await self._opened
        except TimeoutError as error:
            self.close()
            why = f"the driver of the port did not open it within {timeout_s:g} s"
            fix = "Unplug the adapter, plug it in again, and retry"
            raise EndpointError("Cannot open the serial port", where=self._url.device, why=why, fix=fix) from error
        except (OSError, ValueError) as error:  # pyserial: SerialException is an OSError, parameters that the port refuses a ValueError
            why, fix = why_not_opened(self._url.device, error, found_ports())
            raise EndpointError("Cannot open the serial port", where=self._url.device, why=why, fix=fix) from error

    def write(self, data: bytes) -> None:
        """A frame has at most 256 bytes, and the driver takes them at once; a port that takes none for ``WRITE_S`` is given up."""
        try:
            self._port.write(data)
        except OSError as error:
            self._lose(f"the serial port does not send: {error}")

    def close(self) -> None:
        self._stop.set()
        if self._port.is_open:
            try:
                self._port.cancel_read()
            except (OSError, AttributeError, TypeError):  # the thread closed it just now, or the platform cannot; it ends within READ_S
                return

    async def wait_closed(self) -> None:
        await self._closed.wait()
        if self._thread is not None:
            self._thread.join()  # all it has left to do is to end

    # --- in the thread ----------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        why = ""
        try:
            self._open_port()
            self._tell(self._on_opened, None)
            while not self._stop.is_set():
                if data := self._port.read(1):
                    self._tell(self._take, data + self._port.read(self._port.in_waiting))
        except (OSError, ValueError, TypeError) as error:  # TypeError: pyserial on a port that vanished while it was read
            why = f"the serial port is gone ({error}): was the adapter unplugged?"
            self._tell(self._on_opened, error)
        finally:
            self._port.close()
            self._tell(self._ended, why)

    def _open_port(self) -> None:
        url = self._url
        self._port.port = url.device
        self._port.baudrate, self._port.bytesize, self._port.stopbits = url.baudrate, url.bytesize, url.stopbits
        self._port.parity = url.parity
        self._port.timeout, self._port.write_timeout = READ_S, WRITE_S
        self._port.exclusive = True
        _open(self._port)
        self._port.reset_input_buffer()

    def _tell(self, do: Callable[..., None], *given: object) -> None:
        assert self._loop is not None
        try:
            self._loop.call_soon_threadsafe(do, *given)
        except RuntimeError:  # the loop has ended: nobody is left to be told
            self._stop.set()

    # --- on the event loop ------------------------------------------------------------------------------------------------

    def _on_opened(self, error: Exception | None) -> None:
        if self._opened is not None and not self._opened.done():
            if error is None:
                self._opened.set_result(None)
            else:
                self._opened.set_exception(error)

    def _take(self, data: bytes) -> None:
        if not self._stop.is_set():
            self._on_bytes(data)

    def _ended(self, why: str) -> None:
        if why:
            self._lose(why)
        self._closed.set()

    def _lose(self, why: str) -> None:
        was_open = self._opened is not None and self._opened.done() and not self._opened.cancelled() and not self._opened.exception()
        if was_open and not self._stop.is_set():
            self._stop.set()
            self._on_closed(why)


def _open(port: serial.Serial) -> None:
    """Also locked against programs that take no lock of pyserial's kind: they get EBUSY from the kernel until the port is closed.

    Raises:
        OSError: As pyserial.
        ValueError: The port does not take the parameters.
    """
    if sys.platform == "win32":
        port.open()
    else:
        import fcntl
        import termios

        try:
            port.open()
            fcntl.ioctl(port.fileno(), termios.TIOCEXCL)
        except termios.error as error:  # pyserial lets it through, and it is no OSError
            raise ValueError(str(error.args[-1])) from error


def found_ports() -> list[str]:
    """Serial ports of this computer, as ``COM3 (USB Serial Port)``."""
    ports = sorted(list_ports.comports(), key=lambda port: port.device)
    return [f"{port.device} ({port.description})" if port.description not in ("", "n/a", port.device) else port.device for port in ports]


def why_not_opened(device: str, error: Exception, ports: Sequence[str]) -> tuple[str, str]:
    """Cause and remedy. pyserial states the system's error in its text only, on Windows, and as ``errno`` elsewhere."""
    text = str(error)
    number = getattr(error, "errno", None)
    name = re.search(r"(PermissionError|FileNotFoundError|OSError)\((\d+|None)", text)
    windows = device.startswith("COM")
    if number == errno.ENOENT or (name and name.group(1) == "FileNotFoundError"):
        there = f"This computer has {', '.join(ports)}" if ports else "This computer has no serial port: plug the adapter in"
        return "there is no such serial port", f"{there}. Its number may change with the socket it is plugged into"
    if (
        number in (errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK)
        or "exclusively lock" in text
        or (windows and name and "Permission" in name[0])
    ):
        return (
            f"{device} is in use by another program",
            "Close the other program (a Modbus master, a terminal), or disconnect its endpoint here",
        )
    if number in (errno.EACCES, errno.EPERM):
        group = _group_of(device)
        return (
            f"this user may not open {device}",
            f"Add yourself to the group {group}: sudo usermod -aG {group} $USER, then log out and in again",
        )
    if isinstance(error, ValueError):
        return f"the port does not take these parameters: {text}", "Check baud rate, parity and stop bits"
    return text, "Check that this is a serial port, and its baud rate, parity and stop bits"


def _group_of(device: str) -> str:
    """That may open the port; ``dialout`` on Debian, ``uucp`` on Arch."""
    if sys.platform != "win32":
        import grp

        with suppress(OSError, KeyError):
            return grp.getgrgid(os.stat(device).st_gid).gr_name  # noqa: PTH116  a device, not a file of ours
    return "dialout"
