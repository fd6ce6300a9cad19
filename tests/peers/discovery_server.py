"""An OPC UA server that lists others, as a discovery server does. ``python -m tests.peers.discovery_server PORT DEAD_PORT``.

It lists itself under a host name that nobody can resolve, a server whose port is closed, one that offers HTTPS only, and a client.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import Any

import asyncua.ua
from asyncua.server.server import Server

ua: Any = asyncua.ua  # Any: its annotations ask for wrappers that it does not need

UNKNOWN_HOST = "h" * 70 + ".plant"
"""A label longer than a name may have: refused by this computer itself, so that no name server is asked."""


def described(name: str, kind: Any, *urls: str) -> Any:
    return ua.ApplicationDescription(
        ApplicationUri=f"urn:peer:{name}", ApplicationName=ua.LocalizedText(name), ApplicationType=kind, DiscoveryUrls=list(urls)
    )


async def main(port: int, dead_port: int) -> None:
    logging.disable(logging.CRITICAL)
    server = Server()
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}/lister")
    server.set_server_name("Lister")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    kinds = ua.ApplicationType
    listed = [
        described("Elsewhere", kinds.Server, f"opc.tcp://{UNKNOWN_HOST}:{port}/lister"),
        described("Switched off", kinds.Server, f"opc.tcp://127.0.0.1:{dead_port}"),
        described("Web only", kinds.Server, "https://127.0.0.1:443/ua"),
        described("A client", kinds.Client),
    ]
    internal: Any = server.iserver
    internal.find_servers = lambda *_, **__: listed
    async with server:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
