"""Looks for SunSpec on a unit and walks its chain of models. Reads only, a few registers at a time, with a pause between requests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Final

from app.drivers.base import Wire as Answer
from app.drivers.modbus.guard import RequestError
from app.drivers.modbus.plan import Extent, Forbidden
from app.drivers.modbus.questions import SunSpec, SunSpecDevice, SunSpecModel
from app.drivers.modbus.registers import decode_string
from app.drivers.modbus.session_scan import Pace
from app.drivers.modbus.session_wire import Wire
from app.drivers.modbus.spec import NO_RESPONSE, NOT_CONNECTED, SPEC
from app.drivers.modbus.sunspec import END, HEAD, MARKER, Placed, definitions, is_absent, placed, scale_factor
from app.errors import EndpointError

PLACES: Final = (40000, 50000, 0, 39999, 40001, 49999, 50001, 1)
"""The three of the standard as zero-based addresses, then what becomes of them when a maker counted from the other base."""
MOST_MODELS: Final = 100
BLOCK: Final = 125


async def find_sunspec(question: SunSpec, wire: Wire, excluded: Sequence[Extent]) -> AsyncIterator[Answer]:
    walk = _Walk(question, wire, Forbidden(excluded=tuple(excluded)))
    for number, address in enumerate(PLACES):
        yield walk.pace.progress(f"looking for the marker at {address}")
        if await walk.words(address, len(MARKER)) == list(MARKER):
            break
        walk.pace.done = number + 1
    else:
        tried = ", ".join(str(place) for place in PLACES)
        yield SunSpecDevice(base=-1, note=f"no SunSpec marker at holding {tried}" + (f"; last: {walk.trouble}" if walk.trouble else ""))
        return
    async for progress in walk.chain(address + len(MARKER)):
        yield progress
    yield walk.device(address)


class _Walk:
    def __init__(self, question: SunSpec, wire: Wire, forbidden: Forbidden) -> None:
        self._unit, self._wire, self._forbidden = question.unit, wire, forbidden
        self.pace = Pace(len(PLACES), question.pause_ms / 1000)
        self.trouble = ""
        self._models: list[SunSpecModel] = []
        self._words: dict[int, int] = {}

    async def words(self, address: int, count: int) -> list[int] | None:
        """None where the device does not give them; ``trouble`` says why.

        Raises:
            EndpointError: The connection is lost, or the unit does not answer at all.
        """
        extent = Extent(self._unit, "holding", address, count)
        if self._forbidden.excludes(extent):
            self.trouble = f"{address} is forbidden here"
            return None
        await self.pace.before_request()
        try:
            words = await self._wire.read(extent, tries=2)
        except RequestError as error:
            if error.status in (NO_RESPONSE, NOT_CONNECTED):
                raise EndpointError("No reply", where=f"unit {self._unit}, holding {address}", why=error.why) from error
            self.trouble = f"{address}: {SPEC.status_text(error.status)}" if error.status < 0x100 else f"{address}: {error.why}"
            return None
        found = [int(word) for word in words]
        self._words.update(enumerate(found, address))
        return found

    async def chain(self, address: int) -> AsyncIterator[Answer]:
        """From model to model up to the end mark; the points of those we know are read."""
        self.trouble = ""
        while len(self._models) < MOST_MODELS:
            head = await self.words(address, HEAD) if address + HEAD <= 65536 else None
            if head is None or head[0] == END:
                break
            if address + HEAD + head[1] > 65536 or head[1] == 0:
                self.trouble = f"the chain breaks at {address}: model {head[0]} with {head[1]} registers"
                break
            definition = definitions().get(head[0])
            model = SunSpecModel(id=head[0], address=address, length=head[1], name=definition.name if definition else "")
            self._models.append(model)
            yield self.pace.progress(f"model {model.id} {model.name} at {address}".replace("  ", " "))
            if definition is not None:
                await self._body(model)
            address += HEAD + head[1]

    async def _body(self, model: SunSpecModel) -> None:
        first = model.address + HEAD
        for at in range(first, first + model.length, BLOCK):
            await self.words(at, min(BLOCK, first + model.length - at))

    def device(self, base: int) -> SunSpecDevice:
        scale_factors: dict[int, int] = {}
        absent: list[int] = []
        texts: dict[str, str] = {}
        for model in self._models:
            for place in placed(model):
                words = self._words_of(place)
                if words is None:
                    continue
                if place.point.type == "sunssf":
                    power = scale_factor(words[0])
                    scale_factors |= {} if power is None else {place.address: power}
                elif is_absent(place.point, words):
                    absent.append(place.address)
                elif model.id == 1 and place.point.type.startswith("string"):
                    texts.setdefault(place.point.name, decode_string(words, 2 * len(words), "ABCD"))
        return SunSpecDevice(
            base=base,
            models=tuple(self._models),
            scale_factors=scale_factors,
            absent=tuple(absent),
            maker=texts.get("Mn", ""),
            model=texts.get("Md", ""),
            version=texts.get("Vr", ""),
            serial=texts.get("SN", ""),
            note=self.trouble,
        )

    def _words_of(self, place: Placed) -> list[int] | None:
        """None where they could not be read."""
        addresses = range(place.address, place.address + place.point.registers)
        return [self._words[address] for address in addresses] if all(address in self._words for address in addresses) else None
