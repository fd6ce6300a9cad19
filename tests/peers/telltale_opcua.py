"""An OPC UA server whose every value tells whose it is, and whose address space changes on command, in its own process.

``python -m tests.peers.telltale_opcua --port N --server 1 [--swap] [--without NAME] [--retype NAME] [--usurp NAME] [--move NAME]``
prints ``ready``. Then it reads one command per line, does it and prints ``ok``: ``remove NAME``, ``add NAME``, ``retype NAME``,
``usurp NAME``, ``move NAME`` (the variable under another id, at its old place), ``most N``, ``drop-loudly``, ``drop-silently``.
A name is ``line/0`` … ``plc/5``. Variables change ten times a second.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import threading
from pathlib import Path
from typing import Any, Final

import asyncua.ua
from asyncua.server.internal_session import InternalSession
from asyncua.server.internal_subscription import InternalSubscription
from asyncua.server.server import Server

from tests.peers.opcua_server import drop_subscriptions
from tests.peers.telltale import owner, value_of

ua: Any = asyncua.ua  # Any: its annotations ask for wrappers that it does not need

SPACES: Final = {"line": "urn:telltale:line;1", "plc": "urn:telltale:plc"}
NUMBERS: Final = range(6)
USURPER, RETYPED = 50, 70
"""Added to the number of a variable: another one under its id, and it with another type."""
EVERY_S: Final = 0.1
_FIELDS: Final = {"read": "NodesToRead", "browse": "NodesToBrowse", "create_monitored_items": "ItemsToCreate"}
_OVERFLOW: Final = 0x480
_GONE: Final = 0x80340000


class Plant:
    """The address space, and what is done to it."""

    def __init__(self, server: Server, number: int) -> None:
        self.server, self.number = server, number
        self._folders: dict[str, Any] = {}
        self._index: dict[str, int] = {}
        self._variables: dict[str, tuple[Any, int, Any]] = {}

    async def build(self, swap: bool) -> None:
        for space in reversed(SPACES) if swap else SPACES:
            self._index[space] = await self.server.register_namespace(SPACES[space])
        for space, index in self._index.items():
            self._folders[space] = await self.server.nodes.objects.add_folder(ua.NodeId(space, index), f"{index}:{space}")
            for number in NUMBERS:
                await self.add(f"{space}/{number}")

    async def add(self, name: str, *, more: int = 0, moved: bool = False, other: bool = False) -> None:
        space, _, digits = name.partition("/")
        index, number = self._index[space], int(digits)
        as_double = (number % 2 == 0) != (more == RETYPED)
        kind = ua.VariantType.Double if as_double else ua.VariantType.Int64
        code = owner(self.number, 1 + list(SPACES).index(space), number + more)
        browse_name = f"{index}:{'Other' if other else 'V'}{number}"
        node_id = ua.NodeId(f"Moved{number}", index) if moved else ua.NodeId(1000 + number, index)
        node = await self._folders[space].add_variable(node_id, browse_name, value_of(code), kind)
        self._variables[name] = node, code, kind
        await self._resume(node.nodeid)

    async def remove(self, name: str) -> None:
        node, _, _ = self._variables.pop(name)
        for callback in list(self.server.iserver.aspace[node.nodeid].attributes[ua.AttributeIds.Value].datachange_callbacks):
            self.server.iserver.aspace.delete_datachange_callback(callback)  # asyncua's own way is a coroutine nobody awaits
        await self.server.delete_nodes([node])
        for subscription, item in self._items_of(node.nodeid):
            event = ua.MonitoredItemNotification(item.client_handle, ua.DataValue(None, ua.StatusCode(_GONE)))
            await subscription.enqueue_datachange_event(item.monitored_item_id, event, item.queue_size)

    async def _resume(self, node_id: Any) -> None:
        """As servers do that sample by node id: an item whose node was deleted goes on with whatever has that id now."""
        space = self.server.iserver.aspace
        for subscription, item in self._items_of(node_id):
            service = subscription.monitored_item_srv
            status, handle = space.add_datachange_callback(node_id, ua.AttributeIds.Value, service.datachange_callback)
            assert status.is_good()
            service._monitored_datachange[handle] = item.monitored_item_id
            await service.trigger_datachange(handle, node_id, ua.AttributeIds.Value)

    def _items_of(self, node_id: Any) -> list[tuple[Any, Any]]:
        subscriptions: Any = self.server.iserver.subscription_service.subscriptions.values()
        return [
            (subscription, item)
            for subscription in subscriptions
            for item in subscription.monitored_item_srv._monitored_items.values()
            if item.read_value_id.NodeId == node_id
        ]

    async def change(self, how: str, name: str) -> None:
        if name in self._variables:
            await self.remove(name)
        if how == "add":
            await self.add(name)
        elif how == "retype":
            await self.add(name, more=RETYPED)
        elif how == "usurp":
            await self.add(name, more=USURPER, other=True)
        elif how == "move":
            await self.add(name, moved=True)

    async def tick(self) -> None:
        for node, code, kind in list(self._variables.values()):
            await node.write_value(float(value_of(code)) if kind == ua.VariantType.Double else value_of(code), kind)


class Limit:
    """Operations per request that the server takes, though its limits say nothing of it; 0 is any number."""

    most = 0


def limit_operations() -> None:
    for name, field in _FIELDS.items():
        _limit(name, field)


def _limit(name: str, field: str) -> None:
    original = getattr(InternalSession, name)

    async def limited(self: InternalSession, params: Any, *more: Any) -> Any:
        if Limit.most and len(getattr(params, field)) > Limit.most and self.external:
            raise ua.uaerrors.BadTooManyOperations
        return await original(self, params, *more)

    setattr(InternalSession, name, limited)


def mark_overflows() -> None:
    """OPC 10000-4 §5.13.1.5: the value after those that a full queue lost carries the overflow bit. asyncua's server leaves it out."""

    async def enqueue(self: Any, mid: int, event: Any, size: int, queue: dict[int, list[Any]]) -> None:
        waiting = queue.setdefault(mid, [])
        waiting.append(event)
        if size and len(waiting) > size:
            waiting.pop(0)
            first = waiting[0]
            status = ua.StatusCode(first.Value.StatusCode.value | _OVERFLOW)
            value = ua.DataValue(first.Value.Value, status, first.Value.SourceTimestamp, first.Value.ServerTimestamp)
            waiting[0] = ua.MonitoredItemNotification(first.ClientHandle, value)

    kind: Any = InternalSubscription
    kind._enqueue_event = enqueue


def listen(loop: asyncio.AbstractEventLoop, commands: asyncio.Queue[str]) -> None:
    for line in sys.stdin:
        loop.call_soon_threadsafe(commands.put_nowait, line.strip())
    loop.call_soon_threadsafe(commands.put_nowait, "stop")


def say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


async def obey(plant: Plant, command: str) -> None:
    how, _, name = command.partition(" ")
    if how == "most":
        Limit.most = int(name)
    elif how.startswith("drop"):
        await drop_subscriptions(plant.server, silently=how == "drop-silently")
    else:
        await plant.change(how, name)
    say("ok")


async def serve(options: argparse.Namespace) -> None:
    server = Server()
    await server.init()
    await server.set_application_uri(f"urn:telltale:server:{options.server}")
    server.socket_address = ("127.0.0.1", options.port)
    server.set_endpoint(f"opc.tcp://127.0.0.1:{options.port}/peer")
    server.set_server_name(f"Telltale {options.server}")
    policies = [ua.SecurityPolicyType.NoSecurity]
    if options.certificate:
        policies.append(ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt)
        await server.load_certificate(Path(options.certificate))
        await server.load_private_key(Path(options.key))
    server.set_security_policy(policies)
    plant = Plant(server, options.server)
    await plant.build(options.swap)
    for how in ("remove", "retype", "usurp", "move"):
        for name in getattr(options, how):
            await plant.change(how, name)
    Limit.most = options.most
    limit_operations()
    mark_overflows()
    commands: asyncio.Queue[str] = asyncio.Queue()
    threading.Thread(target=listen, args=(asyncio.get_running_loop(), commands), daemon=True).start()
    async with server:
        say("ready")
        while True:
            await plant.tick()
            try:
                async with asyncio.timeout(EVERY_S):
                    command = await commands.get()
            except TimeoutError:
                continue
            if command == "stop":
                return
            await obey(plant, command)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--server", type=int, required=True)
    parser.add_argument("--swap", action="store_true", help="the two namespaces in the other order")
    parser.add_argument("--most", type=int, default=0, help="operations per request")
    parser.add_argument("--certificate", default="")
    parser.add_argument("--key", default="")
    for how in ("remove", "retype", "usurp", "move"):
        parser.add_argument(f"--{how}", action="append", default=[])
    logging.disable(logging.CRITICAL)
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
