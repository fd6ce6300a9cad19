"""Answers from the registers of a snapshot: as of the Modbus session, with the file for a wire."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from msgspec import structs

from app.drivers.base import BrowseColumns, Item, ItemState, NodeDetails, UnitSettings, WatchItem, Wire
from app.drivers.modbus.details import item_details, place_details
from app.drivers.modbus.nodes import children, everything, is_place
from app.drivers.modbus.readout import Defaults
from app.drivers.modbus.url import ModbusUrl
from app.drivers.questions import Question
from app.drivers.snapshot.lines import Header
from app.drivers.snapshot.registers import Registers
from app.errors import EndpointError
from app.model.columns import SampleColumns
from app.model.plant import Identity
from app.model.values import Quality


class OfRegisters:
    """``units`` are those of the project: an order that is changed there is seen in the snapshot too."""

    def __init__(self, registers: Registers, header: Header, units: Sequence[UnitSettings], as_of_ns: int) -> None:
        self._registers, self._as_of_ns = registers, as_of_ns
        orders = {unit.number: unit.order for unit in (*header.units, *units)}
        self._defaults = Defaults(ModbusUrl(header.url).unit, orders)
        self._units = sorted({*registers.units, *orders})

    def browse(self, nodes: Sequence[str]) -> BrowseColumns:
        return children(nodes, self._units)

    async def crawl(self, root: str, limit: int) -> AsyncIterator[BrowseColumns]:
        yield everything(root, self._units, limit)

    def read(self, items: Sequence[Item], handles: Sequence[int]) -> SampleColumns:
        return self._registers.read(items, handles, self._defaults, self._as_of_ns)

    def refusal(self, item: WatchItem) -> ItemState | None:
        """None: like a device, it is watched and bad where there is nothing."""
        del item
        return None

    async def details(self, node: str) -> NodeDetails:
        return await (place_details(node, self._defaults) if is_place(node) else item_details(node, self._defaults, self._registers))

    async def ask(self, question: Question) -> AsyncIterator[Wire]:
        nothing: tuple[Wire, ...] = ()
        for answer in nothing:
            yield answer
        kind = str(type(question).__struct_config__.tag)
        fix = "Connect to the device itself"
        raise EndpointError("Cannot ask that here", where=kind, why="a snapshot holds registers, and no device that could answer", fix=fix)

    def identity(self, known: Identity, found: Identity) -> Identity:
        """With the register that the project names now, where it is here: another one may have been named after the snapshot."""
        if not known.register or known.register == found.register:
            return found
        sample = self.read([Item(address=known.register)], [0]).sample(0)
        if sample.quality is Quality.BAD:
            return found
        return structs.replace(found, register=known.register, value=str(sample.value))
