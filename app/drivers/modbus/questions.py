"""What can be asked of a Modbus endpoint beyond what every endpoint answers. Plain structs: both ends of the pipe know them.

None of these writes, and none is asked unless a person starts it: a read may have effects too (a counter that resets, a register that
hangs the device). Scans send one request at a time with a pause after each, tell every step, and stop when their task is cancelled.
"""

from __future__ import annotations

from typing import ClassVar, Final

from app.drivers.base import Wire
from app.drivers.questions import Anywhere, Progress, Question

PAUSE_MS: Final = 50
"""Between two requests of a scan, unless told otherwise: at most 20 requests a second, fewer than a slow poll of most masters."""


class RawReply(Wire, frozen=True, kw_only=True):
    """What came back.

    Attributes:
        request, text: What was asked and what came, each in one line.
        reply: The PDU, function first; of an exception function + 0x80 and its code.
        status: 0, or the exception code.
    """

    request: str
    reply: bytes
    text: str
    round_trip_s: float
    status: int = 0


class RawRequest(Question, frozen=True, kw_only=True, tag="modbus.raw"):
    """Send one request as it stands, function first. Refused before it is sent unless its function only reads."""

    ANSWERS: ClassVar = RawReply
    unit: int
    pdu: bytes


class IdentifiedObject(Wire, frozen=True, kw_only=True):
    """``raw`` is what came; ``text`` hex where it is no text. ``category`` is basic, regular or extended (Modbus V1.1b3 §6.21)."""

    id: int
    name: str
    text: str
    raw: bytes
    category: str


class Identification(Wire, frozen=True, kw_only=True):
    """``conformity`` is what the device says it can: 1 basic, 2 regular, 3 extended; + 0x80 also one by one. ``note``: what went wrong."""

    objects: tuple[IdentifiedObject, ...] = ()
    conformity: int = 0
    note: str = ""


class Identify(Question, frozen=True, kw_only=True, tag="modbus.identify"):
    """Every object of the device identification (43/14)."""

    ANSWERS: ClassVar = Identification
    unit: int


# --- scans ------------------------------------------------------------------------------------------------------------


class UnitRow(Wire, frozen=True, kw_only=True, tag="unit"):
    """One unit id. Any reply proves that it is there, an exception too, unless it is the gateway's own (10, 11)."""

    unit: int
    there: bool
    asked: str
    came: str
    status: int = 0
    round_trip_s: float = 0.0


class ScanEnd(Wire, frozen=True, kw_only=True, tag="end"):
    """How a scan ended; always its last answer unless it was cancelled.

    Attributes:
        requests: How many were sent.
        stopped: Why it ended before its time; "" when it is complete.
        refused: Ranges that the device refused with exception 2, 3 or 4, as the setting ``forbidden`` has them.
        silent: Ranges after which the device did not answer. Both belong into ``forbidden``; these above all.
    """

    requests: int
    stopped: str = ""
    refused: str = ""
    silent: str = ""


class ScanUnits(Question, frozen=True, kw_only=True, tag="modbus.scan_units"):
    """Which unit ids answer. ``address`` is what each is asked for, one register or bit of any table."""

    ANSWERS: ClassVar = UnitRow | Progress | ScanEnd
    first: int = 1
    last: int = 247
    address: str = "holding:0"
    pause_ms: int = PAUSE_MS


class RangeRow(Wire, frozen=True, kw_only=True, tag="range"):
    """Registers (or bits) of which one thing is known: they answered, with ``words``, or they did not, with ``status`` and why."""

    address: int
    length: int
    came: str
    words: tuple[int, ...] = ()
    status: int = 0


class ScanRegisters(Question, frozen=True, kw_only=True, tag="modbus.scan_registers"):
    """Which registers of a table there are.

    Refused blocks are halved until what is there is known. ``thorough`` goes down to single registers everywhere; without it, a refused
    block of more than 8 is asked for at five places, and given up when all are refused.

    Attributes:
        first, last: Both belong to the scan.
        block: Registers (or bits) of one request.
        skip: Ranges that are not touched, beside those of the endpoint's own setting ``forbidden``.
    """

    ANSWERS: ClassVar = RangeRow | Progress | ScanEnd
    unit: int
    table: str = "holding"
    first: int = 0
    last: int = 999
    block: int = 50
    pause_ms: int = PAUSE_MS
    skip: str = ""
    thorough: bool = True


class SerialRow(Wire, frozen=True, kw_only=True, tag="serial"):
    """One set of serial parameters with one unit. ``url`` is the endpoint's, where it answered."""

    baudrate: int
    parity: str
    stopbits: int
    unit: int
    there: bool
    came: str
    url: str = ""


class ScanSerial(Anywhere, frozen=True, kw_only=True, tag="modbus.scan_serial"):
    """With which parameters something answers on a serial port. Parameters before units: all units are asked with one setting of the port.

    Stops at the first answer unless ``all`` is set.
    """

    ANSWERS: ClassVar = SerialRow | Progress | ScanEnd
    ANSWERED_BY: ClassVar[str] = "app.drivers.modbus.session_serial_scan"
    port: str
    baudrates: tuple[int, ...] = (19200, 9600, 38400, 57600, 115200, 4800)
    parities: tuple[str, ...] = ("E", "N", "O")
    units: tuple[int, ...] = (1,)
    reply_s: float = 0.5
    pause_ms: int = PAUSE_MS
    all: bool = False
    timeout_s: float = 600.0


# --- SunSpec ----------------------------------------------------------------------------------------------------------


class SunSpecModel(Wire, frozen=True, kw_only=True):
    """One model of the chain: its id stands at ``address``, its ``length`` behind that, its points from ``address + 2`` on."""

    id: int
    address: int
    length: int
    name: str = ""


class SunSpecDevice(Wire, frozen=True, kw_only=True, tag="sunspec"):
    """What was found.

    Attributes:
        base: Address of the marker; -1 where there is none, and ``note`` says what was tried.
        models: In the order of the device.
        scale_factors: Address of a scale factor register → its value; those that say "not implemented" are missing.
        absent: Addresses of points that say "not implemented".
        maker, model, version, serial: Of model 1.
    """

    base: int
    table: str = "holding"
    models: tuple[SunSpecModel, ...] = ()
    scale_factors: dict[int, int] = {}  # noqa: RUF012  msgspec copies empty defaults
    absent: tuple[int, ...] = ()
    maker: str = ""
    model: str = ""
    version: str = ""
    serial: str = ""
    note: str = ""


class SunSpec(Question, frozen=True, kw_only=True, tag="modbus.sunspec"):
    """Whether the unit follows SunSpec, and which models it has."""

    ANSWERS: ClassVar = SunSpecDevice | Progress
    unit: int
    pause_ms: int = PAUSE_MS


QUESTIONS: Final = (RawRequest, Identify, ScanUnits, ScanRegisters, ScanSerial, SunSpec)
