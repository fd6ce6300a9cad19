"""The plant's Modbus TCP server as a process of its own: `python -m app.plant.modbus_server --port 0`."""

import asyncio
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import cast

from pymodbus.constants import ExcCodes
from pymodbus.pdu.device import ModbusDeviceIdentification
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from app.plant import serving
from app.plant.catalog import REGISTERS
from app.plant.modbus_map import Register, Table
from app.plant.physics import Line
from app.plant.registers import encode
from app.plant.signals import bind

# Function codes by the table they reach (Modbus V1.1b3 §6).
TABLES = {
    1: Table.COIL, 5: Table.COIL, 15: Table.COIL,
    2: Table.DISCRETE,
    3: Table.HOLDING, 6: Table.HOLDING, 16: Table.HOLDING, 22: Table.HOLDING, 23: Table.HOLDING,
    4: Table.INPUT,
}  # fmt: skip
BIT_TABLES = {Table.COIL, Table.DISCRETE}


class LiveRegister:
    """One item of the map while the server runs."""

    def __init__(self, register: Register, line: Line) -> None:
        self.register = register
        self._signal = bind(line, register.source) if register.source else None

    def words(self) -> list[int]:
        """What the item's registers hold now (a bit table's item: 0 or 1)."""
        value = self.register.constant if self._signal is None else self._signal.get()
        return encode(self.register, value) if self.register.type else [int(bool(value))]

    def accepts(self, raw: int) -> bool:
        """Whether a client may write this raw value."""
        return self.register.limits is not None and self.register.limits[0] <= raw <= self.register.limits[1]

    def write(self, raw: int) -> None:
        """Carries a raw value that was accepted into the line."""
        if self._signal is not None:
            self._signal.set(raw * self.register.scale if self.register.type else bool(raw))


class Device:
    """One unit id. pymodbus asks `on_request` before it answers; values are then fetched from the line as it stands."""

    def __init__(self, unit_id: int, registers: Iterable[Register], line: Line) -> None:
        self.unit_id = unit_id
        self._live = [LiveRegister(register, line) for register in registers if register.unit_id == unit_id]
        self._by_place = {
            (live.register.table, live.register.address + offset): (live, offset)
            for live in self._live
            for offset in range(live.register.words)
        }

    def simulated(self) -> SimDevice:
        """The device as pymodbus takes it: four tables of their own; what is not listed answers exception 2."""
        return SimDevice(
            id=self.unit_id,
            simdata=(
                self._bits(Table.COIL),
                self._bits(Table.DISCRETE),
                self._words(Table.HOLDING),
                self._words(Table.INPUT),
            ),
            action=self.on_request,
        )

    def _of(self, table: Table) -> list[LiveRegister]:
        return sorted((live for live in self._live if live.register.table is table), key=lambda x: x.register.address)

    def _bits(self, table: Table) -> list[SimData]:
        bits = [bool(live.words()[0]) for live in self._of(table)]
        padded = bits + [False] * (-len(bits) % 16)
        return [SimData(0, values=list(padded), datatype=DataType.BITS)]

    def _words(self, table: Table) -> list[SimData]:
        return [
            SimData(
                live.register.address,
                values=live.words(),
                datatype=DataType.REGISTERS,
                readonly=not live.register.writable,
            )
            for live in self._of(table)
        ]

    async def on_request(
        self,
        function_code: int,
        start_address: int,
        address: int,
        count: int,
        current_registers: list[int],
        set_values: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        """Fills pymodbus' registers with the values of now, or takes a write; answers exceptions 2 and 3 to bad ones."""
        table = TABLES[function_code]
        if set_values is not None:
            return self._write(table, address, [int(value) for value in set_values])
        if table in BIT_TABLES:
            self._read_bits(table, current_registers)
            return None
        for place in range(address, address + count):
            live, offset = self._by_place[table, place]
            current_registers[place - start_address] = live.words()[offset]
        return None

    def _read_bits(self, table: Table, current_registers: list[int]) -> None:
        # pymodbus packs sixteen bits into a register, bit 0 first; every list of ours starts at address 0.
        for live in self._of(table):
            word, bit = divmod(live.register.address, 16)
            mask = 1 << bit
            current_registers[word] = current_registers[word] & ~mask | (mask if live.words()[0] else 0)

    def _write(self, table: Table, address: int, values: Sequence[int]) -> ExcCodes | None:
        targets = [self._by_place.get((table, address + offset)) for offset in range(len(values))]
        if any(target is None or not target[0].register.writable for target in targets):
            return ExcCodes.ILLEGAL_ADDRESS
        pairs = [(target[0], value) for target, value in zip(targets, values, strict=True) if target is not None]
        if not all(live.accepts(value) for live, value in pairs):
            return ExcCodes.ILLEGAL_VALUE
        for live, value in pairs:
            live.write(value)
        return None


async def _no_such_unit(*_: object) -> ExcCodes:
    return ExcCodes.GATEWAY_NO_RESPONSE


def other_units() -> SimDevice:
    """Every other unit id answers as a gateway does behind which nothing answers: exception 0x0B.

    pymodbus sends requests for unlisted unit ids to id 0; without such a device it answers exception 4.
    """
    everything = SimData(0, count=65536, values=0, datatype=DataType.REGISTERS)
    return SimDevice(id=0, simdata=[everything], action=_no_such_unit)


def identification() -> ModbusDeviceIdentification:
    """What function 43/14 answers."""
    return ModbusDeviceIdentification(  # type: ignore[no-untyped-call]  # pymodbus leaves it without annotations
        info_name={
            "VendorName": "Tagloom",
            "ProductCode": "PLANT",
            "MajorMinorRevision": "1.0",
            "VendorUrl": "urn:tagloom:plant",
            "ProductName": "Demo plant gateway",
            "ModelName": "TLM-630",
        }
    )


async def serve(options: serving.Options) -> None:
    """Serves until the process is told to stop."""
    stop = serving.stop_event(with_parent=options.with_parent)
    pace = serving.Pace(options.seed, options.epoch, datetime.now(UTC))
    unit_ids = dict.fromkeys(register.unit_id for register in REGISTERS)
    devices = [Device(unit_id, REGISTERS, pace.line).simulated() for unit_id in unit_ids]
    server = ModbusTcpServer([*devices, other_units()], identity=identification(), address=(serving.HOST, options.port))
    if not await server.listen():
        raise OSError("the port is taken")
    listener = cast(asyncio.Server, server.transport)  # pymodbus keeps the asyncio server where clients keep a transport
    port = listener.sockets[0].getsockname()[1]
    serving.announce(url=f"modbus://{serving.HOST}:{port}", port=port, registers=len(REGISTERS))
    try:
        while not stop.is_set():
            pace.advance(datetime.now(UTC))
            try:
                async with asyncio.timeout(pace.wait_s(datetime.now(UTC))):
                    await stop.wait()
            except TimeoutError:
                continue
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call]  # as above


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the server; exit code 2 when the port is taken."""
    options = serving.parse_options("Tagloom demo plant: Modbus TCP server", arguments)
    serving.log_warnings()
    try:
        asyncio.run(serve(options))
    except OSError as error:
        sys.stderr.write(f"Cannot listen on {serving.HOST}:{options.port}: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
