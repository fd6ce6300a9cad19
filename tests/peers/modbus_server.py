"""A real pymodbus server in a process of its own: units 1 and 3, a gap in each, every value says where it came from.

Registers: input n of unit u holds ``u * 10000 + n % 10000``; holding n holds ``u * 20000 + n % 10000`` below 1000. Holding 1000… carries
known values (see ``KNOWN``). Coils: bit n is set when ``(u + n) % 3 == 0``. Holding 200…209 are not there. Unit 9 never answers.

``python -m tests.peers.modbus_server PORT`` prints ``ready`` when it listens.
"""

from __future__ import annotations

import asyncio
import struct
import sys

from pymodbus.pdu.device import ModbusDeviceIdentification
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

GAP = range(200, 210)
UNITS = (1, 3)


def words(form: str, value: float) -> list[int]:
    raw = struct.pack(form, value)
    return [int.from_bytes(raw[at : at + 2], "big") for at in range(0, len(raw), 2)]


KNOWN: dict[int, list[int]] = {
    1000: words(">f", 123.5),  # ABCD
    1002: words(">f", 123.5)[::-1],  # CDAB
    1004: words(">i", -5),
    1006: words(">q", 2**60 + 1),
    1010: words(">d", 0.1),
    1014: words(">h", -2),
    1015: words(">f", float("nan")),
    1020: [0x5461, 0x676C, 0x6F6F, 0x6D00],  # "Tagloom"
    1030: [0b1000_0000_0000_0101],
}


def holding(unit: int, address: int) -> int:
    for start, content in KNOWN.items():
        if start <= address < start + len(content):
            return content[address - start]
    return unit * 20000 + address % 10000


def register_of_input(unit: int, address: int) -> int:
    return unit * 10000 + address % 10000


def bit(unit: int, address: int) -> bool:
    return (unit + address) % 3 == 0


def device(unit: int) -> SimDevice:
    return SimDevice(
        id=unit,
        simdata=(
            [SimData(0, values=[bit(unit, address) for address in range(4000)], datatype=DataType.BITS)],
            [SimData(0, values=[not bit(unit, address) for address in range(4000)], datatype=DataType.BITS)],
            [
                SimData(part.start, values=[holding(unit, address) for address in part], datatype=DataType.REGISTERS)
                for part in (range(GAP.start), range(GAP.stop, 2000))
            ],
            [SimData(0, values=[register_of_input(unit, address) for address in range(4000)], datatype=DataType.REGISTERS)],
        ),
    )


async def main(port: int) -> None:
    names = {"VendorName": "Loom", "ProductCode": "T-1", "MajorMinorRevision": "2.3"}
    identity = ModbusDeviceIdentification(info_name=names)  # type: ignore[no-untyped-call]  # pymodbus has no types there
    devices = [device(unit) for unit in UNITS]
    server = ModbusTcpServer(devices, identity=identity, address=("127.0.0.1", port), ignore_missing_devices=True)
    await server.listen()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
