"""With which parameters something answers on a serial port. Opens the port for each set of parameters, and closes it before the next."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator

from app.drivers.base import EndpointConfig
from app.drivers.base import Wire as Answer
from app.drivers.modbus.guard import RequestError
from app.drivers.modbus.plan import Extent
from app.drivers.modbus.questions import ScanEnd, ScanSerial, SerialRow
from app.drivers.modbus.session_open import Link, new_link
from app.drivers.modbus.session_scan import Pace
from app.drivers.modbus.spec import MALFORMED_REPLY, SPEC
from app.drivers.modbus.url import ModbusUrl
from app.drivers.questions import Question, unanswered

OPEN_S = 5.0


def answer(question: Question) -> AsyncIterator[Answer]:
    """See ``app.drivers.questions.Anywhere``. Raises ``EndpointError`` where the port cannot be opened, ``UserError`` where it is none."""
    return scan_serial(question) if isinstance(question, ScanSerial) else unanswered(question)


async def scan_serial(question: ScanSerial) -> AsyncIterator[Answer]:
    """Fast before slow would disturb least; the order is the caller's, usual parameters first."""
    pairs = list(itertools.product(question.baudrates, question.parities))
    pace = Pace(len(pairs) * len(question.units), question.pause_ms / 1000)
    for baudrate, parity in pairs:
        # Without parity there are two stop bits by the standard, one by most devices: both are received with one.
        url = ModbusUrl(f"modbus-rtu:{question.port}?baudrate={baudrate}&parity={parity}")
        settings = {field.name: field.default for field in SPEC.settings} | {"timeout_s": question.reply_s, "retries": 0}
        link = new_link(url, EndpointConfig(name=question.port, url=str(url)), settings)
        await link.wire.connect(OPEN_S)
        try:
            for unit in question.units:
                yield pace.progress(f"{url.serial_text}, unit {unit}")
                await pace.before_request()
                row = await _row(link, unit)
                pace.done += 1
                yield row
                if row.there and not question.all:
                    yield ScanEnd(requests=pace.requests)
                    return
                if link.wire.lost.is_set():
                    break
        finally:
            await link.close()
    yield ScanEnd(requests=pace.requests)


async def _row(link: Link, unit: int) -> SerialRow:
    url = link.url
    there, came = True, "it answered"
    try:
        await link.wire.read(Extent(unit, "holding", 0, 1), tries=1)
    except RequestError as error:
        there = error.status < 0x100
        came = f"it answered with {SPEC.status_text(error.status)}" if there else error.why
        if error.status == MALFORMED_REPLY:
            came = f"bytes came, but no frame: {error.why}"
    query = f"?baudrate={url.baudrate}&parity={url.parity}&unit={unit}"
    return SerialRow(
        baudrate=url.baudrate, parity=url.parity, stopbits=url.stopbits, unit=unit, there=there, came=came,
        url=str(ModbusUrl(f"modbus-rtu:{url.device}{query}")) if there else "",
    )  # fmt: skip
