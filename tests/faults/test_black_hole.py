"""An address that swallows connections: an attempt is over soon, so that the next finds the link that is back."""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from collections.abc import Iterator

import pytest

from app.drivers.modbus.session_line import CONNECT_S, TcpLine
from app.drivers.opcua.hello import STEP_S, greet
from app.errors import EndpointError


@pytest.fixture
def hole() -> Iterator[int]:
    """A port whose queue of connections is full: the system drops what comes more, as a firewall would."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]
        for filler in fillers:
            filler.close()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse instead of dropping")
async def test_that_an_attempt_into_a_black_hole_is_over_soon_though_more_time_was_given(hole: int) -> None:
    begun_s = time.monotonic()
    opcua, modbus = await asyncio.gather(
        greet(f"opc.tcp://127.0.0.1:{hole}", 30.0), TcpLine("127.0.0.1", hole).open(30.0), return_exceptions=True
    )
    assert isinstance(opcua, EndpointError)
    assert opcua.why == f"no answer from 127.0.0.1 within {STEP_S:g} s"
    assert isinstance(modbus, EndpointError)
    assert modbus.why == f"no answer to the TCP connection within {CONNECT_S:g} s"
    assert time.monotonic() - begun_s < max(STEP_S, CONNECT_S) + 3
