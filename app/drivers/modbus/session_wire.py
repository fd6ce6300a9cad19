"""One connection to Modbus devices: every reply checked, as many requests at once as the device bears, on the connector's event loop.

A request waits for its turn in the order in which it was asked for, so that whoever asks much does not keep out whoever asks little.

Where several are in flight (``in_flight``), nothing but a right reply is believed of one of them: a refusal, a wrong reply and none at all
may be meant for another, so the request is made again by itself. After a reply that is missing or wrong nothing is asked until nothing
has come for the quiet time, as on a serial line.
"""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from app.drivers.base import Exchange
from app.drivers.modbus.address import BIT_TABLES
from app.drivers.modbus.framing import Arrival, Framing
from app.drivers.modbus.guard import DEVICE_IDENTIFICATION, IDENTIFICATION_TYPE, RequestError, check, identification_objects, reply_size
from app.drivers.modbus.in_flight import Window
from app.drivers.modbus.plan import Extent
from app.drivers.modbus.registers import Words
from app.drivers.modbus.session_line import Line
from app.drivers.modbus.spec import MALFORMED_REPLY, NO_RESPONSE, NOT_CONNECTED
from app.drivers.modbus.turns import Turns
from app.drivers.modbus.wire_text import bytes_text, reply_text, request_text

FUNCTION_OF: Final = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}
_READ: Final = struct.Struct(">BHH")
RESTLESS_S: Final = 2.0
"""A line on which bytes keep coming for so long, and for three quiet times, though nothing is asked, is given up."""
HOLD_S: Final = 0.05
"""In which the rest of a frame that has begun comes through a network (see ``framing_tcp``)."""
MOST_IDENTIFICATIONS: Final = 8
"""Requests for one device identification, which may come in parts."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Waits of one line.

    Attributes:
        timeout_s: For the first byte of a reply; what the line itself needs for request and reply (``exchange_s``) comes on top.
        quiet_s: Of a serial line: nothing may have come for so long after a request was given up; 0 is as long as the time-out.
        gap_s: Of a serial port: silence that ends a frame. 0 where times mean nothing.
        exchange_s: Characters of a request and of its reply → time on a serial port.
        reconnect: Whether a lost reply ends the connection (RTU over TCP).
    """

    timeout_s: float = 1.0
    retries: int = 1
    pause_s: float = 0.0
    quiet_s: float = 0.0
    gap_s: float = 0.0
    exchange_s: Callable[[int, int], float] = lambda request, reply: 0.0  # a network's is not known
    reconnect: bool = False


@dataclass(slots=True, eq=False)
class Sent:
    """A request on the wire.

    Attributes:
        number: Of all requests of the connection, in the order in which they were sent.
        at_s, until_s: When it was sent (``time.monotonic``), and when it is given up (the loop's time); ``limit_s`` lies between.
        in_flight: How many were, with this one, when it was sent.
        late: Late replies that had come until then.
        shared: Whether others were in flight with it at any time.
    """

    unit: int
    pdu: bytes
    number: int
    at_s: float
    limit_s: float
    until_s: float
    in_flight: int
    late: int
    reply: asyncio.Future[bytes]
    shared: bool = False


class Wire:
    """Thrown away with its session; never reconnects by itself.

    Attributes:
        lost: Set when the connection is gone; ``why_lost`` says why.
        valid_at_s: Monotonic time of the last right reply (an exception reply is one). ``heard_at_s`` of the last bytes at all.
        round_trip_s: Smoothed over the last replies.
        last_fault: Last sentence about a malformed reply, "" when there was none.
        late_replies: That came after their request was given up.
        excluded: Whether an extent holds registers that are never read; asked only for what the wire reads on its own account.
        told: Called with everything that goes over the wire, while somebody wants to know.
        window: How many requests may be in flight, and what was found out about that.
        turns: Whose request goes next.
        requests: How many were sent.
    """

    def __init__(self, line: Line, framing: Framing, timing: Timing, window: Window | None = None) -> None:
        self._line, self._framing, self._timing = line, framing, timing
        self.window = window or Window()
        self.turns = Turns(self.window)
        self._sent: dict[int, Sent] = {}
        self.requests = self._answered_number = 0
        self._free_at_s = 0.0
        self._given_up_at_s: float | None = None
        self._silence: asyncio.TimerHandle | None = None
        self._expiry: asyncio.TimerHandle | None = None
        self.lost = asyncio.Event()
        self.why_lost = ""
        self.heard_at_s = self.valid_at_s = time.monotonic()
        self.round_trip_s = 0.0
        self.last_fault = ""
        self.late_replies = 0
        self.told: Callable[[Exchange], None] | None = None
        self.excluded: Callable[[Extent], bool] = lambda extent: False
        line.listen(self._on_bytes, self._on_closed)

    async def connect(self, timeout_s: float) -> None:
        """Connect, or open the port.

        Raises:
            EndpointError: Why not: refused, unknown host, no such port, no certificate that is accepted.
        """
        await self._line.open(timeout_s)
        self.heard_at_s = self.valid_at_s = time.monotonic()

    def close(self) -> None:
        """Safe twice and before ``connect``. The socket or port is free after ``wait_closed``."""
        for timer in (self._silence, self._expiry):
            if timer is not None:
                timer.cancel()
        self._line.close()
        if not self.lost.is_set():
            self._lose("the connection was closed", RequestError(NOT_CONNECTED, "the connection was closed"))

    async def wait_closed(self) -> None:
        await self._line.wait_closed()

    # --- asking -----------------------------------------------------------------------------------------------------------

    async def read(self, extent: Extent, *, tries: int | None = None) -> Words:
        """Registers as uint16, bits as 0 and 1; as many as were asked for.

        Raises:
            RequestError: The device refused, did not answer, answered something else, or is gone.
        """
        reply = await self._ask(extent.unit, request_for(extent), self._timing.retries + 1 if tries is None else tries)
        if extent.table in BIT_TABLES:
            return np.unpackbits(np.frombuffer(reply, np.uint8, offset=2), count=extent.length, bitorder="little").astype(np.uint16)
        return np.frombuffer(reply, ">u2", offset=2).astype(np.uint16)

    async def raw(self, unit: int, pdu: bytes, *, tries: int = 1) -> bytes:
        """Any request that only reads (``guard.forbidden`` says which), as function code and data; the checked reply in the same form.

        Raises:
            RequestError: As ``read``; ``status`` of an exception reply is its code.
            ForbiddenFunctionError: The request is not a read. Nothing is sent.
        """
        return await self._ask(unit, pdu, tries)

    async def identify(self, unit: int, code: int = 1) -> dict[int, str]:
        """Objects of the device identification (43/14): 0 vendor, 1 product code, 2 revision; with code 2 and 3 those above.

        Raises:
            RequestError: As ``read``; many devices refuse with IllegalFunction.
        """
        found: dict[int, bytes] = {}
        wanted = 0
        for _ in range(MOST_IDENTIFICATIONS):
            reply = await self._ask(unit, bytes((DEVICE_IDENTIFICATION, IDENTIFICATION_TYPE, code, wanted)), 1)
            found.update(identification_objects(reply))
            more, next_one = reply[4], reply[5]
            if more != 0xFF or next_one <= wanted:
                break
            wanted = next_one
        return {key: value.decode("utf-8", "replace").strip("\0 ") for key, value in found.items()}

    async def _ask(self, unit: int, pdu: bytes, tries: int) -> bytes:
        check(pdu)
        self.window.asks(unit)
        shape = (unit, pdu[0], reply_size(pdu))
        failure: RequestError | None = None
        alone = False
        while tries:
            await self.turns.take(shape, alone=alone, first=failure is not None)
            try:
                await self._until_free()
                if self._framing.serial:
                    await self._past_doubt(unit, pdu)
                return await self._ask_once(unit, pdu)
            except RequestError as error:
                failure = error
                if error.shared and not self.lost.is_set():
                    alone = True
                    continue
                if error.status != NO_RESPONSE and not (error.status == MALFORMED_REPLY and self._framing.serial):
                    break
                tries -= 1
            finally:
                self._free_at_s = time.monotonic() + self._timing.pause_s
                self.turns.give_back(shape)
        raise failure or RequestError(NO_RESPONSE, "")

    async def _until_free(self) -> None:
        """The pause between requests, the gap between frames, and after a lost reply a line on which nothing comes any more."""
        quiet_s = self._timing.quiet_s or self._timing.timeout_s
        since_s = time.monotonic()
        while not self.lost.is_set():
            now_s = time.monotonic()
            free_s = max(self._free_at_s, self.heard_at_s + self._timing.gap_s if self._timing.gap_s else 0.0)
            if self._given_up_at_s is not None:
                if now_s - since_s > max(RESTLESS_S, 3 * quiet_s):
                    self._lose_restless()
                    return
                free_s = max(free_s, self._given_up_at_s + quiet_s, self.heard_at_s + quiet_s)
            if now_s >= free_s:
                self._given_up_at_s = None
                return
            await asyncio.sleep(free_s - now_s)

    async def _past_doubt(self, unit: int, pdu: bytes) -> None:
        """Be sure that no reply to an older request can be taken for the one to this."""
        fences = self._framing.fences(unit, pdu, time.monotonic())
        if fences is None:
            return
        fence = next((one for one in fences if not self.excluded(extent_of(unit, one))), None)
        if fence is None:
            why = "too many replies are missing: a late one could be taken for this one's, so it was not asked for"
            raise RequestError(NO_RESPONSE, why, asked=False)
        try:
            await self._ask_once(unit, fence)
        except RequestError as error:
            if error.status >= 0x100:
                raise
            # An exception reply does not tell which request it is for, so that nothing may follow it.
            self._given_up_at_s = time.monotonic()
        await self._until_free()
        self._framing.passed(unit)

    async def _ask_once(self, unit: int, pdu: bytes) -> bytes:
        if self.lost.is_set():
            raise RequestError(NOT_CONNECTED, self.why_lost or "the connection is closed")
        now_s = time.monotonic()
        frame = self._framing.request(unit, pdu, now_s)
        key = self._framing.latest
        self.requests += 1
        limit_s = self._timing.timeout_s + self._timing.exchange_s(len(frame), _longest_reply(pdu))
        loop = asyncio.get_running_loop()
        sent = Sent(
            unit, pdu, self.requests, now_s, limit_s, loop.time() + limit_s, len(self._sent) + 1, self.late_replies, loop.create_future()
        )
        self._sent[key] = sent
        if sent.in_flight > 1:
            for one in self._sent.values():
                one.shared = True
        try:
            self._send(sent, frame)
            reply = await sent.reply
        except RequestError as error:
            error.shared = sent.shared
            raise
        finally:
            del self._sent[key]
            if not sent.reply.done() or sent.reply.cancelled() or sent.reply.exception() is not None:
                self._give_up(key, sent.shared)
        taken_s = self.valid_at_s - sent.at_s
        self.round_trip_s = taken_s if not self.round_trip_s else 0.8 * self.round_trip_s + 0.2 * taken_s
        self.window.answered(sent.in_flight, taken_s)
        if reply[0] & 0x80:
            refused = RequestError(reply[1], f"the device answered with exception {reply[1]}")
            refused.shared = sent.shared
            raise refused
        return reply

    def _send(self, sent: Sent, frame: bytes) -> None:
        if self.told is not None:
            self._tell(True, frame, lambda: request_text(sent.unit, sent.pdu))
        self._line.write(frame)
        loop = asyncio.get_running_loop()
        if self._expiry is None or sent.until_s < self._expiry.when():
            if self._expiry is not None:
                self._expiry.cancel()
            self._expiry = loop.call_at(sent.until_s, self._expire)

    def _expire(self) -> None:
        """Give up what has waited too long. One timer serves all requests: it mostly finds that the one it was set for is answered."""
        self._expiry = None
        now_s = asyncio.get_running_loop().time()
        for sent in self._sent.values():
            if sent.until_s <= now_s and not sent.reply.done():
                self._expire_one(sent)
        waiting_s = [sent.until_s for sent in self._sent.values() if not sent.reply.done()]
        if waiting_s:
            self._expiry = asyncio.get_running_loop().call_at(min(waiting_s), self._expire)

    def _expire_one(self, sent: Sent) -> None:
        came = "; a reply to an earlier request came, too late" if self.late_replies > sent.late else ""
        why = f"no reply within {sent.limit_s:.3g} s{came}"
        self._tell(False, b"", lambda: "no reply", sent.limit_s, why)
        if sent.shared and self._answered_number > sent.number:
            self.window.blame("it left a request unanswered, and answered one that came after it")
        elif sent.shared:
            self.window.lost("replies are missing when several requests are in flight")
        sent.reply.set_exception(RequestError(NO_RESPONSE, why))

    def _give_up(self, key: int, shared: bool) -> None:
        why = self._framing.give_up(key)
        if self._framing.serial or shared:
            self._given_up_at_s = time.monotonic()
        if self._framing.serial and self._timing.reconnect:
            why = "a reply is missing, and the setting says to connect anew then"
        if why and not self.lost.is_set():
            self.last_fault = why
            self._lose(why, RequestError(MALFORMED_REPLY, why))
            self._line.close()

    def _lose_restless(self) -> None:
        why = "bytes keep coming though nothing is asked: another Modbus master may be on this line, or its baud rate or parity is another"
        self._lose(why, RequestError(NOT_CONNECTED, why))
        self._line.close()

    # --- called by the line -----------------------------------------------------------------------------------------------

    def _on_bytes(self, data: bytes) -> None:
        self.heard_at_s = time.monotonic()
        for arrival in self._framing.received(data):
            self._take(arrival)
        if self._silence is not None:
            self._silence.cancel()
        silence_s = self._timing.gap_s or (HOLD_S if self._framing.waits else 0.0)
        if silence_s and not self.lost.is_set():
            self._silence = asyncio.get_running_loop().call_later(silence_s, self._on_silence)

    def _on_silence(self) -> None:
        for arrival in self._framing.silence():
            self._take(arrival)

    def _take(self, arrival: Arrival) -> None:
        if self.told is not None:
            self._tell_arrival(arrival)
        match arrival.kind:
            case "reply":
                self._take_reply(arrival)
            case "late":
                self.late_replies += 1
            case "malformed":
                self.last_fault = arrival.why
                if len(self._sent) > 1:
                    self.window.blame(arrival.why)
                self._fail_waiting(RequestError(MALFORMED_REPLY, arrival.why), arrival.key)
            case "garbage":
                self.last_fault = arrival.why
                if len(self._sent) > 1:
                    self.window.blame(arrival.why)
                self._lose(arrival.why, RequestError(MALFORMED_REPLY, arrival.why))
                self._line.close()

    def _take_reply(self, arrival: Arrival) -> None:
        self.valid_at_s = time.monotonic()
        sent = self._sent.get(arrival.key)
        if sent is None or sent.reply.done():
            return
        sent.reply.set_result(arrival.pdu)
        self._answered_number = max(self._answered_number, sent.number)
        if sent.shared and any(one.number < sent.number and not one.reply.done() for one in self._sent.values()):
            self.window.blame("it answered out of turn")

    def _on_closed(self, why: str) -> None:
        if len(self._sent) > 1:
            self.window.lost(why)
        self._lose(why, RequestError(NOT_CONNECTED, why))

    def _lose(self, why: str, failure: RequestError) -> None:
        if not self.lost.is_set():
            self.why_lost = why
            self.lost.set()
            self._fail_waiting(failure)

    def _fail_waiting(self, failure: RequestError, key: int = 0) -> None:
        """The one of the key, or all."""
        for sent in [self._sent[key]] if key in self._sent else [] if key else list(self._sent.values()):
            if not sent.reply.done():
                sent.reply.set_exception(RequestError(failure.status, failure.why))

    # --- telling ----------------------------------------------------------------------------------------------------------

    def _tell(self, sent: bool, frame: bytes, text: Callable[[], str], round_trip_s: float = 0.0, trouble: str = "") -> None:
        if self.told is not None:
            told = Exchange(
                at_ns=time.time_ns(), sent=sent, size=len(frame), text=text(), data=frame, round_trip_s=round_trip_s, trouble=trouble
            )
            self.told(told)

    def _tell_arrival(self, arrival: Arrival) -> None:
        whole = bool(arrival.pdu)
        sent = self._sent.get(arrival.key) if arrival.kind == "reply" else None
        asked = sent.pdu if sent is not None else b""
        self._tell(
            False,
            arrival.frame,
            lambda: reply_text(arrival.unit, arrival.pdu, asked) if whole else bytes_text(arrival.frame),
            time.monotonic() - sent.at_s if sent is not None else 0.0,
            arrival.why,
        )


def request_for(extent: Extent) -> bytes:
    """The PDU that asks for it."""
    return _READ.pack(FUNCTION_OF[extent.table], extent.address, extent.length)


def extent_of(unit: int, pdu: bytes) -> Extent:
    """What a request for registers or bits asks for."""
    function, address, length = _READ.unpack(pdu)
    table = next(table for table, code in FUNCTION_OF.items() if code == function)
    return Extent(unit, table, address, length)


def _longest_reply(pdu: bytes) -> int:
    """Characters on a serial line, for the time they take."""
    if pdu[0] in FUNCTION_OF.values():
        count = int.from_bytes(pdu[3:5], "big")
        return 5 + ((count + 7) // 8 if pdu[0] <= FUNCTION_OF["discrete"] else 2 * count)
    return 256 if pdu[0] == DEVICE_IDENTIFICATION else 16
