"""Whether a tag's variable is still the one that the tag was made of, and where it went when it is not.

Namespace indexes, node ids and types all change under a running project: after a restart, a download to a PLC, a new firmware. Everything
is asked anew each time; nothing that an earlier browse has seen is taken for granted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from app.drivers.base import IDENTITY_CHANGED, ItemState, WatchItem
from app.drivers.opcua.binary import DataValue
from app.drivers.opcua.browsed import Reference
from app.drivers.opcua.samples import Scale
from app.drivers.opcua.session_nodes import BROWSE_NAME, Nodes, Target, is_unknown
from app.drivers.opcua.session_search import variables_at
from app.drivers.opcua.session_services import VALUE, Services, encoded
from app.drivers.opcua.session_types import DATA_TYPE, VALUE_RANK, DataTypes
from app.drivers.opcua.status import BAD_CONFIGURATION_ERROR, status_text
from app.drivers.opcua.together import both
from app.drivers.opcua.watch_table import Expected

_SAME_TYPES: Final = ({"int32", "enum"}, {"int32[]", "enum[]"})
_GLANCED: Final = (BROWSE_NAME, DATA_TYPE)
_ARRAY_RANK: Final = 0
_SCALAR_RANK: Final = -1


@dataclass(frozen=True, slots=True)
class Identified:
    """An item that may be watched.

    Attributes:
        node: Encoded, as a request carries it.
        id: Canonical address of it.
        deadband: Absolute, in the server's own numbers; 0 is none.
        rebind: As in ``ItemState``: ``id`` where that is not the tag's own.
    """

    item: WatchItem
    node: bytes
    id: str
    scale: Scale
    expected: Expected
    deadband: float
    rebind: str = ""

    @property
    def note(self) -> str:
        return f"its node id is gone; this is the variable at {self.item.path}" if self.rebind else ""


class Glance(NamedTuple):
    """Enough of a node to see that it is another one than before. ``status`` is the worse one of both attributes'."""

    status: int
    browse_name: str = ""
    data_type: str = ""


class _Seen(NamedTuple):
    """What a node says of itself."""

    status: int
    data_type: str
    rank: int | None
    word: str


class Identification:
    """Of many items at once. ``types`` is shared with the rest of the session."""

    def __init__(self, services: Services, types: DataTypes) -> None:
        self._services = services
        self._types = types

    async def identify(
        self, items: Sequence[WatchItem], *, search: bool = True, proven: bool = False
    ) -> tuple[list[Identified], list[ItemState]]:
        """Who may be watched, and who is refused and must never deliver a value.

        Args:
            search: Look for those that are gone by their browse paths too, which costs a browse of everything on the way.
            proven: Read the values too, and expect on the wire what they are, where that is not what the data types say: some servers
                state one type and send another, always.

        Raises:
            EndpointError: The server cannot be asked at all.
        """
        nodes = Nodes(self._services)
        targets = await nodes.resolve([item.address for item in items])
        known = [(item, target) for item, target in zip(items, targets, strict=True) if target.node is not None]
        seen, _ = await both(
            self._seen([encoded(target.node) for _, target in known if target.node is not None]),
            nodes.load_ancestors(target for item, target in known if item.path),
        )
        looks = dict(zip((target.id for _, target in known), seen, strict=True))
        good: list[Identified] = []
        lost: list[tuple[WatchItem, Target, str]] = []
        for item, target in zip(items, targets, strict=True):
            look = looks.get(target.id)
            if target.node is None or look is None:
                lost.append((item, target, ""))
            elif look.status >> 30 > 1:
                why = self._services.quarantine.why.get(target.id) or f"{status_text(look.status)}: {item.address}"
                lost.append((item, target._replace(status=look.status, why=why), ""))
            elif changed := _identity_change(nodes, item, target, look.word):
                lost.append((item, target, changed))
            else:
                good.append(self._identified(item, encoded(target.node), target.id, look))
        found, refused = await self._elsewhere(lost, search=search)
        good += found
        return (await self._proven(good) if proven else good), refused

    async def glance(self, items: Sequence[WatchItem]) -> list[Glance]:
        """What stands at their addresses, in one request for all that fit in one."""
        targets = await Nodes(self._services).resolve([item.address for item in items]) if items else []
        nodes = [encoded(target.node) for target in targets if target.node is not None]
        answers = await self._services.read([(node, attribute) for node in nodes for attribute in _GLANCED])
        seen = iter(zip(*(iter(answers),) * len(_GLANCED), strict=True))
        return [
            Glance(target.status) if target.node is None else Glance(max(one.status for one in told), *(str(one.value) for one in told))
            for target in targets
            for told in (next(seen) if target.node is not None else (),)
        ]

    async def _seen(self, nodes: Sequence[bytes]) -> list[_Seen]:
        if not nodes:
            return []
        types, ranks = await both(self._services.read_attribute(nodes, DATA_TYPE), self._services.read_attribute(nodes, VALUE_RANK))
        data_types = [str(answer.value or "") for answer in types]
        await self._types.load(data_types)
        return [self._one_seen(*told) for told in zip(types, data_types, ranks, strict=True)]

    def _one_seen(self, answer: DataValue, data_type: str, rank_answer: DataValue) -> _Seen:
        rank = rank_answer.value if isinstance(rank_answer.value, int) else None
        return _Seen(answer.status, data_type, rank, self._types.word(data_type, -1 if rank is None else rank))

    def _identified(self, item: WatchItem, node: bytes, id_: str, look: _Seen, rebind: str = "") -> Identified:
        base = self._types.base(look.data_type)
        deadband = item.deadband / abs(item.gain) if base.number and item.gain else 0.0
        rank = 0 if look.rank is None else -1 if look.rank == _SCALAR_RANK else 1 if look.rank >= _ARRAY_RANK else 0
        return Identified(item, node, id_, Scale(item.gain, item.offset, base.enum), Expected(base.builtin, rank), deadband, rebind)

    async def _elsewhere(self, lost: Sequence[tuple[WatchItem, Target, str]], *, search: bool) -> tuple[list[Identified], list[ItemState]]:
        """Those that are gone are watched where their browse path leads; of those whose id another has, that is only said."""
        paths = {item.path for item, target, changed in lost if item.path and (changed or is_unknown(target.status))} if search else set()
        standing = await variables_at(self._services, paths) if paths else {}
        there = list({one.id: one for some in standing.values() for one in some}.values())
        looks = dict(zip((one.id for one in there), await self._seen([one.node for one in there]), strict=True))
        good, refused = [], []
        for item, target, changed in lost:
            alike = [one for one in standing.get(item.path, ()) if one.id != target.id and _is_type(item.type, looks[one.id])]
            one: Reference | None = alike[0] if len(alike) == 1 else None
            if one is not None and not changed:
                good.append(self._identified(item, one.node, one.id, looks[one.id], one.id))
                continue
            why = changed or target.why + (f"; {len(alike)} variables stand at {item.path} now" if len(alike) > 1 else "")
            status = BAD_CONFIGURATION_ERROR if changed else target.status
            refused.append(ItemState(handle=item.handle, refused=why, status=status, rebind=one.id if one is not None else ""))
        return good, refused

    async def _proven(self, good: Sequence[Identified]) -> list[Identified]:
        answers = await self._services.read_attribute([one.node for one in good], VALUE)
        return [_as_sent(one, answer) for one, answer in zip(good, answers, strict=True)]


def _as_sent(one: Identified, answer: DataValue) -> Identified:
    if answer.status >> 30 > 1 or not answer.builtin:
        return one
    expected = Expected(answer.builtin, 1 if answer.is_array else -1)
    return Identified(one.item, one.node, one.id, one.scale, expected, one.deadband, one.rebind)


def _identity_change(nodes: Nodes, item: WatchItem, target: Target, word: str) -> str:
    """Why this is another variable than the tag's, "" when it is the same."""
    same_place = not item.path or nodes.stands_at(target.id, item.path)
    if _same_types(item.type, word) and same_place:
        return ""
    path = nodes.path(target.id) if item.path else item.path
    return f"{IDENTITY_CHANGED}: the tag is {item.path} ({item.type}), at this address is now {path} ({word})"


def _is_type(wanted: str, look: _Seen) -> bool:
    return look.status >> 30 <= 1 and _same_types(wanted, look.word)


def _same_types(one: str, other: str) -> bool:
    """An unknown one, "", differs from nothing."""
    pair = {one, other}
    return "" in pair or len(pair) == 1 or pair in _SAME_TYPES
