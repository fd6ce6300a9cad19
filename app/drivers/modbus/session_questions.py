"""Answers to ``app.drivers.modbus.questions`` over one connection: the raw console and the device identification; the rest elsewhere."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from typing import Final

from app.drivers.base import Wire as Answer
from app.drivers.modbus.guard import (
    DEVICE_IDENTIFICATION,
    IDENTIFICATION_TYPE,
    RequestError,
    forbidden,
    identification_objects,
)
from app.drivers.modbus.plan import Extent
from app.drivers.modbus.questions import (
    Identification,
    IdentifiedObject,
    Identify,
    RawReply,
    RawRequest,
    ScanRegisters,
    ScanUnits,
    SunSpec,
)
from app.drivers.modbus.session_scan import scan_registers, scan_units
from app.drivers.modbus.session_sunspec import find_sunspec
from app.drivers.modbus.session_wire import Wire
from app.drivers.modbus.spec import SPEC
from app.drivers.modbus.wire_text import reply_text, request_text
from app.drivers.questions import Question, unanswered
from app.errors import EndpointError

OBJECT_NAMES: Final = {
    0: "Vendor",
    1: "Product code",
    2: "Revision",
    3: "Vendor's web address",
    4: "Product",
    5: "Model",
    6: "Application",
}
"""Modbus V1.1b3 §6.21: 0 to 2 are basic, 3 to 0x7F regular, from 0x80 on the maker's own."""
MOST_PARTS: Final = 64
"""Replies of one identification: a device that always says "more follows" must not hold us for ever."""


def answer_question(question: Question, wire: Wire, alive: Extent, excluded: Sequence[Extent]) -> AsyncIterator[Answer]:
    """Answers as they come.

    Args:
        question: Of ``questions.QUESTIONS``; any other is refused.
        wire: Open. Requests queue with those of polling.
        alive: What was asked for when the connection was made, and is known to be answered.
        excluded: Registers that nobody may ask for (the endpoint's setting ``forbidden``).

    Raises:
        EndpointError: Before anything is sent, what cannot be asked; later, that the connection is lost.
    """
    match question:
        case RawRequest():
            return _raw(question, wire)
        case Identify():
            return _identify(question, wire)
        case ScanUnits():
            return scan_units(question, wire, excluded)
        case ScanRegisters():
            return scan_registers(question, wire, alive, excluded)
        case SunSpec():
            return find_sunspec(question, wire, excluded)
        case _:
            return unanswered(question)


async def _raw(question: RawRequest, wire: Wire) -> AsyncIterator[Answer]:
    where = f"unit {question.unit}: {question.pdu.hex(' ')}"
    if why := forbidden(question.pdu):
        fix = "Send a function that reads: 1 to 4, 7, 8 with sub-function 0, 11, 17 or 43/14. Writing does not exist yet"
        raise EndpointError("Not sent", where=where, why=why, fix=fix)
    if not 0 <= question.unit <= 255:
        raise EndpointError("Not sent", where=where, why="the unit id is from 0 to 255")
    request = request_text(question.unit, question.pdu)
    started_s = time.monotonic()
    status = 0
    try:
        reply = await wire.raw(question.unit, question.pdu)
    except RequestError as error:
        if error.status >= 0x100:
            raise EndpointError("No usable reply", where=request, why=error.why, fix="Check the unit id, then send it again") from error
        reply, status = bytes((question.pdu[0] | 0x80, error.status)), error.status
    yield RawReply(
        request=request,
        reply=reply,
        text=reply_text(question.unit, reply, question.pdu),
        round_trip_s=time.monotonic() - started_s,
        status=status,
    )


async def _identify(question: Identify, wire: Wire) -> AsyncIterator[Answer]:
    """Basic first, then regular and extended where the device says that it has them, or does not say."""
    objects: dict[int, bytes] = {}
    conformity, note = 0, ""
    for code, name in ((1, "basic"), (2, "regular"), (3, "extended")):
        if code > 1 and conformity & 0x7F and code > conformity & 0x7F:
            break
        try:
            conformity = await _objects(wire, question.unit, code, objects) or conformity
        except RequestError as error:
            text = SPEC.status_text(error.status) if error.status < 0x100 else error.why
            if code == 1:
                note = f"no device identification: {text}"
                if error.status >= 0x100:
                    raise EndpointError("No usable reply", where=f"unit {question.unit}", why=error.why) from error
                break
            note = f"the {name} objects were not told: {text}"
            break
    yield Identification(objects=tuple(_object(key, raw) for key, raw in sorted(objects.items())), conformity=conformity, note=note)


async def _objects(wire: Wire, unit: int, code: int, objects: dict[int, bytes]) -> int:
    """Every part of one kind; the conformity level that the device states. Raises ``RequestError``."""
    wanted = conformity = 0
    for _ in range(MOST_PARTS):
        reply = await wire.raw(unit, bytes((DEVICE_IDENTIFICATION, IDENTIFICATION_TYPE, code, wanted)))
        objects.update(identification_objects(reply))
        conformity, more, next_one = reply[3], reply[4], reply[5]
        if more != 0xFF or next_one <= wanted:
            break
        wanted = next_one
    return conformity


def _object(key: int, raw: bytes) -> IdentifiedObject:
    text = raw.decode("utf-8", "replace").strip("\0 \r\n\t")
    plain = text if text.isprintable() and "\ufffd" not in text else raw.hex(" ")
    category = "basic" if key < 3 else "regular" if key < 0x80 else "extended"
    return IdentifiedObject(id=key, name=OBJECT_NAMES.get(key, f"Object {key}"), text=plain, raw=raw, category=category)
