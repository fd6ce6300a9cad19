"""Everything a server says of some nodes: the attributes of their class, and their properties with unit, range and enumeration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from asyncua import ua

from app.drivers.base import NodeAttribute, NodeDetails
from app.drivers.opcua import words
from app.drivers.opcua.binary import DataValue, ticks_to_text
from app.drivers.opcua.listing import NODE_CLASSES
from app.drivers.opcua.requests import numeric
from app.drivers.opcua.session_browse import DISPLAY_NAME
from app.drivers.opcua.session_nodes import Nodes, Target
from app.drivers.opcua.session_services import VALUE, Services
from app.drivers.opcua.session_types import DATA_TYPE, VALUE_RANK, DataTypes
from app.drivers.opcua.status import CODE_MASK, status_text
from app.model.values import Value

NODE_CLASS: Final = 2
DESCRIPTION: Final = 5
ACCESS_LEVEL: Final = 17
USER_ACCESS_LEVEL: Final = 18

_BAD_ATTRIBUTE_ID_INVALID: Final = 0x80350000
_HAS_PROPERTY: Final = numeric(46)
_COMMON: Final = (3, 4, 5, 6, 7, 26)
_OF_CLASS: Final[dict[int, tuple[int, ...]]] = {
    1: (12,),
    2: (13, 14, 15, 16, 17, 18, 19, 20, 27),
    4: (21, 22),
    8: (8,),
    16: (13, 14, 15, 16, 8),
    32: (8, 9, 10),
    64: (8, 23),
    128: (11, 12),
}
"""Attributes of each node class, OPC 10000-3 §5."""


class Details:
    def __init__(self, services: Services, nodes: Nodes, types: DataTypes) -> None:
        self._services = services
        self._nodes = nodes
        self._types = types

    async def details(self, addresses: Sequence[str]) -> list[NodeDetails]:
        """In order; a browse path comes back under the node address that it leads to.

        Raises:
            EndpointError: The server cannot be asked at all; what concerns one node is its ``error``.
        """
        targets = await self._nodes.resolve(addresses)
        known = [target for target in targets if target.node is not None]
        classes = await self._services.read([(_node(target), NODE_CLASS) for target in known]) if known else []
        answered = [(target, value.value) for target, value in zip(known, classes, strict=True) if isinstance(value.value, int)]
        attributes = await self._attributes(answered)
        properties = await self._properties([target for target, _ in answered])
        names = await self._names_of_types(attributes)
        await self._nodes.load_ancestors(target for target, _ in answered if not self._nodes.has_path(target.id))
        found: dict[str, NodeDetails] = {
            target.id: NodeDetails(id=target.id, error=status_text(value.status)) for target, value in zip(known, classes, strict=True)
        }
        for (target, node_class), values, own in zip(answered, attributes, properties, strict=True):
            found[target.id] = await self._assemble(target, node_class, values, own, names)
        return [found.get(target.id) or NodeDetails(id=target.id, error=target.why) for target in targets]

    async def _attributes(self, answered: Sequence[tuple[Target, int]]) -> list[dict[int, DataValue]]:
        numbers = [(*_COMMON, *_OF_CLASS.get(node_class, ())) for _, node_class in answered]
        wanted = [(_node(target), number) for (target, _), some in zip(answered, numbers, strict=True) for number in some]
        answers = iter(await self._types.finished(await self._services.read(wanted)) if wanted else [])
        return [{number: next(answers) for number in some} for some in numbers]

    async def _properties(self, targets: Sequence[Target]) -> list[dict[str, DataValue]]:
        """Name → value of each node's properties."""
        if not targets:
            return []
        found = await self._services.browse([_node(target) for target in targets], reference=_HAS_PROPERTY)
        owned = [{reference.name: reference.node for reference in answer.references if reference.node} for answer in found]
        wanted = [(node, VALUE) for some in owned for node in some.values()]
        answers = iter(await self._types.finished(await self._services.read(wanted)) if wanted else [])
        return [{name: next(answers) for name in some} for some in owned]

    async def _names_of_types(self, attributes: Sequence[Mapping[int, DataValue]]) -> dict[str, str]:
        data_types = {str(values[DATA_TYPE].value) for values in attributes if DATA_TYPE in values and values[DATA_TYPE].value}
        await self._types.load(data_types)
        targets = [target for target in await self._nodes.resolve(sorted(data_types)) if target.node is not None]
        answers = await self._services.read([(_node(target), DISPLAY_NAME) for target in targets]) if targets else []
        return {target.id: str(answer.value or "") for target, answer in zip(targets, answers, strict=True)}

    async def _assemble(
        self,
        target: Target,
        node_class: int,
        values: Mapping[int, DataValue],
        properties: Mapping[str, DataValue],
        names: Mapping[str, str],
    ) -> NodeDetails:
        data_type = str(values[DATA_TYPE].value) if DATA_TYPE in values else ""
        rank = values[VALUE_RANK].value if VALUE_RANK in values else None
        word = self._types.word(data_type, rank if isinstance(rank, int) else -1)
        low, high = words.limits(_of(properties, "EURange"))
        enum = words.enum_names(_of(properties, "EnumStrings"), _of(properties, "EnumValues"))
        if not enum and self._types.base(data_type).enum:
            enum = await self._types.enumeration(data_type)
        lines = [
            NodeAttribute(name="NodeId", text=target.id),
            NodeAttribute(name=words.INDEXED_ID, text=_node(target).to_string()),
            NodeAttribute(name="NodeClass", text=NODE_CLASSES.get(node_class, "")),
        ]
        for number, value in values.items():
            lines += _attribute_lines(number, value, names)
        lines += [_line(name, words.property_text(name, value.value), value.status) for name, value in properties.items()]
        return NodeDetails(
            id=target.id,
            name=_text(values, DISPLAY_NAME),
            path=self._nodes.path(target.id),
            node_class=NODE_CLASSES.get(node_class, ""),
            type=word or words.type_of_value(values.get(VALUE)),
            unit=words.unit(_of(properties, "EngineeringUnits")),
            low=low,
            high=high,
            enum=enum,
            access=words.access(values.get(USER_ACCESS_LEVEL), values.get(ACCESS_LEVEL)),
            description=_text(values, DESCRIPTION),
            attributes=tuple(lines),
        )


def _attribute_lines(number: int, value: DataValue, names: Mapping[str, str]) -> list[NodeAttribute]:
    if value.status & CODE_MASK == _BAD_ATTRIBUTE_ID_INVALID:
        return []  # an optional attribute that this node has not
    lines = [_line(words.ATTRIBUTE_NAMES[number], words.attribute_text(number, value.value, names), value.status)]
    if number == VALUE:
        lines[0] = NodeAttribute(name=lines[0].name, text=lines[0].text, status=status_text(value.status))
        times = {"Source time": value.source_ticks, "Server time": value.server_ticks}
        lines += [NodeAttribute(name=name, text=ticks_to_text(ticks)) for name, ticks in times.items() if ticks]
    return lines


def _line(name: str, text: str, status: int) -> NodeAttribute:
    return NodeAttribute(name=name, text=text, status=status_text(status) if status >> 30 else "")


def _of(properties: Mapping[str, DataValue], name: str) -> Value:
    return properties[name].value if name in properties else None


def _text(values: Mapping[int, DataValue], number: int) -> str:
    value = values[number].value if number in values else None
    return value if isinstance(value, str) else ""


def _node(target: Target) -> ua.NodeId:
    assert target.node is not None
    return target.node
