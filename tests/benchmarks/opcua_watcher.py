"""asyncua's client on a server that publishes, with the handler that its users write: ``URL ITEMS INTERVAL_MS NUMBER…``.

Prints as ``tests/peers/node_opcua/subscriber.js`` does.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from typing import Any

import asyncua
import asyncua.ua

ua: Any = asyncua.ua  # Any: its annotations ask for wrappers that it does not need
BATCH = 500


class Handler:
    def __init__(self) -> None:
        self.values = 0
        self.sum = 0.0

    def datachange_notification(self, node: Any, value: Any, data: Any) -> None:
        self.values += 1
        if isinstance(value, int | float):
            self.sum += value


async def watch(url: str, items: int, interval_ms: int, numbers: list[int]) -> None:
    library: Any = asyncua  # Any: it does not say what it exports
    handler = Handler()
    async with library.Client(url, timeout=60) as client:
        subscription = await client.create_subscription(interval_ms, handler)
        for first in range(0, items, BATCH):
            nodes = [client.get_node(ua.NodeId(numbers[item % len(numbers)], 2)) for item in range(first, min(first + BATCH, items))]
            await subscription.subscribe_data_change(nodes, queuesize=10)
        sys.stdout.write("watching\n")
        while True:
            await asyncio.sleep(0.25)
            sys.stdout.write(json.dumps({"values": handler.values, "sum": handler.sum, "cpu_s": time.process_time()}) + "\n")
            sys.stdout.flush()


def main() -> None:
    url, items, interval_ms, *numbers = sys.argv[1:]
    logging.disable(logging.CRITICAL)
    asyncio.run(watch(url, int(items), int(interval_ms), [int(number) for number in numbers]))


if __name__ == "__main__":
    main()
