"""A small OPC UA server in its own process, made to be difficult. ``python -m tests.peers.opcua_server --port N [options]``.

Prints ``ready`` when it serves. Reads commands from standard input, one per line: ``drop-loudly``, ``drop-silently``, ``stop``.
"""

import argparse
import asyncio
import itertools
import logging
import struct
import sys
import threading
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncua.ua
from asyncua.common.structures104 import new_enum, new_struct, new_struct_field
from asyncua.server.internal_session import InternalSession
from asyncua.server.server import Server
from asyncua.server.uaprocessor import UaProcessor
from asyncua.ua.ua_binary import struct_from_binary

from tests.peers.opcua_nodes import build_nodes
from tests.peers.opcua_spoilers import hang_browses, hang_reads, hang_up_on_large, spoil_reads

ua: Any = asyncua.ua  # Any: its annotations ask for wrappers that it does not need

LINE = "urn:peer:line;1"
PLC = "urn:peer:plc"
UNECE = "http://www.opcfoundation.org/UA/units/un/cefact"
WHEN = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)
GUID = UUID("09087e75-8e5e-499b-954f-f2a9603db28a")

VALUES: dict[str, tuple[Any, Any]] = {
    "Boolean": (True, ua.VariantType.Boolean),
    "SByte": (-128, ua.VariantType.SByte),
    "Byte": (255, ua.VariantType.Byte),
    "Int16": (-32768, ua.VariantType.Int16),
    "UInt16": (65535, ua.VariantType.UInt16),
    "Int32": (-(2**31), ua.VariantType.Int32),
    "UInt32": (2**32 - 1, ua.VariantType.UInt32),
    "Int64": (-(2**63), ua.VariantType.Int64),
    "UInt64": (2**64 - 1, ua.VariantType.UInt64),
    "Float": (1.5, ua.VariantType.Float),
    "Double": (0.1, ua.VariantType.Double),
    "String": ("Füller ☃", ua.VariantType.String),
    "DateTime": (WHEN, ua.VariantType.DateTime),
    "Guid": (GUID, ua.VariantType.Guid),
    "ByteString": (b"\x00\xff", ua.VariantType.ByteString),
    "NodeId": (ua.NodeId("x;y", 2), ua.VariantType.NodeId),
    "QualifiedName": (ua.QualifiedName("Speed", 0), ua.VariantType.QualifiedName),
    "LocalizedText": (ua.LocalizedText("Ventil", "de"), ua.VariantType.LocalizedText),
    "StatusCode": (ua.StatusCode(0x80340000), ua.VariantType.StatusCode),
    "Doubles": ([1.0, 2.5], ua.VariantType.Double),
    "Strings": (["a", "b"], ua.VariantType.String),
    "Times": ([WHEN, WHEN], ua.VariantType.DateTime),
}


async def build(server: Server, options: argparse.Namespace) -> list[Any]:
    uris = [PLC, LINE] if options.swap else [LINE, PLC]
    index = {uri: await server.register_namespace(uri) for uri in uris}
    line, plc = index[LINE], index[PLC]
    objects = server.nodes.objects
    plant = await objects.add_folder(ua.NodeId("Line1", line), f"{line}:Line1")
    moving = [await plant.add_variable(ua.NodeId(1003, line), f"{line}:Speed", 103.0)]
    other = await objects.add_folder(ua.NodeId("Plc", plc), f"{plc}:Plc")
    await other.add_variable(ua.NodeId(1003, plc), f"{plc}:Speed", 903.0)
    if "Pressure" not in options.without:
        await _pressure(plant, line, options.shuffle)
    moving.append(await plant.add_variable(ua.NodeId("Counter", line), f"{line}:Counter", 0, ua.VariantType.UInt32))
    await plant.add_variable(ua.NodeId('we;ird="ü" ', line), f"{line}:We/i.rd", "odd")
    await _types(plant, line)
    await _statuses(server, plant, line)
    await _structures(server, plant, line)
    await build_nodes(server, line)
    big = await objects.add_folder(ua.NodeId("Big", line), f"{line}:Big")
    for number in range(options.many):
        await big.add_variable(ua.NodeId(f"Big.{number}", line), f"{line}:V{number}", float(number))
    loop = await plant.add_folder(ua.NodeId("Loop", line), f"{line}:Loop")
    cycle = ua.ReferenceDescription(
        ReferenceTypeId=ua.NodeId(35), IsForward=True, NodeId=plant.nodeid, BrowseName=ua.QualifiedName("Line1", line),
        DisplayName=ua.LocalizedText("Line1"), NodeClass=ua.NodeClass.Object, TypeDefinition=ua.NodeId(61),
    )  # fmt: skip
    server.iserver.aspace[loop.nodeid].references.append(cycle)  # add_reference refuses cycles, other servers do not
    return moving


async def _pressure(plant: Any, line: int, shuffle: bool) -> None:
    """With ``shuffle`` another variable has this node's id, as after a new download to a PLC."""
    name = "Temperature" if shuffle else "Pressure"
    node = await plant.add_variable(ua.NodeId(2001, line), f"{line}:{name}", 2.5)
    await node.write_attribute(ua.AttributeIds.Description, ua.DataValue(ua.Variant(ua.LocalizedText("At the inlet"))))
    await node.add_property(ua.NodeId("Pressure.EURange", line), "0:EURange", ua.Range(0.0, 16.0))
    unit = ua.EUInformation(UNECE, 4342098, ua.LocalizedText("bar"), ua.LocalizedText("bar"))
    await node.add_property(ua.NodeId("Pressure.EU", line), "0:EngineeringUnits", unit)
    await node.set_writable()


async def _types(plant: Any, line: int) -> None:
    folder = await plant.add_folder(ua.NodeId("Types", line), f"{line}:Types")
    for name, (value, kind) in VALUES.items():
        await folder.add_variable(ua.NodeId(f"Types.{name}", line), f"{line}:{name}", value, kind)
    matrix = ua.Variant([[1, 2, 3], [4, 5, 6]], ua.VariantType.Int32, [2, 3])
    await folder.add_variable(ua.NodeId("Types.Matrix", line), f"{line}:Matrix", matrix)


async def _statuses(server: Server, plant: Any, line: int) -> None:
    for name, code in (("Bad", 0x808A0000), ("Uncertain", 0x40900000), ("Limited", 0x00000100), ("Overflown", 0x00000480)):
        node = await plant.add_variable(ua.NodeId(name, line), f"{line}:{name}", 7.0)
        value = ua.DataValue(ua.Variant(7.0), ua.StatusCode(code), SourceTimestamp=WHEN)
        await server.iserver.isession.write(_write(node.nodeid, value))


def _write(node: Any, value: Any) -> Any:
    return ua.WriteParameters([ua.WriteValue(node, ua.AttributeIds.Value, "", value)])


async def _structures(server: Server, plant: Any, line: int) -> None:
    state = await new_enum(server, line, "State", ["Off", "Idle", "Run"])
    fields = [new_struct_field("X", ua.VariantType.Double), new_struct_field("Y", ua.VariantType.Double)]
    point, _ = await new_struct(server, line, "Point", fields)
    await new_struct(
        server, line, "Recipe",
        [
            new_struct_field("Name", ua.VariantType.String),
            new_struct_field("State", state),
            new_struct_field("Start", point),
            new_struct_field("Points", point, array=True),
            new_struct_field("Steps", ua.VariantType.Int16, array=True),
            new_struct_field("Made", ua.VariantType.DateTime),
        ],
    )  # fmt: skip
    fields = [new_struct_field("A", ua.VariantType.Int32), new_struct_field("B", ua.VariantType.String, optional=True)]
    _, (maybe, *_) = await new_struct(server, line, "Maybe", fields)
    fields = [new_struct_field("Number", ua.VariantType.Double), new_struct_field("Text", ua.VariantType.String)]
    await new_struct(server, line, "Either", fields, is_union=True)
    await server.load_data_type_definitions()
    recipe = ua.Recipe("Cola", ua.State.Run, ua.Point(1.0, 2.0), [ua.Point(3.0, 4.0)], [5, -6], WHEN)
    either = ua.Either()
    either.Text = "word"
    folder = await plant.add_folder(ua.NodeId("Structures", line), f"{line}:Structures")
    without = ua.ExtensionObject(maybe.nodeid, struct.pack("<Ii", 0, 1))  # by hand: asyncua cannot encode optional fields
    sure = ua.ExtensionObject(maybe.nodeid, struct.pack("<Iii1s", 1, 1, 1, b"b"))
    unknown = ua.ExtensionObject(ua.NodeId(987654, line), b"\x01\x02\x03")
    values = {"Recipe": recipe, "Recipes": [recipe], "Either": either, "Maybe": without, "Sure": sure, "Unknown": unknown}
    for name, value in values.items():
        variant = ua.Variant(value, ua.VariantType.ExtensionObject)
        await folder.add_variable(ua.NodeId(f"Structures.{name}", line), f"{line}:{name}", variant, datatype=ua.NodeId(22))
    await plant.add_variable(ua.NodeId("State", line), f"{line}:State", ua.State.Run, datatype=state.nodeid)


def limit_operations(most: int) -> None:
    """Refuse larger requests, though the operation limits say nothing of it."""
    for name, field in (("read", "NodesToRead"), ("browse", "NodesToBrowse"), ("create_monitored_items", "ItemsToCreate")):
        _limit(name, field, most)


def _limit(name: str, field: str, most: int) -> None:
    original = getattr(InternalSession, name)

    async def limited(self: InternalSession, params: Any, *more: Any) -> Any:
        if len(getattr(params, field)) > most and self.external:
            raise ua.uaerrors.BadTooManyOperations
        return await original(self, params, *more)

    setattr(InternalSession, name, limited)


def refuse_filters() -> None:
    original = InternalSession.create_monitored_items

    async def unfiltered(self: InternalSession, params: Any, *more: Any) -> Any:
        results = await original(self, params, *more)
        for item, result in zip(params.ItemsToCreate, results, strict=True):
            if type(item.RequestedParameters.Filter).__name__ == "DataChangeFilter":
                result.StatusCode = ua.StatusCode(0x80450000)
        return results

    InternalSession.create_monitored_items = unfiltered  # type: ignore[method-assign]  # the point of it


def page_references(size: int) -> dict[bytes, list[Any]]:
    """Continuation points, which asyncua's server has not: at most ``size`` references at a time. Returns those that are held."""
    rest: dict[bytes, list[Any]] = {}
    numbers = itertools.count()
    browse = InternalSession.browse
    processor: Any = UaProcessor  # Any: it has no annotations
    process = processor._process_message

    def paged(result: Any, references: list[Any]) -> Any:
        result.References = references[:size]
        if references[size:]:
            result.ContinuationPoint = b"point %d" % next(numbers)
            rest[result.ContinuationPoint] = references[size:]
        return result

    async def browse_paged(self: InternalSession, params: Any) -> list[Any]:
        results = await browse(self, params)
        return [paged(result, result.References) for result in results] if self.external else results

    async def process_with_next(self: Any, typeid: Any, header: Any, sequence: Any, body: Any) -> Any:
        if typeid != ua.NodeId(ua.ObjectIds.BrowseNextRequest_Encoding_DefaultBinary):
            return await process(self, typeid, header, sequence, body)
        params = struct_from_binary(ua.BrowseNextParameters, body)
        response = ua.BrowseNextResponse()
        left = [rest.pop(point) for point in params.ContinuationPoints]
        response.Parameters.Results = [paged(ua.BrowseResult(), [] if params.ReleaseContinuationPoints else some) for some in left]
        self.send_response(header.RequestHandle, sequence, response)
        return True

    InternalSession.browse = browse_paged  # type: ignore[method-assign]
    processor._process_message = process_with_next
    return rest


async def drop_subscriptions(server: Any, silently: bool) -> None:
    """As after a server's own housekeeping: with the answer that OPC 10000-4 §5.14.5 asks for, or, as asyncua does, without."""
    service = server.iserver.subscription_service
    await service.delete_subscriptions(list(service.subscriptions))
    for client in [] if silently else server.bserver.clients:
        waiting = client.processor._publish_requests
        while waiting:
            request = waiting.popleft()
            fault = ua.ServiceFault()
            fault.ResponseHeader.ServiceResult = ua.StatusCode(0x80790000)
            client.processor.send_response(request.requesthdr.RequestHandle, request.seqhdr, fault)


def listen(loop: asyncio.AbstractEventLoop, commands: asyncio.Queue[str]) -> None:
    for line in sys.stdin:
        loop.call_soon_threadsafe(commands.put_nowait, line.strip())


def spoil(options: argparse.Namespace) -> None:
    for names, hook in ((options.hang, hang_reads), (options.hang_browse, hang_browses), (options.spoil, spoil_reads)):
        if names:
            hook(names)
    if options.hang_up:
        hang_up_on_large(options.hang_up)


async def serve(options: argparse.Namespace) -> None:
    server = Server()
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{options.port}/peer")
    server.set_server_name("Difficult peer")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    moving = await build(server, options)
    if options.most:
        limit_operations(options.most)
    if options.page:
        points = await server.nodes.objects.add_variable(ua.NodeId("Points", 2), "2:Points", 0)
        moving.append((points, page_references(options.page)))
    if options.no_deadband:
        refuse_filters()
    spoil(options)
    commands: asyncio.Queue[str] = asyncio.Queue()
    threading.Thread(target=listen, args=(asyncio.get_running_loop(), commands), daemon=True).start()
    async with server:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        for count in itertools.count(1):
            if not commands.empty():
                command = commands.get_nowait()
                if command in ("", "stop"):
                    return
                if command.startswith("drop"):
                    await drop_subscriptions(server, silently=command == "drop-silently")
            await moving[1].write_value(ua.UInt32(count), ua.VariantType.UInt32)
            for points, held in moving[2:]:
                await points.write_value(len(held), ua.VariantType.Int64)
            await asyncio.sleep(0.05)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--swap", action="store_true", help="the two namespaces in the other order")
    parser.add_argument("--shuffle", action="store_true", help="another variable under the id of Pressure")
    parser.add_argument("--without", action="append", default=[], help="name of a node to leave out")
    parser.add_argument("--many", type=int, default=0, help="variables in the folder Big")
    parser.add_argument("--most", type=int, default=0, help="operations per request")
    parser.add_argument("--no-deadband", action="store_true", help="refuse every filter")
    parser.add_argument("--page", type=int, default=0, help="references per browse answer")
    parser.add_argument(
        "--hang", action="append", default=[], help="identifier of a node whose value is never answered, nor what is asked beside"
    )
    parser.add_argument("--hang-browse", action="append", default=[], help="identifier of a node that is never browsed")
    parser.add_argument("--spoil", action="append", default=[], help="identifier of a node that makes a whole Read fail")
    parser.add_argument("--hang-up", type=int, default=0, help="operations per request, beyond which the connection is ended")
    logging.disable(logging.CRITICAL)
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
