"""Every byte that a session sends in a long random use, good weather and bad, is a request that only reads."""

from __future__ import annotations

import asyncio
import random

from app.drivers.base import EndpointConfig, Item, WatchItem
from app.drivers.modbus.guard import REQUEST_SIZES, RequestError, forbidden
from app.drivers.modbus.session import ModbusSession
from app.errors import EndpointError
from tests.peers.modbus_adversary import Adversary

READING = {1, 2, 3, 4, 7, 8, 11, 17, 43}


class Recording:
    """Passes a connection on to a device that answers wrongly every third time, and keeps all that the session sends."""

    def __init__(self) -> None:
        self.sent = b""
        self.device = Adversary("tcp", 5, 0.05, wrong=0.3)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner = asyncio.StreamReader()
        device = asyncio.create_task(self.device.serve(inner, writer))
        try:
            while data := await reader.read(4096):
                self.sent += data
                inner.feed_data(data)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            inner.feed_eof()
            await asyncio.gather(device, return_exceptions=True)
            writer.close()

    def requests(self) -> list[bytes]:
        """PDUs. A session begins a frame and ends it, so that they can be cut by their own length."""
        found, at = [], 0
        while at < len(self.sent):
            end = at + 6 + int.from_bytes(self.sent[at + 4 : at + 6], "big")
            found.append(self.sent[at + 7 : end])
            at = end
        return found


async def use(session: ModbusSession, chance: random.Random) -> None:
    """One thing that a person, a poll or a scan may do."""
    address = f"{chance.randrange(1, 4)}/{chance.choice(('holding', 'input', 'coil', 'discrete'))}:{chance.randrange(3000)}"
    match chance.randrange(5):
        case 0:
            await session.read([Item(address=address), Item(address="holding:7:float32"), Item(address="nonsense")])
        case 1:
            await session.set_watch([WatchItem(handle=chance.randrange(20), address=address, interval_ms=10)], [chance.randrange(20)])
        case 2:
            await session.details([address, "3/"])
        case 3:
            function = chance.choice(sorted(READING))
            pdu = bytes((function, *([0] * (REQUEST_SIZES[function] - 1))))
            await session._wire.raw(chance.randrange(256), b"\x2b\x0e\x01\x00" if function == 43 else pdu)
        case 4:
            await session._wire.identify(1)


async def test_that_nothing_but_reading_requests_is_sent_in_a_long_random_use() -> None:
    chance, recording = random.Random(9), Recording()
    server = await asyncio.start_server(recording.serve, "127.0.0.1", 0)
    url = f"modbus://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    done = 0
    try:
        async with asyncio.timeout(60):
            while done < 300:
                session = ModbusSession(EndpointConfig(name="m", url=url, settings={"timeout_s": 0.05, "retries": 1, "in_flight": 3}))
                try:
                    await session.open(2)
                    while not session._wire.lost.is_set() and done < 300:
                        done += 1
                        try:
                            await use(session, chance)
                        except RequestError:
                            continue
                except EndpointError:
                    continue
                finally:
                    await session.close()
    finally:
        server.close()
        for task in recording.device.late:
            task.cancel()
    requests = recording.requests()
    assert len(requests) > 400
    assert {pdu[0] for pdu in requests} == READING
    assert [pdu for pdu in requests if forbidden(pdu)] == []
