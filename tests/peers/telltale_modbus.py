"""A Modbus TCP device whose every value tells whose it is and when it was read, in its own process.

``python -m tests.peers.telltale_modbus --port N --server 1 [--places 24]`` prints ``ready``. Holding register 0 of every unit is the
server's number; from 4 on, each four registers are one uint64: the telltale of (server, unit, place % 100). Units 1…3, nothing else.
"""

from __future__ import annotations

import argparse
import asyncio
import struct
import sys
from contextlib import suppress
from typing import Final

from tests.peers.telltale import owner, value_of

UNITS: Final = range(1, 4)
PLACES: Final = range(1, 25)
_HOLDING, _ILLEGAL_FUNCTION, _ILLEGAL_ADDRESS = 3, 1, 2


def registers(server: int, unit: int, address: int, count: int) -> list[int]:
    """From ``address`` on. All of one answer are of one moment, or about."""
    words: list[int] = []
    for place in range(address // 4, (address + count + 3) // 4):
        value = value_of(owner(server, unit, place % 100)) if place else server << 48
        words += struct.unpack(">4H", struct.pack(">Q", value))
    return words[address % 4 :][:count]


def answer(server: int, places: int, unit: int, pdu: bytes) -> bytes:
    function = pdu[0]
    if function != _HOLDING or len(pdu) != 5:
        return bytes((function | 0x80, _ILLEGAL_FUNCTION))
    address, count = struct.unpack(">HH", pdu[1:])
    if unit not in UNITS or not 1 <= count <= 125 or address + count > 4 * (places + 1):
        return bytes((function | 0x80, _ILLEGAL_ADDRESS))
    return bytes((function, 2 * count)) + struct.pack(f">{count}H", *registers(server, unit, address, count))


async def converse(server: int, places: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError, asyncio.IncompleteReadError):
        while True:
            transaction, protocol, length, unit = struct.unpack(">HHHB", await reader.readexactly(7))
            reply = answer(server, places, unit, await reader.readexactly(length - 1))
            writer.write(struct.pack(">HHHB", transaction, protocol, len(reply) + 1, unit) + reply)
            await writer.drain()
    writer.close()


async def serve(port: int, server: int, places: int) -> None:
    listening = await asyncio.start_server(lambda reader, writer: converse(server, places, reader, writer), "127.0.0.1", port)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    async with listening:
        await asyncio.to_thread(sys.stdin.read)  # until the test ends


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--server", type=int, required=True)
    parser.add_argument("--places", type=int, default=len(PLACES), help="of each unit")
    options = parser.parse_args()
    asyncio.run(serve(options.port, options.server, options.places))


if __name__ == "__main__":
    main()
