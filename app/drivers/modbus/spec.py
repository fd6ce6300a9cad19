"""What is known of Modbus without its library: URLs, addresses, settings, exception and own status codes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, NoReturn
from urllib.parse import parse_qsl, urlsplit

from app.drivers.base import SettingField
from app.drivers.modbus.address import BIT_TABLES, in_notation, parse, with_type
from app.errors import UserError

DEFAULT_UNIT: Final = 1

# Own codes stand above every one-byte exception code. They are part of the documented form of a status and never change.
NO_RESPONSE: Final = 0x100
MALFORMED_REPLY: Final = 0x101
NOT_CONNECTED: Final = 0x102
BAD_ADDRESS: Final = 0x103

STATUS_NAMES: Final[dict[int, str]] = {
    0: "Good",
    # Modbus V1.1b3 §7
    1: "IllegalFunction",
    2: "IllegalDataAddress",
    3: "IllegalDataValue",
    4: "ServerDeviceFailure",
    5: "Acknowledge",
    6: "ServerDeviceBusy",
    7: "NegativeAcknowledge",
    8: "MemoryParityError",
    10: "GatewayPathUnavailable",
    11: "GatewayTargetDeviceFailedToRespond",
    NO_RESPONSE: "NoResponse",
    MALFORMED_REPLY: "MalformedReply",
    NOT_CONNECTED: "NotConnected",
    BAD_ADDRESS: "BadAddress",
}

_LATER: Final = ("modbus-tls", "modbus-rtu", "modbus-rtutcp")
_EXAMPLE: Final = "modbus://192.168.0.10, modbus://plc7:1502 or modbus://gateway?unit=3"
_HOST: Final = re.compile(r"[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}(%[A-Za-z0-9._-]+)?\]", re.ASCII)


class ModbusUrl:
    """A parsed endpoint URL: ``modbus://host[:port][?unit=1]``. ``host`` is without the brackets of an IPv6 address."""

    def __init__(self, text: str) -> None:
        self._text = text.strip()
        scheme, colon, rest = self._text.partition(":")
        if colon and scheme.lower() in _LATER:
            raise UserError(
                "This kind of Modbus connection is not supported yet",
                where=self._text,
                why=f"{scheme.lower()} comes with a later version; this one speaks Modbus TCP",
                fix="Use modbus://host[:port], for a serial line through a Modbus TCP gateway",
            )
        if scheme.lower() != "modbus" or not rest.startswith("//"):
            self._fail("it does not begin with modbus://")
        self._split()

    def _split(self) -> None:
        try:
            parts = urlsplit(self._text)
            port = parts.port
        except ValueError as error:
            self._fail(str(error))
        if parts.username is not None or parts.password is not None:
            self._fail("Modbus TCP knows no user and no password")
        if parts.path not in ("", "/") or parts.fragment:
            self._fail("only host, port and ?unit= may follow modbus://")
        place = parts.netloc.rpartition("]")[0] + "]" if "]" in parts.netloc else parts.netloc.partition(":")[0]
        if not _HOST.fullmatch(place):
            self._fail("the host name or IP address is missing or not one")
        if port == 0:
            self._fail("the port is from 1 to 65535")
        self._place = place.lower()
        self.host = self._place.strip("[]")
        self.port = 502 if port is None else port
        self.unit = self._unit(parts.query)

    def _unit(self, query: str) -> int:
        try:
            given = parse_qsl(query, keep_blank_values=True, strict_parsing=True) if query else []
        except ValueError as error:
            self._fail(str(error))
        if not given:
            return DEFAULT_UNIT
        if [key for key, _ in given] != ["unit"]:
            self._fail("the only thing that may follow '?' is unit=NUMBER")
        value = given[0][1]
        if not re.fullmatch(r"[0-9]{1,3}", value, re.ASCII) or int(value) > 255:
            self._fail("the unit id is from 0 to 255")
        return int(value)

    def __str__(self) -> str:
        """Canonical: port 502 and unit 1 are left out."""
        port = "" if self.port == 502 else f":{self.port}"
        unit = "" if self.unit == DEFAULT_UNIT else f"?unit={self.unit}"
        return f"modbus://{self._place}{port}{unit}"

    def _fail(self, why: str) -> NoReturn:
        raise UserError("Not a Modbus URL", where=self._text, why=why, fix=f"Write for example {_EXAMPLE}")


class ModbusSpec:
    key = "modbus"
    title = "Modbus"
    schemes: tuple[str, ...] = ("modbus",)
    default_port = 502
    source_times = False
    polls = True
    settings: tuple[SettingField, ...] = (
        SettingField(
            name="timeout_s", title="Time-out", kind="float", default=1.0, low=0.05, high=60.0, unit="s",
            help="How long a reply may take. Gateways to serial lines need 1 s and more.",
        ),
        SettingField(
            name="retries", title="Retries", kind="int", default=1, low=0, high=10,
            help="How often a read without a reply is sent again.",
        ),
        SettingField(
            name="max_registers", title="Registers per request", kind="int", default=125, low=1, high=125,
            help="Some devices accept fewer than the 125 of the standard. A longer item is asked for in one request all the same.",
        ),
        SettingField(
            name="max_bits", title="Bits per request", kind="int", default=2000, low=1, high=2000,
            help="For coils and discrete inputs.",
        ),
        SettingField(
            name="gap", title="Bridged gap", kind="int", default=10, low=0, high=124,
            help="Unused registers (times 16 for bits) that are read along so that two items share a request. 0 reads nothing unasked.",
        ),
        SettingField(
            name="pause_ms", title="Pause between requests", kind="int", default=0, low=0, high=10000, unit="ms",
            help="For devices that drop requests which follow too fast.",
        ),
        SettingField(
            name="ask_identity", title="Ask for device identification", kind="bool", default=True,
            help="Function 43/14, once after connecting. Switch off for a device that misbehaves when asked.",
        ),
    )  # fmt: skip

    def parse_url(self, text: str) -> str:
        return str(ModbusUrl(text))

    def parse_address(self, text: str, *, namespaces: Sequence[str] = (), notation: str = "") -> str:
        del namespaces  # an OPC UA matter
        return str(parse(text, notation))

    def with_type(self, address: str, type_: str, order: str, *, notation: str = "") -> str:
        return str(with_type(address, type_, order, notation))

    def type_of(self, address: str) -> str:
        return parse(address).type

    def status_text(self, status: int) -> str:
        """``Good (0)``, ``IllegalDataAddress (2)``, ``NoResponse (0x100)``; an unknown exception code is ``Exception (77)``."""
        name = STATUS_NAMES.get(status, "Exception" if status < 0x100 else "Unknown")
        return f"{name} ({status})" if status < 0x100 else f"{name} (0x{status:X})"

    def short_address(self, address: str) -> str:
        return parse(address).point

    def describe(self, address: str) -> Mapping[str, str]:
        item = parse(address)
        rows = {
            "Unit id": "as the endpoint's URL says" if item.unit is None else str(item.unit),
            "Table": item.table,
            "Address (zero-based)": str(item.address),
            "Address (Modicon)": in_notation(item, "modicon").rpartition("/")[2].partition(":")[0].partition(".")[0],
            "Address (hex)": f"0x{item.address:04X}",
        }
        if item.bit is not None:
            rows["Bit"] = f"{item.bit} (0 is the least significant)"
        rows["Type"] = item.type_text
        if item.table not in BIT_TABLES:
            rows["Order"] = item.order or "as the unit's default"
            rows["Registers"] = str(item.count)
        return rows


SPEC = ModbusSpec()
