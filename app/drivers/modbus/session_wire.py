"""One TCP connection to a Modbus device through pymodbus: every reply checked, one request at a time, on the connector's event loop."""

from __future__ import annotations

import asyncio
import errno
import logging
import re
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.bit_message import ReadCoilsRequest, ReadDiscreteInputsRequest
from pymodbus.pdu.mei_message import ReadDeviceInformationRequest
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest, ReadInputRegistersRequest

from app.drivers.modbus.address import BIT_TABLES
from app.drivers.modbus.guard import FrameGuard, RequestError
from app.drivers.modbus.plan import Extent
from app.drivers.modbus.registers import Words
from app.drivers.modbus.spec import MALFORMED_REPLY, NO_RESPONSE, NOT_CONNECTED
from app.errors import EndpointError

# It logs every lost reply as an error. We count and report those ourselves; a dead unit behind a gateway is no news every second.
logging.getLogger("pymodbus").setLevel(logging.CRITICAL)

_REQUESTS: Final[dict[str, type[ModbusPDU]]] = {
    "coil": ReadCoilsRequest,
    "discrete": ReadDiscreteInputsRequest,
    "input": ReadInputRegistersRequest,
    "holding": ReadHoldingRegistersRequest,
}
_NEVER: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Timing:
    timeout_s: float = 1.0
    retries: int = 1
    pause_s: float = 0.0


class Wire:
    """Thrown away with its session; never reconnects by itself.

    Attributes:
        lost: Set when the connection is gone; ``why_lost`` says why.
        valid_at_s: Monotonic time of the last right reply (an exception reply is one). ``heard_at_s`` of the last bytes at all.
        round_trip_s: Smoothed over the last replies.
        last_fault: Last sentence about a malformed reply, "" when there was none.
    """

    def __init__(self, host: str, port: int, timing: Timing, on_lost: Callable[[], None] = lambda: None) -> None:
        self._host, self._port, self._timing, self._on_lost = host, port, timing, on_lost
        self._guard = FrameGuard(self._on_malformed, self._on_garbage)
        self._turn = asyncio.Lock()
        self._in_flight = False
        self._free_at_s = 0.0
        self._client = AsyncModbusTcpClient(
            host,
            port=port,
            reconnect_delay=0,  # the supervisor reconnects, with a new session
            timeout=timing.timeout_s,
            retries=0,  # ours carry a new transaction id each, so that a late reply is known as one
            trace_packet=self._on_packet,
            trace_connect=self._on_connect,
        )
        self._client.set_max_no_responses(_NEVER)  # a silent unit must not cost the other units of a gateway their connection
        self._client.ctx.max_buffer_size = 4096  # 264 would drop a late reply and the right one together when they come in one segment
        self.lost = asyncio.Event()
        self.why_lost = ""
        self.heard_at_s = self.valid_at_s = time.monotonic()
        self.round_trip_s = 0.0
        self.last_fault = ""

    @property
    def late_replies(self) -> int:
        return self._guard.late

    async def connect(self, timeout_s: float) -> None:
        """Make the TCP connection.

        Raises:
            EndpointError: Refused, unknown host, no route, time-out.
        """
        where = f"{self._host}:{self._port}"
        try:
            # Not client.connect(): that one logs the OSError and returns False, and the person would not learn what failed.
            await asyncio.wait_for(self._client.ctx.call_create(), timeout_s)
        except TimeoutError as error:
            why = f"no answer to the TCP connection within {timeout_s:g} s"
            fix = "Check the address, the cable and any firewall in between"
            raise EndpointError("Cannot connect", where=where, why=why, fix=fix) from error
        except OSError as error:
            why, fix = _why_not_connected(error)
            raise EndpointError("Cannot connect", where=where, why=why, fix=fix) from error
        self.heard_at_s = self.valid_at_s = time.monotonic()

    def close(self) -> None:
        """Safe twice and before ``connect``."""
        self._client.close()

    async def read(self, extent: Extent, *, tries: int | None = None) -> Words:
        """Registers as uint16, bits as 0 and 1; as many as were asked for.

        Raises:
            RequestError: The device refused, did not answer, answered something else, or is gone.
        """
        request = _REQUESTS[extent.table](dev_id=extent.unit, address=extent.address, count=extent.length)
        reply = await self._ask(request, self._timing.retries + 1 if tries is None else tries)
        values = reply.bits[: extent.length] if extent.table in BIT_TABLES else reply.registers
        if len(values) != extent.length:
            raise RequestError(MALFORMED_REPLY, f"{extent.length} values were asked for, {len(values)} came")
        return np.array(values, np.uint16)

    async def identify(self, unit: int) -> dict[int, str]:
        """Objects of the basic device identification (43/14): 0 vendor, 1 product code, 2 revision.

        Raises:
            RequestError: As ``read``; many devices refuse with IllegalFunction.
        """
        reply = await self._ask(ReadDeviceInformationRequest(read_code=1, object_id=0, dev_id=unit), 1)
        information: dict[int, Any] = getattr(reply, "information", {})  # pymodbus: bytes, or a list of them for a repeated object
        return {key: value.decode("utf-8", "replace").strip("\0 ") for key, value in information.items() if isinstance(value, bytes)}

    async def _ask(self, request: ModbusPDU, tries: int) -> ModbusPDU:
        async with self._turn:
            await asyncio.sleep(max(0.0, self._free_at_s - time.monotonic()))
            failure = RequestError(NO_RESPONSE, "")
            for _ in range(tries):
                try:
                    return await self._ask_once(request)
                except RequestError as error:
                    failure = error
                    if error.status != NO_RESPONSE:
                        break
                finally:
                    self._free_at_s = time.monotonic() + self._timing.pause_s
            raise failure

    async def _ask_once(self, request: ModbusPDU) -> ModbusPDU:
        if self.lost.is_set() or not self._client.connected:
            raise RequestError(NOT_CONNECTED, self.why_lost or "the connection is closed")
        late = self._guard.late
        started_s = time.monotonic()
        self._in_flight = True
        try:
            # Inside try: pymodbus raises ConnectionException from the call itself when the transport is gone.
            reply: ModbusPDU = await self._client.execute(False, request)
        except ModbusException as error:
            if self.lost.is_set():
                raise RequestError(NOT_CONNECTED, self.why_lost) from error
            came = "; a reply to an earlier request came, too late" if self._guard.late > late else ""
            raise RequestError(NO_RESPONSE, f"no reply within {self._timing.timeout_s:g} s{came}") from error
        finally:
            self._in_flight = False
            self._guard.forget()
            if self._guard.cut_off and not self.lost.is_set():
                self._on_garbage("the device stopped in the middle of a reply")
        self.valid_at_s = time.monotonic()
        taken_s = self.valid_at_s - started_s
        self.round_trip_s = taken_s if not self.round_trip_s else 0.8 * self.round_trip_s + 0.2 * taken_s
        if reply.isError():
            raise RequestError(reply.exception_code, f"the device answered with exception {reply.exception_code}")
        return reply

    # --- called by pymodbus, from inside its protocol callbacks: they must not raise --------------------------------------

    def _on_packet(self, sending: bool, data: bytes) -> bytes:
        if not sending:
            self.heard_at_s = time.monotonic()
        return self._guard(sending, data)

    def _on_malformed(self, why: str) -> None:
        self.last_fault = why
        self._fail_waiting(RequestError(MALFORMED_REPLY, why))

    def _on_garbage(self, why: str) -> None:
        self.last_fault = why
        self._lose(why, RequestError(MALFORMED_REPLY, why))
        self._client.close()

    def _on_connect(self, connected: bool) -> None:
        if not connected:
            why = "the device closed the connection"
            self._lose(why, RequestError(NOT_CONNECTED, why))

    def _lose(self, why: str, failure: RequestError) -> None:
        if not self.lost.is_set():
            self.why_lost = why
            self.lost.set()
            self._fail_waiting(failure)
            self._on_lost()

    def _fail_waiting(self, failure: RequestError) -> None:
        """End the wait of the request in flight at once; pymodbus itself would wait for the time-out."""
        waiting = self._client.ctx.response_future
        if self._in_flight and not waiting.done():
            waiting.set_exception(failure)


def _why_not_connected(error: OSError) -> tuple[str, str]:
    """Cause and remedy. asyncio joins the errors of a name with several addresses into one text, so the numbers are read from there too."""
    if isinstance(error, socket.gaierror):
        return "no address is known for this host name", "Write the IP address, or check the name"
    numbers = {error.errno, *(int(number) for number in re.findall(r"\[Errno (\d+)\]", str(error)))}
    if isinstance(error, ConnectionRefusedError) or errno.ECONNREFUSED in numbers:
        return (
            "connection refused: nothing listens on this port",
            "Check the port (Modbus TCP is 502) and whether the device allows Modbus TCP",
        )
    if numbers & {errno.EHOSTUNREACH, errno.ENETUNREACH}:
        return "no route to this address", "Check the address, the network cable and the VPN"
    return error.strerror or str(error), "Check the address and the network"
