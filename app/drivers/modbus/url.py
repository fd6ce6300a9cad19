"""Where a Modbus endpoint is: ``modbus://``, ``modbus-tls://``, ``modbus-rtutcp://`` and ``modbus-rtu:`` URLs, and their canonical form.

Left out of the canonical form, because they are the default: unit id 1; port 502 (802 of ``modbus-tls``); and of a serial line 19200 baud,
even parity, one stop bit and eight data bits, which Modbus over Serial Line V1.02 §2.5.1 and §3.2 make the default of every device.
"""

from __future__ import annotations

import re
from typing import Final, Literal, NoReturn
from urllib.parse import parse_qsl, urlsplit

from app.errors import UserError

Transport = Literal["tcp", "tls", "rtu", "rtutcp"]

DEFAULT_UNIT: Final = 1
TRANSPORTS: Final[dict[str, Transport]] = {"modbus": "tcp", "modbus-tls": "tls", "modbus-rtu": "rtu", "modbus-rtutcp": "rtutcp"}
"""Scheme → what it is. The first one is what a person means who does not say."""
PORTS: Final[dict[Transport, int]] = {"tcp": 502, "tls": 802, "rtutcp": 502}
TITLES: Final[dict[Transport, str]] = {
    "tcp": "Modbus TCP",
    "tls": "Modbus TCP over TLS",
    "rtu": "Modbus RTU",
    "rtutcp": "Modbus RTU over TCP",
}
EXAMPLE: Final = (
    "modbus://192.168.0.10, modbus://gateway:1502?unit=3, modbus-tls://plc7, modbus-rtutcp://converter:4001, "
    "modbus-rtu:/dev/ttyUSB0?baudrate=9600&parity=N or modbus-rtu:COM3"
)
_HOST: Final = re.compile(r"[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}(%[A-Za-z0-9._-]+)?\]", re.ASCII)
_COM: Final = re.compile(r"(?:\\\\\.\\)?(com[1-9][0-9]{0,3})", re.ASCII | re.IGNORECASE)
_DEVICE: Final = re.compile(r"/[A-Za-z0-9._:,@+=~-]+(?:/[A-Za-z0-9._:,@+=~-]+)*", re.ASCII)
_PARITIES: Final = {"n": "N", "none": "N", "e": "E", "even": "E", "o": "O", "odd": "O"}
_DEFAULTS: Final[dict[str, int | str]] = {"baudrate": 19200, "parity": "E", "stopbits": 1, "bytesize": 8, "unit": DEFAULT_UNIT}


class ModbusUrl:
    """A parsed endpoint URL.

    Attributes:
        transport: What is spoken over what.
        host: Name or IP address, without the brackets of an IPv6 address; "" on a serial port.
        port: TCP port; 0 on a serial port.
        device: Serial port, ``COM3`` or ``/dev/ttyUSB0``; "" elsewhere.
        unit: Unit id of tags that name none.
        baudrate, parity, stopbits, bytesize: Of a serial port. Parity is N, E or O.
    """

    def __init__(self, text: str) -> None:
        self._text = text.strip()
        scheme, colon, rest = self._text.partition(":")
        self.scheme = scheme.lower()
        if not colon or self.scheme not in TRANSPORTS:
            self._fail(f"it does not begin with {', '.join(f'{known}:' for known in TRANSPORTS)}")
        self.transport = TRANSPORTS[self.scheme]
        self.host = self.device = self._place = ""
        self.port, self.unit = 0, DEFAULT_UNIT
        self.baudrate, self.parity, self.stopbits, self.bytesize = 19200, "E", 1, 8
        if self.transport == "rtu":
            self._read_serial(rest)
        elif not rest.startswith("//"):
            self._fail(f"it does not begin with {self.scheme}://")
        else:
            self._read_network()
        if self.unit == 0 and self.is_serial:
            self._fail("unit id 0 is the broadcast of a serial line, to which nothing answers")

    @property
    def is_serial(self) -> bool:
        """Whether frames carry no transaction id (RTU), on a serial port or inside TCP."""
        return self.transport in ("rtu", "rtutcp")

    @property
    def title(self) -> str:
        return TITLES[self.transport]

    @property
    def where(self) -> str:
        """Host and port, or the serial port."""
        return self.device or f"{self._place}:{self.port}"

    @property
    def char_bits(self) -> int:
        """Bits of one character on the line: start, data, parity, stop."""
        return 1 + self.bytesize + (self.parity != "N") + self.stopbits

    @property
    def serial_text(self) -> str:
        """``19200 baud, 8 data bits, even parity, 1 stop bit``."""
        parity = {"N": "no parity", "E": "even parity", "O": "odd parity"}[self.parity]
        return f"{self.baudrate} baud, {self.bytesize} data bits, {parity}, {self.stopbits} stop bit{'s' if self.stopbits > 1 else ''}"

    def __str__(self) -> str:
        """Canonical: what is the default is left out."""
        values = {"baudrate": self.baudrate, "parity": self.parity, "stopbits": self.stopbits, "bytesize": self.bytesize, "unit": self.unit}
        given = [f"{name}={value}" for name, value in values.items() if value != _DEFAULTS[name]]
        query = f"?{'&'.join(given)}" if given else ""
        if self.transport == "rtu":
            return f"{self.scheme}:{self.device}{query}"
        port = "" if self.port == PORTS[self.transport] else f":{self.port}"
        return f"{self.scheme}://{self._place}{port}{query}"

    # --- parts ------------------------------------------------------------------------------------------------------------

    def _read_network(self) -> None:
        try:
            parts = urlsplit(self._text)
            port = parts.port
        except ValueError as error:
            self._fail(str(error))
        if parts.username is not None or parts.password is not None:
            self._fail("Modbus knows no user and no password")
        if parts.path not in ("", "/") or parts.fragment:
            self._fail(f"only host, port and ?unit= may follow {self.scheme}://")
        place = parts.netloc.rpartition("]")[0] + "]" if "]" in parts.netloc else parts.netloc.partition(":")[0]
        if not _HOST.fullmatch(place):
            self._fail("the host name or IP address is missing or not one")
        if port == 0:
            self._fail("the port is from 1 to 65535")
        self._place = place.lower()
        self.host = self._place.strip("[]")
        self.port = PORTS[self.transport] if port is None else port
        self._read_query(parts.query, ("unit",))

    def _read_serial(self, rest: str) -> None:
        device, _, query = rest.partition("?")
        if device.startswith("//"):  # modbus-rtu:///dev/ttyUSB0, as other programs write it, and \\.\COM3 with slashes
            device = device.lstrip("/") if _COM.fullmatch(device.lstrip("/")) else "/" + device.lstrip("/")
        if found := _COM.fullmatch(device):
            self.device = found.group(1).upper()
        elif _DEVICE.fullmatch(device) and ".." not in device.split("/"):
            self.device = device
        else:
            self._fail("the serial port is missing or not one: COM3, or a path such as /dev/ttyUSB0, follows 'modbus-rtu:'")
        self._read_query(query, tuple(_DEFAULTS))

    def _read_query(self, query: str, names: tuple[str, ...]) -> None:
        try:
            given = parse_qsl(query, keep_blank_values=True, strict_parsing=True) if query else []
        except ValueError as error:
            self._fail(str(error))
        keys = [key for key, _ in given]
        if wrong := [key for key in keys if key not in names or keys.count(key) > 1]:
            allowed = (
                "the only thing that may follow '?' is unit=NUMBER" if names == ("unit",) else f"it knows {', '.join(names)}, each once"
            )
            self._fail(f"{wrong[0]!r} cannot stand there: {allowed}")
        for key, value in given:
            getattr(self, f"_read_{key}")(value)

    def _read_unit(self, value: str) -> None:
        self.unit = self._number("the unit id", value, 0, 255)

    def _read_baudrate(self, value: str) -> None:
        self.baudrate = self._number("the baud rate", value, 50, 4_000_000)

    def _read_parity(self, value: str) -> None:
        if value.lower() not in _PARITIES:
            self._fail("the parity is N (none), E (even) or O (odd)")
        self.parity = _PARITIES[value.lower()]

    def _read_stopbits(self, value: str) -> None:
        self.stopbits = self._number("the number of stop bits", value, 1, 2)

    def _read_bytesize(self, value: str) -> None:
        if value != "8":
            self._fail("Modbus RTU has 8 data bits; Modbus ASCII, which has 7, is not spoken here")

    def _number(self, name: str, value: str, low: int, high: int) -> int:
        if not re.fullmatch(r"[0-9]{1,7}", value, re.ASCII) or not low <= int(value) <= high:
            self._fail(f"{name} is from {low} to {high}")
        return int(value)

    def _fail(self, why: str) -> NoReturn:
        raise UserError("Not a Modbus URL", where=self._text, why=why, fix=f"Write for example {EXAMPLE}")
