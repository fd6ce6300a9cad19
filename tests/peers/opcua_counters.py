"""An OPC UA server whose variables all count the seconds: ``python -m tests.peers.opcua_counters --port N --tags 500 --children 200``.

Under Objects stand the folders Counters, with as many variables as ``--tags`` (``i=1`` …), and Many, with ``--children`` variables.
All counters show the same number, one more each second; a second that comes late is not made good, so that what a client misses is no
work of this peer. Prints ``ready`` when it serves, and for each line it is told how many values asyncua has thrown out of a full queue so
far: it does so without the overflow bit.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import logging
import sys
import threading
from typing import Any

import asyncua.ua
from asyncua.server.internal_subscription import InternalSubscription
from asyncua.server.server import Server

ua: Any = asyncua.ua  # Any: its annotations ask for wrappers that it does not need

URI = "urn:peer:counters"


class Overwritten:
    """Values that left a full queue of a monitored item."""

    count = 0

    def begin(self) -> None:
        subscription: Any = InternalSubscription
        enqueue = subscription._enqueue_event

        async def counted(own: Any, item: int, event: Any, size: int, queue: dict[int, list[Any]]) -> None:
            self.count += 0 < size <= len(queue.get(item, ()))
            await enqueue(own, item, event, size, queue)

        subscription._enqueue_event = counted


async def serve(options: argparse.Namespace) -> None:
    server = Server()
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{options.port}/")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    index = await server.register_namespace(URI)
    folder = await server.nodes.objects.add_folder(ua.NodeId("Counters", index), f"{index}:Counters")
    counters = [
        await folder.add_variable(ua.NodeId(number, index), f"{index}:C{number}", 0, ua.VariantType.Int64)
        for number in range(1, options.tags + 1)
    ]
    many = await server.nodes.objects.add_folder(ua.NodeId("Many", index), f"{index}:Many")
    for number in range(options.children):
        await many.add_variable(ua.NodeId(10_000 + number, index), f"{index}:M{number}", float(number))
    overwritten, ended = Overwritten(), asyncio.Event()
    overwritten.begin()
    loop = asyncio.get_running_loop()

    def listen() -> None:
        for _ in sys.stdin:
            sys.stdout.write(f"{overwritten.count}\n")
            sys.stdout.flush()
        loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=listen, daemon=True).start()
    async with server:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        due_s = loop.time()
        for count in itertools.count(1):
            for counter in counters:
                await counter.write_value(count, ua.VariantType.Int64)
            due_s = max(due_s + 1.0, loop.time() + 0.5)
            try:
                async with asyncio.timeout_at(due_s):
                    await ended.wait()
            except TimeoutError:
                continue
            return


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--tags", type=int, default=500)
    parser.add_argument("--children", type=int, default=200)
    logging.disable(logging.CRITICAL)
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
