"""A telltale server as an object."""

from __future__ import annotations

from typing import Literal

from tests.peers.server_process import ServerProcess

Protocol = Literal["opcua", "modbus"]


class TelltalePeer(ServerProcess):
    """``number`` is what its values name it by. Not running yet."""

    def __init__(self, protocol: Protocol, number: int, *options: str) -> None:
        super().__init__(f"tests.peers.telltale_{protocol}", "--server", str(number), *options)
        self.number = number
