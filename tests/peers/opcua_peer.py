"""The difficult OPC UA server as an object."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from tests.peers.server_process import ServerProcess

LINE = "nsu=urn:peer:line%3B1;"
PLC = "nsu=urn:peer:plc;"
"""How the addresses of the peer's own two namespaces begin."""


class OpcUaPeer(ServerProcess):
    """Running already."""

    def __init__(self, *options: str) -> None:
        super().__init__("tests.peers.opcua_server")
        self.url = f"opc.tcp://127.0.0.1:{self.port}/peer"
        self.start(*options)

    def start(self, *options: str) -> None:
        super().start(*options)
        self.wait_ready()


@contextlib.contextmanager
def opcua_peer(*options: str) -> Iterator[OpcUaPeer]:
    peer = OpcUaPeer(*options)
    try:
        yield peer
    finally:
        peer.kill()
