"""A real pymodbus server in a process of its own: units 1 and 3, a gap in each, every value says where it came from.

Registers: input n of unit u holds ``u * 10000 + n % 10000``; holding n holds ``u * 20000 + n % 10000`` below 1000. Holding 1000… carries
known values (see ``KNOWN``). Coils: bit n is set when ``(u + n) % 3 == 0``. Holding 200…209 are not there. Unit 9 never answers.
Unit 47 is an inverter with few registers (see ``INVERTER_HOLES``), one value of each register type from 500 on, and SunSpec at 40000.

``python -m tests.peers.modbus_server PORT`` prints ``ready`` when it listens on TCP. A second word says how: ``rtutcp`` with RTU frames;
``rtu`` on the serial port that stands in place of PORT (19200 8N1: a pseudo terminal has no parity); ``tls``, with the folder of
``own.pem`` and ``clients.pem`` as third word.
"""

from __future__ import annotations

import asyncio
import ssl
import struct
import sys
from collections.abc import Callable
from pathlib import Path

from pymodbus import FramerType
from pymodbus.pdu.device import ModbusDeviceIdentification
from pymodbus.server import ModbusSerialServer, ModbusTcpServer, ModbusTlsServer
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


INVERTER = 47
INVERTER_HOLES = (*range(10, 13), 37, *range(60, 100))
"""Of holding 0…99; what is there holds its address + 7."""


def text_words(text: str, count: int) -> list[int]:
    raw = text.encode().ljust(2 * count, b"\0")
    return [int.from_bytes(raw[at : at + 2], "big") for at in range(0, len(raw), 2)]


def sunspec() -> list[int]:
    """From the marker at 40000 on: common model, three-phase inverter, two DC inputs, a model of the maker's own, the end.

    Written with the offsets of the SunSpec Information Model by hand, not with our table of them.
    """
    common = [
        1,
        66,
        *text_words("Loom", 16),
        *text_words("SolarOne", 16),
        *text_words("", 8),
        *text_words("1.2.3", 8),
        *text_words("S-4711", 16),
        47,
        0x8000,
    ]
    inverter = [103, 50, *[0xFFFF] * 50]
    for at, word in {
        2: 435, 3: 145, 4: 145, 5: 145, 6: 0xFFFF, 10: 2301, 11: 2312, 12: 2298, 13: 0xFFFF,  # A, V in tenths
        14: 998, 15: 1, 16: 4998, 17: 0xFFFE,  # W in tens, Hz in hundredths
        18: 0x8000, 20: 0x8000, 22: 0x8000, 31: 0x8000, 19: 0x8000, 21: 0x8000, 23: 0x8000, 24: 2, 25: 4464, 26: 0,  # 135536 Wh
        28: 0x8000, 30: 0x8000, 32: 0x8000, 33: 412, 34: 0x8000, 35: 0x8000, 36: 0x8000, 37: 0xFFFF, 38: 4,
    }.items():  # fmt: skip
        inverter[at] = word
    inputs = [160, 48, 0xFFFE, 0xFFFF, 0, 0, 0xFFFF, 0xFFFF, 2, 0]
    for number in (1, 2):
        inputs += [number, *text_words(f"PV{number}", 8), 810 + number, 6234, 505, 0, 77, 0xFFFF, 0xFFFF, 31, 4, 0, 0]
    return [0x5375, 0x6E53, *common, *inverter, *inputs, 64999, 3, 1, 2, 3, 0xFFFF, 0]


TYPED: dict[int, list[int]] = {
    500: [0x1234],  # bcd16
    501: [0x1234, 0x5678],  # bcd32
    503: [12, 3456],  # mod10k32
    505: [0x3E00],  # float16 1.5
    506: [0x69A7, 0xBDBF],  # unix32 2026-03-04 05:06:07
    508: [0x001A, 0x0364, 0x0506, 0x1BB1],  # cp56, the same and 89 ms
    512: [0x123A],  # no BCD
    513: [0x8005],  # sm16 -5
    514: [0x4142, 0x2020],  # "AB", padded with spaces
}
"""Of unit 47: holding address → words."""


def inverter() -> SimDevice:
    there = [address for address in range(100) if address not in INVERTER_HOLES]
    starts = [address for address in there if address - 1 not in there]
    parts: dict[int, list[int]] = {}
    for start in starts:
        end = next(address for address in range(start, 101) if address not in there)
        parts[start] = [address + 7 for address in range(start, end)]
    parts[min(TYPED)] = [word for _, content in sorted(TYPED.items()) for word in content]
    parts[40000] = sunspec()
    return SimDevice(
        id=INVERTER,
        simdata=(
            [SimData(0, values=[False] * 16, datatype=DataType.BITS)],
            [SimData(0, values=[False] * 16, datatype=DataType.BITS)],
            [SimData(start, values=values, datatype=DataType.REGISTERS) for start, values in sorted(parts.items())],
            [SimData(0, values=[0] * 16, datatype=DataType.REGISTERS)],
        ),
    )


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


def mute(unit_at: int) -> Callable[[bool, bytes], bytes]:
    """Keeps back replies of unit 9: for a unit that it does not have, pymodbus answers with exception 4."""
    return lambda sending, data: b"" if sending and data[unit_at : unit_at + 1] == b"\x09" else data


def mutual(folder: Path) -> ssl.SSLContext:
    """Shows ``own.pem`` (key and certificate), and wants a certificate that stands in ``clients.pem``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT@SECLEVEL=0")  # a key that is too short is for the other side to find out
    context.load_cert_chain(folder / "own.pem")
    context.load_verify_locations(folder / "clients.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    return context


async def main(port: str, how: str = "tcp", folder: str = "") -> None:
    names = {
        "VendorName": "Loom", "ProductCode": "T-1", "MajorMinorRevision": "2.3", "VendorUrl": "http://loom.example",
        "ProductName": "Weaver", "ModelName": "W-1", "UserApplicationName": "Line 4",
    }  # fmt: skip
    identity = ModbusDeviceIdentification(info_name=names)  # type: ignore[no-untyped-call]  # pymodbus has no types there
    devices = [*(device(unit) for unit in UNITS), inverter()]
    trace = mute(0 if how.startswith("rtu") else 6)
    server: ModbusSerialServer | ModbusTcpServer
    if how == "rtu":
        server = ModbusSerialServer(devices, identity=identity, port=port, baudrate=19200, parity="N", trace_packet=trace)
    elif how == "tls":
        # Modbus/TCP Security has the frames of Modbus TCP; pymodbus's own TLS frames have no header.
        server = ModbusTlsServer(
            devices,
            framer=FramerType.SOCKET,
            identity=identity,
            address=("127.0.0.1", int(port)),
            sslctx=mutual(Path(folder)),
            trace_packet=trace,
        )
    else:
        framer = FramerType.RTU if how == "rtutcp" else FramerType.SOCKET
        server = ModbusTcpServer(devices, framer=framer, identity=identity, address=("127.0.0.1", int(port)), trace_packet=trace)
    await server.listen()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
