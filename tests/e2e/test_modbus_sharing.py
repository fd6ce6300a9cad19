"""The line is shared fairly among units, and a device or unit that was stuck is read again soon after it has come back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest

from app.drivers.base import Ended, EndpointConfig, UnitSettings, WatchItem
from app.drivers.modbus.session import ModbusSession
from app.model.columns import SampleColumns
from app.model.values import Quality
from tests.peers.modbus_fake import Request, fake_device, right


async def samples_until(session: ModbusSession, wanted: Callable[[SampleColumns], bool], timeout_s: float) -> None:
    async with asyncio.timeout(timeout_s):
        async for event in session.events():
            assert not isinstance(event, Ended), event.why
            if isinstance(event, SampleColumns) and wanted(event):
                return


def session_to(port: int, **settings: bool | float) -> ModbusSession:
    units = (UnitSettings(number=1), UnitSettings(number=9))
    known: dict[str, bool | int | float | str] = {"ask_identity": False, "timeout_s": 0.3, **settings}
    return ModbusSession(EndpointConfig(name="m", url=f"modbus://127.0.0.1:{port}", settings=known, units=units))


async def test_that_a_unit_that_answers_slowly_does_not_keep_the_others_from_their_beat() -> None:
    async def answer(request: Request) -> bytes:
        if request.unit == 9:
            await asyncio.sleep(0.1)
        return right(request)

    async with fake_device(answer) as device:
        session = session_to(device.port)
        await session.open(5)
        try:
            slow = [WatchItem(handle=n, address=f"9/holding:{n * 200}", interval_ms=50) for n in range(20)]
            await session.set_watch([*slow, WatchItem(handle=50, address="1/holding:4", interval_ms=50)], [])
            turns = 0

            def take(event: SampleColumns) -> bool:
                nonlocal turns
                turns += int((event.handle == 50).sum())
                return turns >= 10

            await samples_until(session, take, 10)
            assert sum(request.unit == 9 for request in device.requests) <= 2 * 10  # of one cycle of 20 blocks, not of ten
        finally:
            await session.close()


@pytest.mark.parametrize("whole", [True, False])
async def test_that_what_was_stuck_is_read_again_within_five_seconds(whole: bool) -> None:
    """The whole device for 3.5 s, less than the session waits for; or one unit behind a gateway for longer."""
    stuck = False

    async def answer(request: Request) -> bytes:
        return b"" if stuck and (whole or request.unit == 9) else right(request)

    async with fake_device(answer) as device:
        session = session_to(device.port)
        await session.open(5)
        try:
            await session.set_watch([WatchItem(handle=unit, address=f"{unit}/holding:4", interval_ms=50) for unit in (1, 9)], [])
            await samples_until(session, lambda event: 9 in event.handle, 5)
            stuck = True
            began_s = time.monotonic()
            await samples_until(session, lambda event: time.monotonic() - began_s > 3.5, 10)
            stuck = False
            back_s = time.monotonic()
            good: set[int] = set()

            def take(event: SampleColumns) -> bool:
                good.update(event.handle[event.quality == Quality.GOOD].tolist())
                return 9 in good

            await samples_until(session, take, 5)
            assert time.monotonic() - back_s < 5
        finally:
            await session.close()
