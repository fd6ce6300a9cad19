"""The questions of the Modbus driver against a real pymodbus server and against devices that answer oddly: nothing but reads leaves."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager

import pytest

from app.drivers.base import EndpointConfig, Item, Wire
from app.drivers.modbus.guard import ALLOWED_FUNCTIONS
from app.drivers.modbus.questions import (
    QUESTIONS,
    Identification,
    Identify,
    RangeRow,
    RawReply,
    RawRequest,
    ScanEnd,
    ScanRegisters,
    ScanSerial,
    ScanUnits,
    SerialRow,
    SunSpec,
    SunSpecDevice,
    UnitRow,
)
from app.drivers.modbus.session import ModbusSession
from app.drivers.modbus.session_serial_scan import answer
from app.drivers.modbus.spec import FORBIDDEN_RANGE, INVALID_CONTENT
from app.drivers.modbus.sunspec import sunspec_rows
from app.drivers.questions import Progress, Question, packed, packed_answer, unpacked, unpacked_answer
from app.edits import Editor
from app.edits.endpoints import add_endpoint
from app.errors import EndpointError, UserError
from app.model.project import Project, ProjectInfo
from app.model.values import Quality
from app.runtime.live import LiveProject
from tests.peers import modbus_server as peer
from tests.peers.modbus_fake import FakeDevice, Request, fake_device, frame, refusal, registers, right
from tests.peers.modbus_peer import modbus_peer
from tests.peers.rtu_fake import RtuRequest, rtu_port
from tests.peers.rtu_fake import right as right_rtu
from tests.peers.serial_line import needs_terminals
from tests.peers.server_process import free_port


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    number = free_port()
    with modbus_peer(number):
        yield number


@asynccontextmanager
async def connected(port: int, **settings: bool | float | str) -> AsyncIterator[ModbusSession]:
    settings = {"timeout_s": 0.3, "retries": 0, "ask_identity": False, **settings}
    session = ModbusSession(EndpointConfig(name="m", url=f"modbus://127.0.0.1:{port}", settings=settings))
    try:
        await session.open(5)
        yield session
    finally:
        await session.close()


async def all_of(session: ModbusSession, question: Question) -> list[Wire]:
    """Every answer, once over the pipe's own coding and back."""
    asked = unpacked(*packed(question))
    async with aclosing(session.ask(asked)) as answers:  # type: ignore[type-var]  # an async generator, though its type does not say so
        return [unpacked_answer(type(question), packed_answer(answer)) async for answer in answers]


async def one(session: ModbusSession, question: Question) -> Wire:
    (found,) = await all_of(session, question)
    return found


def test_that_every_question_is_found_by_its_tag() -> None:
    for kind in QUESTIONS:
        assert str(kind.__struct_config__.tag).startswith("modbus.")


# --- raw console and identification ---------------------------------------------------------------------------------------


async def test_that_a_raw_request_gives_the_reply_its_meaning_and_its_time(port: int) -> None:
    async with connected(port) as session:
        reply = await one(session, RawRequest(unit=1, pdu=bytes.fromhex("03 03e8 0002")))
        assert isinstance(reply, RawReply)
        assert reply.reply == bytes.fromhex("03 04 42f7 0000")
        assert "1000…1001 of unit 1" in reply.request
        assert "42F7 0000" in reply.text
        assert 0 < reply.round_trip_s < 5
        refused = await one(session, RawRequest(unit=1, pdu=bytes.fromhex("03 00c8 0001")))
        assert isinstance(refused, RawReply)
        assert (refused.status, refused.reply) == (2, b"\x83\x02")
        assert "IllegalDataAddress" in refused.text


NOT_READS = (
    "05 0001 ff00", "06 0001 0001", "0f 0000 0001 01 01", "10 0000 0001 02 0001", "16 0000 0000 0000", "17", "63", "08 0001 0000", "2b 0d",
    "2b", "",
)  # fmt: skip


@pytest.mark.parametrize("pdu", NOT_READS)
async def test_that_nothing_that_could_write_is_sent(pdu: str) -> None:
    async with fake_device(lambda request: _answer(right(request))) as device, connected(device.port) as session:
        before = len(device.requests)
        with pytest.raises(EndpointError, match="Writing does not exist yet") as caught:
            await one(session, RawRequest(unit=1, pdu=bytes.fromhex(pdu)))
        assert caught.value.what == "Not sent"
        with pytest.raises(EndpointError, match="unit id is from 0 to 255"):
            await one(session, RawRequest(unit=256, pdu=bytes.fromhex("03 0000 0001")))
        assert {request.function for request in device.requests[before:]} <= {3}, "only signs of life"


async def test_that_no_reply_to_a_raw_request_says_so(port: int) -> None:
    async with connected(port) as session:
        with pytest.raises(EndpointError, match="no reply within"):
            await one(session, RawRequest(unit=9, pdu=bytes.fromhex("03 0000 0001")))


async def test_that_all_objects_of_the_identification_are_told(port: int) -> None:
    async with connected(port) as session:
        found = await one(session, Identify(unit=1))
    assert isinstance(found, Identification)
    assert {part.name: part.text for part in found.objects} == {
        "Vendor": "Loom",
        "Product code": "T-1",
        "Revision": "2.3",
        "Vendor's web address": "http://loom.example",
        "Product": "Weaver",
        "Model": "W-1",
        "Application": "Line 4",
    }
    assert {part.category for part in found.objects} == {"basic", "regular"}


async def test_that_an_identification_in_parts_is_followed_to_its_end_and_no_further() -> None:
    async def in_parts(request: Request) -> bytes:
        if request.function != 0x2B:
            return right(request)
        code, wanted = request.pdu[2], request.pdu[3]
        if code == 3:  # always "more follows", always from the start
            return frame(request.transaction, request.unit, bytes((0x2B, 14, 3, 0x83, 0xFF, 0, 1, 0x80, 2, 0xFF, 0xFE)))
        last = 0xFF if wanted < 2 else 0
        return frame(
            request.transaction, request.unit, bytes((0x2B, 14, code, 0x83, last, wanted + 1, 1, wanted, 1)) + b"ABC"[wanted : wanted + 1]
        )

    async with fake_device(in_parts) as device, connected(device.port) as session:
        found = await one(session, Identify(unit=1))
        asked = [request for request in device.requests if request.function == 0x2B]
    assert isinstance(found, Identification)
    assert [(part.id, part.text) for part in found.objects] == [(0, "A"), (1, "B"), (2, "C"), (0x80, "ff fe")]
    assert found.conformity == 0x83
    assert found.objects[-1].category == "extended"
    assert len(asked) == 7, "three parts each of basic and regular, one of extended"


async def test_that_a_device_without_identification_is_no_error() -> None:
    async with fake_device(lambda request: _answer(right(request))) as device, connected(device.port) as session:
        found = await one(session, Identify(unit=1))
    assert isinstance(found, Identification)
    assert found.objects == ()
    assert "IllegalFunction" in found.note


# --- scans ----------------------------------------------------------------------------------------------------------------


async def test_that_a_scan_of_units_finds_those_that_answer_and_explains_each_row(port: int) -> None:
    async with connected(port, timeout_s=0.5) as session:
        answers = await all_of(session, ScanUnits(first=1, last=12, address="holding:205", pause_ms=0))
    rows = {row.unit: row for row in answers if isinstance(row, UnitRow)}
    assert sorted(rows) == list(range(1, 13))
    assert rows[1].there
    assert rows[3].there
    assert "so it is there" in rows[1].came, "an exception is an answer"
    assert rows[1].asked == "1/holding:205"
    assert not rows[9].there
    assert "no reply" in rows[9].came
    progress = [part for part in answers if isinstance(part, Progress)]
    assert (progress[-1].done, progress[-1].total) == (12, 12)
    assert re.search(r"\d+ s left", progress[3].text)
    assert answers[-1] == ScanEnd(requests=12)


async def test_that_a_scan_of_registers_finds_every_register_among_holes(port: int) -> None:
    async with connected(port) as session:
        answers = await all_of(session, ScanRegisters(unit=peer.INVERTER, first=0, last=119, block=25, pause_ms=0))
    rows = [row for row in answers if isinstance(row, RangeRow)]
    covered = [at for row in rows for at in range(row.address, row.address + row.length)]
    assert covered == list(range(120)), "each register once, in order"
    found = {row.address + place: word for row in rows for place, word in enumerate(row.words)}
    assert found == {at: at + 7 for at in range(100) if at not in peer.INVERTER_HOLES}
    assert all("IllegalDataAddress" in row.came for row in rows if not row.words)
    end = answers[-1]
    assert isinstance(end, ScanEnd)
    assert (end.refused, end.silent, end.stopped) == ("47/holding:10-12, 47/holding:37, 47/holding:60-119", "", "")
    progress = [part for part in answers if isinstance(part, Progress)]
    assert (progress[-1].done, progress[-1].total) == (120, 120)


async def test_that_a_quick_scan_asks_at_five_places_of_a_refused_block(port: int) -> None:
    async with connected(port) as session:
        quick = await all_of(session, ScanRegisters(unit=peer.INVERTER, first=100, last=299, block=50, pause_ms=0, thorough=False))
        bits = await all_of(session, ScanRegisters(unit=peer.INVERTER, table="coil", first=0, last=15, block=2000, pause_ms=0))
    end = quick[-1]
    assert isinstance(end, ScanEnd)
    assert end.refused == "47/holding:100-299"
    assert end.requests == 4 * 6
    assert [row.words for row in bits if isinstance(row, RangeRow)] == [(0,) * 16]


async def test_that_forbidden_registers_are_never_touched_neither_by_a_scan_nor_by_reading_nor_as_a_sign_of_life() -> None:
    forbidden = "1/holding:0-3, holding:12, holding:40-44"
    async with fake_device(lambda request: _answer(right(request))) as device, connected(device.port, forbidden=forbidden) as session:
        answers = await all_of(session, ScanRegisters(unit=1, first=0, last=29, block=10, pause_ms=0, skip="holding:20-21"))
        columns = await session.read([Item(address=f"holding:{at}") for at in (38, 39, 41, 45, 46)])
        details = await session.details(["holding:41", "holding:39"])
        before, deadline_s = len(device.requests), time.monotonic() + 5
        while len(device.requests) == before:
            assert time.monotonic() < deadline_s, "no sign of life was asked for"
            await asyncio.sleep(0.02)
    asked = {at for request in device.requests for at in range(request.address, request.address + request.length)}
    assert not asked & {*range(4), 12, *range(20, 22), *range(40, 45)}
    rows = [row for row in answers if isinstance(row, RangeRow)]
    assert {row.address for row in rows if row.status == FORBIDDEN_RANGE} >= {12, 20}
    assert sum(len(row.words) for row in rows) == 30 - 4 - 1 - 2
    assert [(sample.value, sample.status) for _, sample in columns.samples()] == [
        (38, 0),
        (39, 0),
        (None, FORBIDDEN_RANGE),
        (45, 0),
        (46, 0),
    ]
    assert "ForbiddenRange" in details[0].error
    assert details[1].error == ""


async def test_that_a_range_after_which_the_device_is_silent_is_remembered_and_left_alone() -> None:
    async def touchy(request: Request) -> bytes:
        return b"" if request.function == 3 and request.address <= 25 < request.address + request.length else right(request)

    async with fake_device(touchy) as device, connected(device.port, timeout_s=0.1) as session:
        answers = await all_of(session, ScanRegisters(unit=1, first=0, last=39, block=10, pause_ms=0))
        over = [request for request in device.requests if request.address <= 25 < request.address + request.length]
    end = answers[-1]
    assert isinstance(end, ScanEnd)
    assert (end.silent, end.refused, end.stopped) == ("1/holding:20-29", "", "")
    assert len(over) == 1, "it is not asked for twice"
    assert sum(len(row.words) for row in answers if isinstance(row, RangeRow)) == 30
    assert any("answered again" in row.came for row in answers if isinstance(row, RangeRow))


async def test_that_a_scan_stops_when_the_device_answers_nothing_any_more() -> None:
    dead = False

    async def dies(request: Request) -> bytes:
        nonlocal dead
        dead = dead or (request.function == 3 and request.address >= 20)
        return b"" if dead else right(request)

    async with fake_device(dies) as device, connected(device.port, timeout_s=0.1) as session:
        answers = await all_of(session, ScanRegisters(unit=1, first=0, last=99, block=10, pause_ms=0))
        scanned = [request.address for request in device.requests if request.length == 10]
    end = answers[-1]
    assert isinstance(end, ScanEnd)
    assert "does not answer 1/holding:10 any more either" in end.stopped
    assert end.silent == "1/holding:20-29"
    assert scanned == [0, 10, 20]


async def test_that_a_device_that_hangs_up_and_a_table_that_is_missing_end_a_scan_with_the_reason() -> None:
    async def odd(request: Request) -> bytes | None:
        if request.function == 4:
            return refusal(request, 1)
        return None if request.address >= 20 else right(request)

    async with fake_device(odd) as device, connected(device.port) as session:
        missing = (await all_of(session, ScanRegisters(unit=1, table="input", pause_ms=0)))[-1]
        end = (await all_of(session, ScanRegisters(unit=1, first=0, last=99, block=10, pause_ms=0)))[-1]
    assert isinstance(missing, ScanEnd)
    assert "no table input: IllegalFunction" in missing.stopped
    assert isinstance(end, ScanEnd)
    assert "connection was lost" in end.stopped
    assert end.silent == "1/holding:20-29"


async def test_that_a_scan_keeps_its_pause_and_ends_when_it_is_cancelled() -> None:
    async with fake_device(lambda request: _answer(right(request))) as device, connected(device.port) as session:
        before = len(device.requests)
        begun_s = time.monotonic()
        async with aclosing(session.ask(ScanRegisters(unit=1, first=0, last=9999, block=1, pause_ms=20))) as answers:  # type: ignore[type-var]  # an async generator
            rows = 0
            async for part in answers:
                rows += isinstance(part, RangeRow)
                if rows == 10:
                    break
        taken_s = time.monotonic() - begun_s
        asked = [request for request in device.requests[before:] if request.address or request.length]
        await session.read([Item(address="holding:5")])
        assert taken_s >= 9 * 0.02
        assert len(asked) <= 12
        later = [request.address for request in device.requests[before + len(asked) :]]
        assert max(later, default=0) <= 12, "nothing is asked for after it was cancelled"


@pytest.mark.parametrize(
    "question",
    [
        ScanRegisters(unit=1, table="files"), ScanRegisters(unit=1, first=5, last=4), ScanRegisters(unit=1, first=0, last=70000),
        ScanRegisters(unit=300), ScanUnits(first=5, last=4), ScanUnits(first=0, last=256), ScanRegisters(unit=1, skip="nonsense"),
        ScanUnits(address="nonsense"),
    ],
)  # fmt: skip
async def test_that_what_cannot_be_scanned_is_refused_before_anything_is_sent(port: int, question: Question) -> None:
    async with connected(port) as session:
        with pytest.raises(UserError):
            await all_of(session, question)


@needs_terminals
async def test_that_a_scan_of_a_serial_line_says_with_which_parameters_something_answers() -> None:
    """A pseudo terminal does not care for the speed, so the unit id is what is looked for."""

    async def first_unit(request: RtuRequest) -> bytes:
        return right_rtu(request) if request.unit == 1 else b""

    async with rtu_port(first_unit) as line:
        path = re.sub(r"^modbus-rtu:|\?.*$", "", line.url)
        question = ScanSerial(port=path, baudrates=(9600,), parities=("N",), units=(1, 2), reply_s=0.2, pause_ms=0, all=True)
        answers = [unpacked_answer(ScanSerial, packed_answer(part)) async for part in answer(question)]
    rows = [row for row in answers if isinstance(row, SerialRow)]
    assert [row.unit for row in rows] == [1, 2]
    assert (rows[0].there, rows[1].there) == (True, False)
    assert rows[0].url.startswith(f"modbus-rtu:{path}?baudrate=9600&parity=N")
    assert isinstance(answers[-1], ScanEnd)
    with pytest.raises(UserError):
        await anext(answer(ScanSerial(port="/dev/no-such-port", baudrates=(9600,), parities=("N",))))


# --- SunSpec and types ----------------------------------------------------------------------------------------------------


async def test_that_sunspec_is_found_and_becomes_rows_whose_values_are_right(port: int) -> None:
    async with connected(port) as session:
        answers = await all_of(session, SunSpec(unit=peer.INVERTER, pause_ms=0))
        device = answers[-1]
        assert isinstance(device, SunSpecDevice)
        assert (device.base, device.maker, device.model, device.version, device.serial) == (40000, "Loom", "SolarOne", "1.2.3", "S-4711")
        assert [(model.id, model.address, model.length, model.name) for model in device.models] == [
            (1, 40002, 66, "Common"),
            (103, 40070, 50, "Inverter"),
            (160, 40122, 48, "DC inputs"),
            (64999, 40172, 3, ""),
        ]
        rows = {row.name: row for row in sunspec_rows(device.models, device.scale_factors, frozenset(device.absent))}
        wanted = {
            "Inverter A": 43.5, "Inverter AphC": 14.5, "Inverter PhVphB": 231.2, "Inverter W": 9980.0, "Inverter Hz": 49.98,
            "Inverter WH": 135536.0, "Inverter TmpCab": 41.2, "Inverter St": 4.0, "DC inputs 2 DCA": 8.12, "DC inputs 1 DCV": 623.4,
            "DC inputs 2 DCW": 505.0, "DC inputs 1 DCWH": 77.0,
        }  # fmt: skip
        items = [
            Item(address=f"{peer.INVERTER}/{rows[name].table}:{rows[name].address}:{rows[name].type}", gain=rows[name].gain)
            for name in wanted
        ]
        columns = await session.read(items)
        texts = await session.read([Item(address=f"{peer.INVERTER}/holding:{rows['Common SN'].address}:{rows['Common SN'].type}")])
    assert [sample.value for _, sample in columns.samples()] == [pytest.approx(value) for value in wanted.values()]
    assert texts.sample(0).value == "S-4711"
    assert rows["Inverter DCW"].note == "not implemented by this device; its scale factor is not told"
    assert rows["Inverter PhVphA"].note == ""


async def test_that_a_unit_without_sunspec_says_where_it_was_looked_for(port: int) -> None:
    async with connected(port) as session:
        device = (await all_of(session, SunSpec(unit=3, pause_ms=0)))[-1]
        with pytest.raises(EndpointError, match="no reply"):
            await all_of(session, SunSpec(unit=9, pause_ms=0))
    assert isinstance(device, SunSpecDevice)
    assert device.base == -1
    assert "40000, 50000, 0" in device.note


async def test_that_a_chain_that_breaks_gives_what_came_before_it() -> None:
    words = peer.sunspec()

    async def cut(request: Request) -> bytes:
        if request.function != 3 or not 40000 <= request.address < 40072:
            return refusal(request, 2) if request.address >= 40072 else right(request)
        part = [*words, *[0] * 200][request.address - 40000 : request.address - 40000 + request.length]
        return frame(request.transaction, request.unit, registers(*part))

    async with fake_device(cut) as device, connected(device.port) as session:
        found = (await all_of(session, SunSpec(unit=1, pause_ms=0)))[-1]
    assert isinstance(found, SunSpecDevice)
    assert [model.id for model in found.models] == [1, 103]
    assert "IllegalDataAddress" in found.note
    assert found.serial == "S-4711"


async def test_that_registers_of_every_form_are_read_as_values_of_the_model(port: int) -> None:
    wanted = {
        "500:bcd16": (1234, "uint16"), "501:bcd32": (12345678, "uint32"), "503:mod10k32": (123456, "uint32"),
        "505:float16": (1.5, "float32"),
        "506:unix32": ("2026-03-04T05:06:07Z", "datetime"), "508:cp56": ("2026-03-04T05:06:07.089Z", "datetime"), "513:sm16": (-5, "int16"),
        "514:str4": ("AB", "string"), "514:str4z": ("AB  ", "string"), "500.4-7": (3, "uint16"),
    }  # fmt: skip
    async with connected(port) as session:
        columns = await session.read([Item(address=f"{peer.INVERTER}/holding:{address}") for address in (*wanted, "512:bcd16")])
        details = (await session.details([f"{peer.INVERTER}/holding:512:bcd16"]))[0]
    *good, bad = [sample for _, sample in columns.samples()]
    assert [(sample.value, sample.type) for sample in good] == list(wanted.values())
    assert (bad.value, bad.quality, bad.status) == (None, Quality.BAD, INVALID_CONTENT)
    assert "no value of this type" in {row.name: row.status for row in details.attributes}["Value"]


def test_that_questions_are_answered_through_a_connector_process(port: int) -> None:
    editor = Editor(Project(ProjectInfo(id="site", name="site")))
    edit = add_endpoint(editor.project, "inverter", f"modbus://127.0.0.1:{port}?unit={peer.INVERTER}")
    editor.do(edit)
    live = LiveProject(editor)
    try:
        endpoint = edit.changes[0].id
        live.connect(endpoint)
        live.wait_connected(endpoint, 20)
        answers = live.wait_all(live.ask(endpoint, ScanRegisters(unit=peer.INVERTER, first=0, last=39, pause_ms=0)), 20)
        assert isinstance(answers[-1], ScanEnd)
        assert answers[-1].refused == "47/holding:10-12, 47/holding:37"
        with pytest.raises(UserError, match="Writing does not exist yet"):
            live.wait_all(live.ask(endpoint, RawRequest(unit=1, pdu=bytes.fromhex("06 0001 0001"))), 20)
    finally:
        live.close()


async def _answer(data: bytes) -> bytes:
    return data


def functions(device: FakeDevice) -> set[int]:
    return {request.function for request in device.requests}


async def test_that_no_question_sends_anything_but_reads() -> None:
    async with fake_device(lambda request: _answer(right(request))) as device, connected(device.port) as session:
        await all_of(session, Identify(unit=1))
        for table in ("coil", "discrete", "input", "holding"):
            await all_of(session, ScanRegisters(unit=1, table=table, first=0, last=20, pause_ms=0))
        await all_of(session, ScanUnits(first=1, last=3, pause_ms=0))
        await all_of(session, SunSpec(unit=1, pause_ms=0))
        assert functions(device) <= ALLOWED_FUNCTIONS
        assert not functions(device) & {5, 6, 15, 16, 22, 23}
