"""Reading values now."""

from __future__ import annotations

from collections.abc import Sequence
from time import time_ns
from typing import Final

from app.drivers.base import Item
from app.drivers.opcua.binary import NO_VALUE, DataValue
from app.drivers.opcua.samples import Scale, sample_columns
from app.drivers.opcua.session_nodes import Nodes, Target
from app.drivers.opcua.session_services import VALUE, Services
from app.drivers.opcua.session_types import DATA_TYPE, DataTypes
from app.model.columns import SampleColumns

_INT32: Final = 6


class Values:
    def __init__(self, services: Services, nodes: Nodes, types: DataTypes) -> None:
        self._services = services
        self._nodes = nodes
        self._types = types
        self._enums: dict[str, bool] = {}

    async def read(self, items: Sequence[Item]) -> SampleColumns:
        """One row per item, in order; what cannot be read is BAD with its status.

        Raises:
            EndpointError: The server cannot be asked at all.
        """
        targets = await self._nodes.resolve([item.address for item in items])
        known = {place: target.node for place, target in enumerate(targets) if target.node is not None}
        answers = await self._services.read([(node, VALUE) for node in known.values()])
        receive_ns = time_ns()
        values = [NO_VALUE._replace(status=target.status) for target in targets]
        for place, value in zip(known, await self._types.finished(answers), strict=True):
            values[place] = value
        await self._find_enums(targets, values)
        rows = [
            (place, values[place], Scale(item.gain, item.offset, self._enums.get(targets[place].id, False)))
            for place, item in enumerate(items)
        ]
        return sample_columns(rows, receive_ns)

    async def _find_enums(self, targets: Sequence[Target], values: Sequence[DataValue]) -> None:
        """An enumeration travels as Int32; only its data type tells it from a number."""
        asked = {
            target.id: target.node
            for target, value in zip(targets, values, strict=True)
            if value.builtin == _INT32 and target.node is not None and target.id not in self._enums
        }
        if not asked:
            return
        answers = await self._services.read([(node, DATA_TYPE) for node in asked.values()])
        data_types = [str(answer.value or "") for answer in answers]
        await self._types.load(data_types)
        self._enums |= {node_id: self._types.base(data_type).enum for node_id, data_type in zip(asked, data_types, strict=True)}
