"""Making a connection and finding out what is at its end: line and framing of each kind of URL, the first answer, who it is."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.drivers.base import EndpointConfig
from app.drivers.modbus.bus import exchange_s, gap_s
from app.drivers.modbus.framing import Framing
from app.drivers.modbus.framing_rtu import FORGET_S, RtuFraming
from app.drivers.modbus.framing_tcp import LAST_TRANSACTION, TcpFraming
from app.drivers.modbus.guard import RequestError
from app.drivers.modbus.in_flight import IN_FLIGHT, MOST_BY_HAND, Window
from app.drivers.modbus.plan import Extent
from app.drivers.modbus.session_line import ONE_CLIENT, Line, TcpLine
from app.drivers.modbus.session_serial import SerialLine
from app.drivers.modbus.session_tls import TlsLine
from app.drivers.modbus.session_wire import Timing, Wire
from app.drivers.modbus.spec import MALFORMED_REPLY, NO_RESPONSE, NOT_CONNECTED, SPEC
from app.drivers.modbus.url import ModbusUrl
from app.errors import EndpointError

Settings = Mapping[str, bool | int | float | str]


@dataclass(frozen=True, slots=True)
class Link:
    """One connection: the wire, and what carries it."""

    url: ModbusUrl
    line: Line
    wire: Wire

    async def close(self) -> None:
        """Until the socket or port is free."""
        self.wire.close()
        await self.wire.wait_closed()

    def granted(self) -> dict[str, str]:
        """How the connection is, in words."""
        if self.url.transport == "rtu":
            return {"Serial line": self.url.serial_text}
        return {"TLS": self.line.version} if isinstance(self.line, TlsLine) else {}

    def thumbprint(self) -> str:
        return self.line.facts.thumbprint if isinstance(self.line, TlsLine) and self.line.facts is not None else ""


def timing_of(url: ModbusUrl, settings: Settings) -> Timing:
    return Timing(
        timeout_s=float(settings["timeout_s"]),
        retries=int(settings["retries"]),
        pause_s=float(settings["pause_ms"]) / 1000,
        quiet_s=float(settings["quiet_ms"]) / 1000,
        gap_s=gap_s(url) if url.transport == "rtu" else 0.0,
        exchange_s=lambda request, reply: exchange_s(url, request, reply) if url.transport == "rtu" else 0.0,
        reconnect=bool(settings["reconnect_on_timeout"]) and url.transport == "rtutcp",
    )


def new_link(url: ModbusUrl, config: EndpointConfig, settings: Settings) -> Link:
    """Not connected yet."""
    framing: Framing = TcpFraming(secrets.randbelow(LAST_TRANSACTION))
    if url.is_serial:
        echo = {"yes": True, "no": False}.get(str(settings["echo"]))
        framing = RtuFraming(echo=echo, hold=url.transport == "rtu", forget_s=max(FORGET_S, 5 * float(settings["timeout_s"])))
    line: Line
    if url.transport == "rtu":
        line = SerialLine(url)
    elif url.transport == "tls":
        line = TlsLine(url, config)
    else:
        line = TcpLine(url.host, url.port)
    return Link(url, line, Wire(line, framing, timing_of(url, settings), window_of(url, config, settings)))


def window_of(url: ModbusUrl, config: EndpointConfig, settings: Settings) -> Window:
    """One at a time where no reply says which request it is for, and where it is known that the device does not bear more."""
    by_hand, learned = int(settings["in_flight"]), config.learned.limits.get(IN_FLIGHT, MOST_BY_HAND)
    if url.is_serial or by_hand:
        return Window(1 if url.is_serial else min(by_hand, learned), timeout_s=float(settings["timeout_s"]))
    gateway = len(config.units) > 1 or float(settings["pause_ms"]) > 0
    return Window(finding_out=learned > 1 and not gateway, timeout_s=float(settings["timeout_s"]))


async def first_answer(link: Link, probes: Sequence[Extent], tries: int, deadline_s: float) -> tuple[Extent, str]:
    """Find a unit that answers one register: any reply, an exception too, proves that Modbus is spoken. Gives its probe, and a note or "".

    Raises:
        EndpointError: None answers, or what answers is no Modbus.
    """
    last = RequestError(NO_RESPONSE, "")
    for probe in probes:
        try:
            left_s = max(0.01, deadline_s - time.monotonic())
            async with asyncio.timeout(left_s):
                await link.wire.read(probe, tries=tries)
        except TimeoutError:
            break
        except RequestError as error:
            last = error
            if error.status == NO_RESPONSE:
                tries = 1
                continue
            if error.status >= 0x100:
                raise not_modbus(link, error) from error
            if error.status in (10, 11):
                return probe, f"The gateway answered, but not unit {probe.unit} behind it: {SPEC.status_text(error.status)}"
        return probe, ""
    raise no_reply(link, [probe.unit for probe in probes], last)


def no_reply(link: Link, units: Sequence[int], last: RequestError) -> EndpointError:
    asked = ", ".join(str(unit) for unit in units)
    url = link.url
    if url.transport == "rtu":
        why = f"{url.device} is open with {url.serial_text}, but a request to unit {asked} was not answered"
        fix = (
            "Check the unit id (?unit=3), then baud rate and parity, then the wires A and B (swapped on many adapters) and the "
            "termination; no other master may be on the line"
        )
    else:
        why = f"the TCP connection was accepted, but a request to unit {asked} was not answered"
        fix = (
            f"Name a unit id that exists, as in {url.scheme}://host?unit=3, or check that this port speaks {url.title}. "
            "A device that serves one client at a time keeps silent as well: close the other program (the HMI, another Modbus master)"
        )
    if last.why and "too late" in last.why:
        why += "; replies came, but too late: the time-out is too short"
    return EndpointError("No Modbus reply", where=str(url), why=why, fix=fix)


def not_modbus(link: Link, error: RequestError) -> EndpointError:
    """For what came in place of the first reply: something else, or the end of the connection."""
    url, line = link.url, link.line
    if isinstance(line, TlsLine) and error.status == NOT_CONNECTED:
        return line.ended_by_device(error.why)
    if error.status == MALFORMED_REPLY:
        fix = f"Check the port: {url.title} is usually {url.port if url.port in (502, 802) else 502}"
        if url.transport == "rtu":
            fix = "Check baud rate, parity and stop bits; another master on the line looks like this as well"
        elif url.transport == "rtutcp":
            fix = "Check the port, and whether this converter speaks Modbus TCP (modbus://) instead of RTU over TCP"
        return EndpointError(f"This is not a {url.title} device", where=str(url), why=error.why, fix=fix)
    if error.status == NOT_CONNECTED and url.transport != "rtu":
        why = f"it accepts the connection and closes it at once: it may allow only one client at a time ({error.why})"
        return EndpointError("Cannot connect", where=str(url), why=why, fix=ONE_CLIENT)
    return EndpointError("Cannot connect", where=str(url), why=error.why, fix="Check the adapter and the line, then retry")


async def product_of(link: Link, unit: int, limit_s: float) -> str:
    """Vendor, product and revision as one text; "" where the device does not say. It may have closed the connection over it."""
    try:
        async with asyncio.timeout(max(0.01, limit_s)):
            objects = await link.wire.identify(unit)
    except (RequestError, TimeoutError):
        return ""
    return " ".join(filter(None, (objects.get(key, "") for key in (0, 1, 2))))
