"""The demo plant as real processes, seen by plain asyncua and pymodbus clients."""

import asyncio
import json
import socket
import struct
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import psutil
import pytest
from asyncua import ua
from asyncua.client.client import Client
from asyncua.common.node import Node
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.object_ids import ObjectIds
from asyncua.ua.status_codes import StatusCodes
from asyncua.ua.uaerrors import UaStatusCodeError
from pymodbus.client import AsyncModbusTcpClient

from app.errors import UserError
from app.plant.catalog import POINTS, REGISTERS
from app.plant.modbus_map import GAP, Table
from app.plant.points import LINE_NAMESPACE, PLC_NAMESPACE, Point, PointType
from app.plant.process import MODBUS, OPCUA, Plant, server_command, server_environment, start_plant
from app.plant.states import ValveState
from app.units import require

BY_ID = {point.identifier: point for point in POINTS}
SOON_S = 45.0  # longer than the longest short stop of the line, in which nothing moves


@pytest.fixture(scope="module")
def plant() -> Iterator[Plant]:
    with start_plant(seed=1) as running:
        yield running


@asynccontextmanager
async def opcua(url: str) -> AsyncIterator[Client]:
    client = Client(url)
    client.session_timeout = 60_000
    async with client:
        yield client


@asynccontextmanager
async def modbus(url: str) -> AsyncIterator[AsyncModbusTcpClient]:
    host, port = url.removeprefix("modbus://").split(":")
    client = AsyncModbusTcpClient(host, port=int(port))
    assert await client.connect()
    try:
        yield client
    finally:
        client.close()


async def node_of(client: Client, identifier: str) -> Node:
    point = BY_ID[identifier]
    return client.get_node(f"ns={await client.get_namespace_index(point.namespace)};s={identifier}")


async def read(client: Client, identifier: str) -> ua.DataValue:
    return await (await node_of(client, identifier)).read_data_value(raise_on_bad_status=False)


async def value_of(client: Client, identifier: str) -> Any:  # Any: whatever the variable holds
    value = (await read(client, identifier)).Value
    assert value is not None
    return value.Value


async def eventually(check: Callable[[], Awaitable[bool]]) -> None:
    """Asks again and again until it is so; fails after a while."""
    deadline = time.monotonic() + SOON_S
    while not await check():
        assert time.monotonic() < deadline, "it did not come"
        await asyncio.sleep(0.05)


async def browse_variables(client: Client) -> dict[tuple[str, ...], ua.ReferenceDescription]:
    """Every variable below Objects but those of namespace 0 and properties, by its path of browse names."""
    found: dict[tuple[str, ...], ua.ReferenceDescription] = {}
    todo: list[tuple[tuple[str, ...], Node]] = [((), client.nodes.objects)]
    while todo:
        path, node = todo.pop()
        for child in await node.get_children_descriptions(refs=ObjectIds.HierarchicalReferences):
            child_path = (*path, child.BrowseName.Name)
            if child.NodeId.NamespaceIndex == 0:
                continue
            if child.NodeClass is ua.NodeClass.Variable:
                found[child_path] = child
            else:
                todo.append((child_path, client.get_node(child.NodeId)))
    return found


async def test_that_browsing_finds_the_whole_catalogue_in_two_namespaces_and_five_folders_deep(plant: Plant) -> None:
    async with opcua(plant.opcua_url) as client:
        found = await browse_variables(client)
        uris = await client.get_namespace_array()
    expected = {(*point.folder, point.name): (point.namespace, point.identifier) for point in POINTS}
    seen = {path: (uris[child.NodeId.NamespaceIndex], child.NodeId.Identifier) for path, child in found.items()}
    assert seen == expected
    assert len(found) >= 300
    assert {uri for uri, _ in seen.values()} == {LINE_NAMESPACE, PLC_NAMESPACE}
    assert max(len(path) for path in found) - 1 >= 5


async def test_that_every_variable_has_the_type_rank_access_and_description_of_the_catalogue(plant: Plant) -> None:
    async with opcua(plant.opcua_url) as client:
        nodes = [await node_of(client, point.identifier) for point in POINTS]
        attributes = (AttributeIds.DataType, AttributeIds.ValueRank, AttributeIds.AccessLevel, AttributeIds.Description)
        columns = [[dv.Value.Value for dv in await client.read_attributes(nodes, attribute) if dv.Value] for attribute in attributes]
        values = [dv.Value for dv in await client.read_attributes(nodes, AttributeIds.Value)]
    for point, value, data_type, rank, access, description in zip(POINTS, values, *columns, strict=True):
        wire = {PointType.ENUMERATION: "Int32", PointType.STRUCTURE: "ExtensionObject"}.get(point.data_type, point.data_type.value)
        if point.data_type in {PointType.ENUMERATION, PointType.STRUCTURE}:
            assert data_type.NamespaceIndex != 0
        else:
            assert data_type.Identifier == ua.VariantType[wire].value, point.identifier
        if value is not None and value.VariantType is not ua.VariantType.Null:
            assert value.VariantType is ua.VariantType[wire], point.identifier
            assert isinstance(value.Value, list) == point.array
        assert rank == (ua.ValueRank.OneDimension if point.array else ua.ValueRank.Scalar)
        assert access == (3 if point.writable else 1)
        assert description.Text == point.description
    shown = {v.VariantType for v in values if v is not None}
    assert shown >= {ua.VariantType[name] for name in ("Boolean", "SByte", "Byte", "Int64", "UInt64", "Float", "Double", "String", "Guid")}
    assert shown >= {ua.VariantType[name] for name in ("DateTime", "ByteString", "LocalizedText", "ExtensionObject")}


async def test_that_units_and_ranges_stand_where_the_catalogue_has_them(plant: Plant) -> None:
    chosen = [point for point in POINTS if "/Valves/" not in point.identifier and "/Heads/" not in point.identifier]
    async with opcua(plant.opcua_url) as client:
        for point in chosen:
            node = await node_of(client, point.identifier)
            properties = {p.BrowseName.Name: p for p in await node.get_children_descriptions(refs=ObjectIds.HasProperty)}
            assert set(properties) == _expected_properties(point), point.identifier
            if point.unit:
                information = await client.get_node(properties["EngineeringUnits"].NodeId).read_value()
                assert (information.UnitId, information.DisplayName.Text) == (require(point.unit).unit_id, require(point.unit).symbol)
            if point.analog:
                span = await client.get_node(properties["EURange"].NodeId).read_value()
                assert (span.Low, span.High) == (point.low, point.high)
            assert await node.read_type_definition() == ua.NodeId(_expected_type(point))  # type: ignore[arg-type]  # takes plain ints


def _expected_properties(point: Point) -> set[str]:
    return {name for name, there in (("EURange", point.analog), ("EngineeringUnits", point.unit)) if there}


def _expected_type(point: Point) -> int:
    if point.analog:
        return ObjectIds.AnalogItemType
    return ObjectIds.AnalogUnitType if point.unit else ObjectIds.BaseDataVariableType


@pytest.mark.parametrize(
    ("identifier", "code", "has_value"),
    [
        ("Processing/BufferTank1/PT-308.PV", StatusCodes.BadSensorFailure, False),
        ("Processing/BufferTank1/AT-309.PV", StatusCodes.UncertainLastUsableValue, True),
        ("Processing/BufferTank1/AT-310.PV", StatusCodes.BadWaitingForInitialData, False),
        ("Processing/CIP1/AT-604.PV", StatusCodes.UncertainSensorNotAccurate, True),
        ("Line4/Capper2/Heads/Head06/Torque", StatusCodes.BadNotConnected, False),
        ("Line4/Filler1/FT-101.PV", StatusCodes.Good, True),
    ],
)
async def test_that_bad_and_uncertain_qualities_are_shown(plant: Plant, identifier: str, code: int, has_value: bool) -> None:
    async with opcua(plant.opcua_url) as client:
        shown = await read(client, identifier)
    assert shown.StatusCode is not None
    assert shown.StatusCode.value == code
    assert (shown.Value is not None and shown.Value.Value is not None) == has_value
    assert shown.SourceTimestamp is not None
    assert shown.ServerTimestamp is not None


async def test_that_an_enumeration_names_its_members(plant: Plant) -> None:
    async with opcua(plant.opcua_url) as client:
        valve = await node_of(client, "Line4/Filler1/Valves/Valve01/State")
        data_type = client.get_node(await valve.read_data_type())
        strings = await (await data_type.get_child("0:EnumStrings")).read_value()
        definition: Any = await data_type.read_data_type_definition()  # Any: asyncua types it as the base class only
        value = await valve.read_value()
    assert [text.Text for text in strings] == ["CLOSED", "OPEN", "FAULT"]
    assert [(field.Name, field.Value) for field in definition.Fields] == [(state.name, state.value) for state in ValveState]
    assert value in list(ValveState)


async def test_that_the_structure_can_be_decoded_by_its_definition(plant: Plant) -> None:
    async with opcua(plant.opcua_url) as client:
        node = await node_of(client, "Line4/Filler1/LastBottle")
        definition: Any = await client.get_node(await node.read_data_type()).read_data_type_definition()
        record = await node.read_value()
    assert [field.Name for field in definition.Fields] == ["BottleNumber", "Volume", "Passed", "Recipe"]
    assert [field.DataType.Identifier for field in definition.Fields] == [7, 11, 1, 12]
    assert record.TypeId == definition.DefaultEncodingId
    number, volume_ml, passed, length = struct.unpack_from("<Id?i", record.Body)
    assert number >= 148_213
    assert 450 < volume_ml < 550
    assert isinstance(passed, bool)
    assert record.Body[-length:] == b"STILL-0.5L"


async def test_that_machines_are_instances_of_object_types(plant: Plant) -> None:
    async with opcua(plant.opcua_url) as client:
        index = await client.get_namespace_index(LINE_NAMESPACE)
        types = []
        for number in (1, 2):
            machine = client.get_node(f"ns={index};s=Plant1/Packaging/Line4/Filler{number}")
            type_id = await machine.read_type_definition()
            assert type_id is not None
            types.append(type_id)
        name = await client.get_node(types[0]).read_browse_name()
    assert types[0] == types[1]
    assert name.Name == "FillerType"


async def test_that_fast_values_arrive_fast_and_counters_count(plant: Plant) -> None:
    class Seen:
        flows: list[float]
        counts: list[int]

        def datachange_notification(self, node: Node, value: float, _data: object) -> None:
            (self.flows if node == flow else self.counts).append(value)  # type: ignore[arg-type]  # counts are whole

    seen = Seen()
    seen.flows, seen.counts = [], []
    async with opcua(plant.opcua_url) as client:
        flow = await node_of(client, "Line4/Filler1/FT-101.PV")
        count = await node_of(client, "Line4/Filler1/BottleCount")
        subscription = await client.create_subscription(100, seen)
        await subscription.subscribe_data_change([flow, count])
        started = time.monotonic()

        async def moved() -> bool:
            return len(seen.flows) >= 20 and len(seen.counts) >= 5

        await eventually(moved)
        took_s = time.monotonic() - started
        await subscription.delete()
    assert took_s > 1.0  # twenty values at 100 ms
    assert len(set(seen.flows)) > 10
    assert seen.counts == sorted(seen.counts)


async def test_that_a_setpoint_is_followed_and_clamped_and_other_values_refuse_a_write(plant: Plant) -> None:
    async with opcua(plant.opcua_url) as client:
        setpoint = await node_of(client, "Line4/Conveyor3/ST-401.SP")
        speed = await node_of(client, "Line4/Conveyor3/ST-401.PV")
        await setpoint.write_value(ua.DataValue(ua.Variant(0.6, ua.VariantType.Float)))

        async def slowed() -> bool:
            return bool(0.55 < await speed.read_value() < 0.65)

        await eventually(slowed)
        await setpoint.write_value(ua.DataValue(ua.Variant(99.0, ua.VariantType.Float)))

        async def clamped() -> bool:
            return bool(await setpoint.read_value() == 1.5)

        await eventually(clamped)
        with pytest.raises(UaStatusCodeError) as refused:
            await speed.write_value(ua.DataValue(ua.Variant(1.0, ua.VariantType.Float)))
    assert refused.value.code in {StatusCodes.BadUserAccessDenied, StatusCodes.BadNotWritable}


async def test_that_the_meters_floats_are_low_word_first_and_agree_with_the_line(plant: Plant) -> None:
    async with modbus(plant.modbus_url) as meter, opcua(plant.opcua_url) as client:
        words = (await meter.read_holding_registers(100, count=2, device_id=3)).registers
        energy = (await meter.read_holding_registers(112, count=2, device_id=3)).registers
        volts = await value_of(client, "Utilities/EnergyMeter1/VoltageL1")
        kwh = await value_of(client, "Utilities/EnergyMeter1/EnergyImport")
    data = words[1].to_bytes(2, "big") + words[0].to_bytes(2, "big")
    assert struct.unpack(">f", data)[0] == pytest.approx(volts, abs=4.0)
    assert int.from_bytes(energy[0].to_bytes(2, "big") + energy[1].to_bytes(2, "big"), "big") / 10 == pytest.approx(kwh, abs=0.3)


async def test_that_every_register_answers_and_the_gap_answers_exception_2(plant: Plant) -> None:
    async with modbus(plant.modbus_url) as client:
        readers = {
            Table.COIL: client.read_coils,
            Table.DISCRETE: client.read_discrete_inputs,
            Table.HOLDING: client.read_holding_registers,
            Table.INPUT: client.read_input_registers,
        }
        for register in REGISTERS:
            answer = await readers[register.table](register.address, count=register.words, device_id=register.unit_id)
            assert not answer.isError(), register.canonical
        for address in (GAP[0], GAP[-1], 5000):
            answer = await client.read_holding_registers(address, count=1, device_id=3)
            assert answer.exception_code == 2
        answer = await client.read_holding_registers(GAP[0] - 2, count=4, device_id=3)
        assert answer.exception_code == 2
        text = (await client.read_holding_registers(140, count=8, device_id=3)).registers
    assert b"".join(word.to_bytes(2, "big") for word in text) == b"TLM-630 SN004217"


@pytest.mark.parametrize("unit_id", [0, 1, 9, 255])
async def test_that_units_that_are_not_there_answer_as_a_gateway_does(plant: Plant, unit_id: int) -> None:
    async with modbus(plant.modbus_url) as client:
        answer = await client.read_holding_registers(0, count=1, device_id=unit_id)
    assert answer.exception_code == 0x0B


async def test_that_the_drive_follows_its_setpoint_and_refuses_others(plant: Plant) -> None:
    async with modbus(plant.modbus_url) as client:
        assert not (await client.write_register(0, 750, device_id=4)).isError()

        async def followed() -> bool:
            speed = (await client.read_holding_registers(1, count=1, device_id=4)).registers[0]
            return 745 <= speed <= 755

        await eventually(followed)
        assert (await client.write_register(0, 1501, device_id=4)).exception_code == 3
        assert (await client.write_register(1, 5, device_id=4)).exception_code == 2
        assert (await client.read_holding_registers(0, count=1, device_id=4)).registers == [750]
        assert not (await client.write_coil(0, True, device_id=3)).isError()
        assert (await client.read_coils(0, count=2, device_id=3)).bits[:2] == [True, True]
        assert (await client.write_coil(5, True, device_id=3)).exception_code == 2


async def test_that_the_modbus_device_names_itself(plant: Plant) -> None:
    async with modbus(plant.modbus_url) as client:
        answer: Any = await client.read_device_information(device_id=3)  # Any: pymodbus types it as the base class only
    assert answer.information == {0: b"Tagloom", 1: b"PLANT", 2: b"1.0"}


def test_that_both_servers_listen_on_loopback_only(plant: Plant) -> None:
    for pid in (plant.opcua_pid, plant.modbus_pid):
        listening = [c.laddr.ip for c in psutil.Process(pid).net_connections("inet") if c.status == psutil.CONN_LISTEN]
        assert listening == ["127.0.0.1"]


async def test_that_a_killed_server_comes_back_on_its_port_and_its_line_went_on() -> None:
    with start_plant(seed=3) as plant:
        url, pid = plant.opcua_url, plant.opcua_pid
        async with opcua(url) as client:
            before = await value_of(client, "Line4/Filler1/BottleCount")
        plant.kill_opcua()
        assert (plant.opcua_pid, plant.modbus_pid is None) == (None, False)
        with pytest.raises(OSError, match=r"refused|failed|timed out"):
            socket.create_connection(("127.0.0.1", int(url.split(":")[2].split("/")[0])), timeout=2)
        plant.restart_opcua()
        assert plant.opcua_url == url
        assert plant.opcua_pid not in {None, pid}
        async with opcua(url) as client:
            after = await value_of(client, "Line4/Filler1/BottleCount")
            assert after >= before

            async def goes_on() -> bool:
                return bool(await value_of(client, "Line4/Filler1/BottleCount") > before)

            await eventually(goes_on)
        modbus_url = plant.modbus_url
        plant.kill_modbus()
        plant.restart_modbus()
        assert plant.modbus_url == modbus_url


def test_that_two_plants_run_side_by_side_and_stopping_leaves_nothing() -> None:
    with start_plant(seed=1) as first, start_plant(seed=2) as second:
        assert len({first.opcua_url, second.opcua_url, first.modbus_url, second.modbus_url}) == 4
        children = psutil.Process().children(recursive=True)
        pids = {first.opcua_pid, first.modbus_pid, second.opcua_pid, second.modbus_pid}
        assert pids <= {child.pid for child in children}
        first.stop()
        first.stop()
        assert first.opcua_pid is None
    assert not any(psutil.pid_exists(pid) for pid in pids if pid is not None)


def test_that_a_server_whose_port_is_taken_says_why_and_nothing_is_left_running() -> None:
    with start_plant(seed=1) as plant:
        plant.kill_modbus()
        host, port = plant.modbus_url.removeprefix("modbus://").split(":")
        with (
            socket.create_server((host, int(port))),
            pytest.raises(UserError, match="Modbus server of the demo plant did not start") as failed,
        ):
            plant.restart_modbus()
        assert plant.modbus_pid is None
    assert f"Cannot listen on 127.0.0.1:{port}" in failed.value.why


def test_that_the_servers_end_when_their_parent_is_killed() -> None:
    script = (
        "import sys, time\n"
        "from app.plant.process import start_plant\n"
        "with start_plant() as plant:\n"
        "    print(plant.opcua_pid, plant.modbus_pid, flush=True)\n"
        "    time.sleep(600)\n"
    )
    servers: list[psutil.Process] = []
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=server_environment())
    try:
        assert parent.stdout is not None
        servers = [psutil.Process(int(pid)) for pid in parent.stdout.readline().split()]
        assert len(servers) == 2
        parent.kill()
        _, alive = psutil.wait_procs(servers, timeout=SOON_S)
        assert alive == []
    finally:
        parent.kill()
        parent.wait()
        for server in servers:
            with suppress(psutil.NoSuchProcess):
                server.kill()  # only where the test fails; they are no longer this process' children
        if parent.stdout is not None:
            parent.stdout.close()


@pytest.mark.parametrize("module", [OPCUA, MODBUS])
async def test_that_a_server_that_was_asked_to_stop_ends_well_and_has_written_nothing_to_stderr(module: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *server_command(module, ["--with-parent"]),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=server_environment(),
    )
    assert process.stdout is not None
    assert process.stdin is not None
    url = json.loads(await process.stdout.readline())["url"]
    for _ in range(2):
        if module == OPCUA:
            async with opcua(url) as client:
                assert await value_of(client, "Line4/Heartbeat") is not None
        else:
            async with modbus(url) as device:
                assert (await device.read_holding_registers(0, count=1, device_id=77)).isError()
                assert not (await device.read_holding_registers(100, count=2, device_id=3)).isError()
    process.stdin.close()
    async with asyncio.timeout(SOON_S):
        _, complaints = await process.communicate()
    assert (process.returncode, complaints.decode()) == (0, "")
