"""What is known of Modbus without its library: URLs, addresses, settings, exception and own status codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from app.drivers.base import EndpointConfig, EndpointReport, Load, SettingField, WatchItem
from app.drivers.modbus.address import BIT_TABLES, NOTATION_TITLES, in_notation, parse, point_in_notation, with_type
from app.drivers.modbus.types import about_type
from app.drivers.modbus.url import TRANSPORTS, ModbusUrl

# Own codes stand above every one-byte exception code. They are part of the documented form of a status and never change.
NO_RESPONSE: Final = 0x100
MALFORMED_REPLY: Final = 0x101
NOT_CONNECTED: Final = 0x102
BAD_ADDRESS: Final = 0x103
INVALID_CONTENT: Final = 0x110
"""The registers were read, and hold no value of the item's type: a BCD digit above 9, a date that does not exist."""
FORBIDDEN_RANGE: Final = 0x111
"""Not asked: the setting ``forbidden`` of the endpoint excludes these registers."""
NOT_IN_SNAPSHOT: Final = 0x112
"""Of a snapshot: these registers were not read for it."""

TORN_VALUE: Final = 0x113
"""Reads of a wide item in succession disagree in the way of one that is read while the device changes it (``torn``)."""

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
    INVALID_CONTENT: "InvalidContent",
    FORBIDDEN_RANGE: "ForbiddenRange",
    NOT_IN_SNAPSHOT: "NotInSnapshot",
    TORN_VALUE: "TornValue",
}


class ModbusSpec:
    key = "modbus"
    title = "Modbus"
    schemes: tuple[str, ...] = tuple(TRANSPORTS)
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
            name="in_flight", title="Requests in flight", kind="int", default=0, low=0, high=16,
            help="Modbus TCP: how many requests may be under way at once. 0 finds out what the device bears, beginning with one, and stays "
            "at one where several units share the connection. RTU has one at a time always.",
        ),
        SettingField(
            name="confirm", title="Confirm suspicious values", kind="bool", default=True,
            help="A 32 or 64 bit value that jumps as one does that was read while the device changed it is read again at once; "
            "only what two reads agree on counts.",
        ),
        SettingField(
            name="quiet_ms", title="Quiet time after a lost reply", kind="int", default=0, low=0, high=60000, unit="ms",
            help="RTU and RTU over TCP: how long nothing may come before the next request, so that a late reply is never taken for "
            "another one. 0 is as long as the time-out.",
        ),
        SettingField(
            name="echo", title="Adapter repeats what is sent", kind="choice", default="detect", choices=("detect", "yes", "no"),
            help="RTU and RTU over TCP: many two-wire RS-485 adapters give back every request. Usually found out by itself.",
        ),
        SettingField(
            name="reconnect_on_timeout", title="Reconnect after a lost reply", kind="bool", default=False,
            help="RTU over TCP, for converters that deliver replies very late: the connection is made anew instead of waiting for quiet.",
        ),
        SettingField(
            name="ask_identity", title="Ask for device identification", kind="bool", default=True,
            help="Function 43/14, once after connecting. Switch off for a device that misbehaves when asked.",
        ),
        SettingField(
            name="forbidden", title="Forbidden registers", kind="text", default="",
            help="Never read, not even in passing: 3/holding:100-110, input:5. Scans fill this in.",
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
        return parse(address).value_type

    def status_text(self, status: int) -> str:
        """``Good (0)``, ``IllegalDataAddress (2)``, ``NoResponse (0x100)``; an unknown exception code is ``Exception (77)``."""
        name = STATUS_NAMES.get(status, "Exception" if status < 0x100 else "Unknown")
        return f"{name} ({status})" if status < 0x100 else f"{name} (0x{status:X})"

    notations: Mapping[str, str] = NOTATION_TITLES

    def in_notation(self, address: str, notation: str) -> str:
        return point_in_notation(parse(address), notation)

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
            bits = f"{item.bit}" if item.last_bit is None else f"{item.bit} to {item.last_bit}, as a number"
            rows["Bit"] = f"{bits} (0 is the least significant)"
        rows["Type"] = item.type_text
        if about := about_type(item.type, item.padding):
            rows["Form"] = about
        if item.table not in BIT_TABLES:
            rows["Order"] = item.order or "as the unit's default"
            rows["Registers"] = str(item.count)
        return rows

    def load_of(self, config: EndpointConfig, items: Sequence[WatchItem], report: EndpointReport | None) -> Load:
        from app.drivers.modbus.load import load_of  # with the planner, which nothing else here needs

        return load_of(config, self.settings, items, report)


SPEC = ModbusSpec()
