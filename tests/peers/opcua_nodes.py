"""Nodes of the difficult OPC UA server that are hard to show: methods, nested types, bits with names, references of every kind.

Bodies of structures are written by hand, because asyncua cannot encode optional fields and matrices.
"""

from __future__ import annotations

import struct
from typing import Any

import asyncua.ua
from asyncua.common.manage_nodes import create_encoding
from asyncua.common.structures104 import new_struct, new_struct_field
from asyncua.server.server import Server

ua: Any = asyncua.ua  # Any: its annotations ask for wrappers that it does not need

GENERATES_EVENT = 41
CONTROLS = "urn:peer:elsewhere"
ORDER = (
    struct.pack("<I", 0)  # no optional field
    + struct.pack("<i4s", 4, b"Cola")
    + struct.pack("<i", 1)  # Auto
    + struct.pack("<H", 0b101)  # Door and bit 2
    + struct.pack("<2h", 3, 4)
    + struct.pack("<i4h", 2, 1, 2, 5, 6)
    + struct.pack("<3i6i", 2, 2, 3, 1, 2, 3, 4, 5, 6)
)


async def build_nodes(server: Server, line: int) -> None:
    folder = await server.nodes.objects.add_folder(ua.NodeId("Nodes", line), f"{line}:Nodes")
    mode = await server.nodes.enum_data_type.add_data_type(ua.NodeId("Type.Mode", line), f"{line}:Mode")
    await mode.write_data_type_definition(_named("Manual", "Auto"))
    faults = await server.get_node(ua.NodeId(5)).add_data_type(ua.NodeId("Type.Faults", line), f"{line}:Faults")
    await faults.write_data_type_definition(_named("Door", "Air"))
    order = await _order(server, folder, line, mode, faults)
    await folder.add_variable(
        ua.NodeId("Nodes.Faults", line), f"{line}:Faults", ua.Variant(3, ua.VariantType.UInt16), datatype=faults.nodeid
    )
    await _old_types(server, folder, line)
    await _methods(folder, line, order, mode)
    await _references(server, folder, line)


def _named(*names: str) -> Any:
    return ua.EnumDefinition(Fields=[ua.EnumField(Value=number, Name=name) for number, name in enumerate(names)])


async def _order(server: Server, folder: Any, line: int, mode: Any, faults: Any) -> Any:
    corner, _ = await new_struct(
        server,
        ua.NodeId("Type.Corner", line),
        f"{line}:Corner",
        [new_struct_field("X", ua.VariantType.Int16, description="to the right"), new_struct_field("Y", ua.VariantType.Int16)],
    )
    grid = new_struct_field("Grid", ua.VariantType.Int32)
    grid.ValueRank, grid.ArrayDimensions = 2, [2, 3]
    fields = [
        new_struct_field("Name", ua.VariantType.String),
        new_struct_field("Mode", mode),
        new_struct_field("Faults", faults),
        new_struct_field("Corner", corner),
        new_struct_field("Corners", corner, array=True),
        grid,
        new_struct_field("Extra", ua.VariantType.Double, optional=True),
    ]
    order, (encoding,) = await new_struct(server, ua.NodeId("Type.Order", line), f"{line}:Order", fields)
    await _structure(folder, line, "Order", ua.ExtensionObject(encoding.nodeid, ORDER), order.nodeid)
    await _structure(folder, line, "Orders", [ua.ExtensionObject(encoding.nodeid, ORDER)] * 2, order.nodeid)
    await _structure(folder, line, "TooLong", ua.ExtensionObject(encoding.nodeid, ORDER + b"\0"), order.nodeid)
    return order


async def _structure(folder: Any, line: int, name: str, value: Any, data_type: Any) -> None:
    variant = ua.Variant(value, ua.VariantType.ExtensionObject)
    await folder.add_variable(ua.NodeId(f"Nodes.{name}", line), f"{line}:{name}", variant, datatype=data_type)


async def _old_types(server: Server, folder: Any, line: int) -> None:
    """As a server before OPC UA 1.04 has them: without definitions, states named by a property."""
    light = await server.nodes.enum_data_type.add_data_type(ua.NodeId("Type.Light", line), f"{line}:Light")
    strings = [ua.LocalizedText(text) for text in ("Red", "Green")]
    await light.add_property(ua.NodeId("Type.Light.EnumStrings", line), "0:EnumStrings", strings)
    await folder.add_variable(ua.NodeId("Nodes.Light", line), f"{line}:Light", ua.Variant(1, ua.VariantType.Int32), datatype=light.nodeid)
    old = await server.nodes.base_structure_type.add_data_type(ua.NodeId("Type.Old", line), f"{line}:Old")
    encoding = await create_encoding(old, ua.NodeId("Type.Old.Binary", line), ua.QualifiedName("Default Binary", 0))
    await _structure(folder, line, "Old", ua.ExtensionObject(encoding.nodeid, b"\x01\xfe"), old.nodeid)
    doors = await server.get_node(ua.NodeId(12755)).add_data_type(ua.NodeId("Type.Doors", line), f"{line}:Doors")
    await doors.write_data_type_definition(_named("Front", "Back", "Roof"))
    encoding = await create_encoding(doors, ua.NodeId("Type.Doors.Binary", line), ua.QualifiedName("Default Binary", 0))
    body = struct.pack("<iBiB", 1, 0b101, 1, 0b011)  # Front and Roof are set; of Roof nothing is known
    await _structure(folder, line, "Doors", ua.ExtensionObject(encoding.nodeid, body), doors.nodeid)


async def _methods(folder: Any, line: int, order: Any, mode: Any) -> None:
    async def nothing(_: Any, *more: Any) -> list[Any]:
        return list(more)

    inputs = [
        _argument("Setpoint", ua.NodeId(11), -1, "litres"),
        _argument("Orders", order.nodeid, 1, ""),
        _argument("Mode", mode.nodeid, -1, ""),
    ]
    outputs = [_argument("Grid", ua.NodeId(6), 2, "", [2, 3])]
    await folder.add_method(ua.NodeId("Nodes.Mix", line), f"{line}:Mix", nothing, inputs, outputs)
    await folder.add_method(ua.NodeId("Nodes.Stop", line), f"{line}:Stop", nothing)


def _argument(name: str, data_type: Any, rank: int, description: str, dimensions: list[int] | None = None) -> Any:
    argument = ua.Argument()
    argument.Name, argument.DataType, argument.ValueRank = name, data_type, rank
    argument.ArrayDimensions, argument.Description = dimensions or [], ua.LocalizedText(description)
    return argument


async def _references(server: Server, folder: Any, line: int) -> None:
    source = await folder.add_object(ua.NodeId("Nodes.Source", line), f"{line}:Source")
    await source.add_reference(ua.NodeId(2041), GENERATES_EVENT, bidirectional=False)
    elsewhere = ua.ReferenceDescription(
        ReferenceTypeId=ua.NodeId(35), IsForward=True, NodeId=ua.ExpandedNodeId("Far", 0, NamespaceUri=CONTROLS, ServerIndex=1),
        BrowseName=ua.QualifiedName("Far", 0), DisplayName=ua.LocalizedText("Far away"), NodeClass=ua.NodeClass.Object,
        TypeDefinition=ua.ExpandedNodeId(58),
    )  # fmt: skip
    server.iserver.aspace[source.nodeid].references.append(elsewhere)
    lost = await source.add_object(ua.NodeId("Nodes.Lost", line), f"{line}:Lost")
    held = server.iserver.aspace[lost.nodeid].references
    held[:] = [reference for reference in held if reference.IsForward]  # names no parent, as some servers
    ring = [await lost.add_object(ua.NodeId(f"Nodes.Ring{name}", line), f"{line}:Ring{name}") for name in "AB"]
    for node, other in (ring, ring[::-1]):  # each says that the other is its parent
        held = server.iserver.aspace[node.nodeid].references
        held[:] = [reference for reference in held if reference.IsForward]
        await node.add_reference(other, 35, forward=False, bidirectional=False)
