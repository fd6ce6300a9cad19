"""Builds the OPC UA address space from the catalogue."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, make_dataclass
from enum import IntEnum
from typing import Any

from asyncua import ua
from asyncua.common.structures104 import new_enum, new_struct, new_struct_field
from asyncua.server.server import Server
from asyncua.ua.object_ids import ObjectIds

from app.plant.points import LINE_NAMESPACE, PLC_NAMESPACE, Point, PointType
from app.units import UNECE_NAMESPACE, require

RECORD_NAME = "BottleRecord"
# Fields of the structure, in the order of app.plant.filler.BottleRecord.
RECORD_FIELDS = (
    ("BottleNumber", PointType.UINT32, "Running number of the bottle"),
    ("Volume", PointType.DOUBLE, "Fill volume in millilitres"),
    ("Passed", PointType.BOOLEAN, "The volume was within tolerance"),
    ("Recipe", PointType.STRING, "Recipe in use"),
)
# Object types by the name of the object without its number; everything else is a folder.
OBJECT_TYPES = {
    "Filler": "FillerType",
    "Capper": "CapperType",
    "Conveyor": "ConveyorType",
    "Labeller": "LabellerType",
    "BufferTank": "TankType",
    "CIP": "CleaningSkidType",
    "EnergyMeter": "EnergyMeterType",
    "Motor": "MotorType",
    "Pump": "MotorType",
    "Drive": "FrequencyConverterType",
    "Valve": "FillingValveType",
    "Head": "ClosureHeadType",
    "Camera": "CameraType",
}


@dataclass(slots=True)
class AddressSpace:
    """What was built, and how values of our own types are made."""

    nodes: dict[str, ua.NodeId]
    record: type[Any]  # Any: a dataclass made at run time for the structure

    def variant(self, point: Point, value: Any) -> ua.Variant:  # Any: a fitted value of the point's type
        """The value as it goes onto the wire."""
        match point.data_type:
            case PointType.ENUMERATION:
                return ua.Variant(value, ua.VariantType.Int32)
            case PointType.LOCALIZED_TEXT:
                return ua.Variant(text(value, "en"), ua.VariantType.LocalizedText)
            case PointType.STRUCTURE:
                return ua.Variant(self.record(*value), ua.VariantType.ExtensionObject)
        return ua.Variant(value, ua.VariantType[point.data_type.value])


def node_id(identifier: int | str, index: int = 0) -> ua.NodeId:
    """A node id from plain values."""
    return ua.NodeId(identifier, index)  # type: ignore[arg-type]  # asyncua annotates its wire types but takes plain values


def text(words: str, locale: str | None = None) -> ua.LocalizedText:
    """A localized text from plain values."""
    return ua.LocalizedText(words, locale)


def browse_name(name: str, index: int) -> ua.QualifiedName:
    """A qualified name from plain values."""
    return ua.QualifiedName(name, index)


class _Builder:
    """Adds nodes with identifiers of our choosing; asyncua's own helpers fix reference and type otherwise."""

    def __init__(self, server: Server, namespaces: Mapping[str, int]) -> None:
        self._server = server
        self._namespaces = namespaces
        self.objects: dict[tuple[str, ...], ua.NodeId] = {(): node_id(ObjectIds.ObjectsFolder)}
        self.object_types: dict[str, ua.NodeId] = {}
        self.data_types: dict[object, ua.NodeId] = {}

    async def add(self, item: ua.AddNodesItem) -> ua.NodeId:
        (result,) = await self._server.iserver.isession.add_nodes([item])
        result.StatusCode.check()
        added: ua.NodeId = result.AddedNodeId
        return added

    async def type_of_object(self, name: str) -> ua.NodeId:
        if name not in self.object_types:
            base = self._server.get_node(node_id(ObjectIds.BaseObjectType))
            index = self._namespaces[LINE_NAMESPACE]
            node = await base.add_object_type(node_id(name, index), browse_name(name, index))
            self.object_types[name] = node.nodeid
        return self.object_types[name]

    async def folder(self, folder: tuple[str, ...], namespace: str) -> ua.NodeId:
        if folder in self.objects:
            return self.objects[folder]
        parent = await self.folder(folder[:-1], namespace)
        name = folder[-1]
        type_name = OBJECT_TYPES.get(re.sub(r"\d+$", "", name))
        index = self._namespaces[namespace]
        item = ua.AddNodesItem()
        item.RequestedNewNodeId = node_id("/".join(folder), index)
        item.BrowseName = browse_name(name, index)
        item.NodeClass = ua.NodeClass.Object
        item.ParentNodeId = parent
        item.ReferenceTypeId = node_id(ObjectIds.HasComponent if type_name else ObjectIds.Organizes)
        item.TypeDefinition = await self.type_of_object(type_name) if type_name else node_id(ObjectIds.FolderType)
        item.NodeAttributes = ua.ObjectAttributes(DisplayName=text(name), Description=text(" / ".join(folder), "en"), EventNotifier=0)
        self.objects[folder] = await self.add(item)
        return self.objects[folder]

    async def variable(self, point: Point, value: ua.Variant) -> ua.NodeId:
        index = self._namespaces[point.namespace]
        access = ua.AccessLevel.CurrentRead.mask | (ua.AccessLevel.CurrentWrite.mask if point.writable else 0)
        attributes = ua.VariableAttributes(
            DisplayName=text(point.name),
            Description=text(point.description, "en"),
            Value=value,
            DataType=self._data_type(point),
            ValueRank=ua.ValueRank.OneDimension if point.array else ua.ValueRank.Scalar,
            ArrayDimensions=[0] if point.array else [],
            AccessLevel=access,
            UserAccessLevel=access,
            MinimumSamplingInterval=float(point.update_ms),
            Historizing=False,
        )
        item = ua.AddNodesItem()
        item.RequestedNewNodeId = node_id(point.identifier, index)
        item.BrowseName = browse_name(point.name, index)
        item.NodeClass = ua.NodeClass.Variable
        item.ParentNodeId = await self.folder(point.folder, point.namespace)
        item.ReferenceTypeId = node_id(ObjectIds.HasComponent)
        item.TypeDefinition = node_id(_variable_type(point))
        item.NodeAttributes = attributes
        node = await self.add(item)
        if point.analog:
            await self._property(node, point, "EURange", ua.Range(point.low, point.high), ObjectIds.Range)
        if point.unit:
            await self._property(node, point, "EngineeringUnits", _unit(point.unit), ObjectIds.EUInformation)
        return node

    async def _property(self, node: ua.NodeId, point: Point, name: str, value: object, data_type: int) -> None:
        index = self._namespaces[point.namespace]
        parent = self._server.get_node(node)
        await parent.add_property(
            node_id(f"{point.identifier}.{name}", index),
            browse_name(name, 0),
            value,
            varianttype=ua.VariantType.ExtensionObject,
            datatype=node_id(data_type),
        )

    def _data_type(self, point: Point) -> ua.NodeId:
        if point.members is not None:
            return self.data_types[point.members]
        if point.data_type is PointType.STRUCTURE:
            return self.data_types[RECORD_NAME]
        return node_id(ua.VariantType[point.data_type.value].value)


def _variable_type(point: Point) -> int:
    """AnalogItemType demands a range, AnalogUnitType a unit (OPC 10000-8 §5.3.2)."""
    if point.analog:
        return int(ObjectIds.AnalogItemType)
    return int(ObjectIds.AnalogUnitType if point.unit else ObjectIds.BaseDataVariableType)


def _unit(code: str) -> ua.EUInformation:
    unit = require(code)
    return ua.EUInformation(
        NamespaceUri=UNECE_NAMESPACE,
        UnitId=unit.unit_id,
        DisplayName=text(unit.symbol),
        Description=text(unit.name),
    )


async def _add_enum(server: Server, index: int, enum: type[IntEnum]) -> ua.NodeId:
    name = enum.__name__
    node = await new_enum(server, node_id(name, index), browse_name(name, index), [m.name for m in enum])
    await node.add_property(
        node_id(f"{name}.EnumStrings", index),
        browse_name("EnumStrings", 0),
        [text(member.name, "en") for member in enum],
        varianttype=ua.VariantType.LocalizedText,
        datatype=node_id(ObjectIds.LocalizedText),
    )
    return node.nodeid


async def _add_record(server: Server, index: int) -> tuple[ua.NodeId, type[Any]]:  # Any: made at run time
    fields = [new_struct_field(name, ua.VariantType[type_.value], description=description) for name, type_, description in RECORD_FIELDS]
    node, (encoding,) = await new_struct(server, node_id(RECORD_NAME, index), browse_name(RECORD_NAME, index), fields)
    members = [(name, getattr(ua, type_.value)) for name, type_, _ in RECORD_FIELDS]
    record = make_dataclass(RECORD_NAME, members)
    ua.register_extension_object(RECORD_NAME, encoding.nodeid, record, node.nodeid)
    return node.nodeid, record


async def build(server: Server, points: Iterable[Point], values: Mapping[str, Any]) -> AddressSpace:
    """Adds every point with its folders, types, ranges and units; `values` are fitted first values by address."""
    namespaces = {uri: await server.register_namespace(uri) for uri in (LINE_NAMESPACE, PLC_NAMESPACE)}
    builder = _Builder(server, namespaces)
    listed = tuple(points)
    for enum in dict.fromkeys(point.members for point in listed if point.members is not None):
        builder.data_types[enum] = await _add_enum(server, namespaces[LINE_NAMESPACE], enum)
    builder.data_types[RECORD_NAME], record = await _add_record(server, namespaces[LINE_NAMESPACE])
    space = AddressSpace({}, record)
    for point in listed:
        value = values.get(point.address)
        variant = ua.Variant(None, ua.VariantType.Null) if value is None else space.variant(point, value)
        space.nodes[point.address] = await builder.variable(point, variant)
    return space
