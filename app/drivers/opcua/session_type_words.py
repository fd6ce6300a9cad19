"""Data types by the words a person knows them by: our type word for plain ones, the server's name for its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from app.drivers.opcua import words
from app.drivers.opcua.address import UA_NAMESPACE
from app.drivers.opcua.binary import BUILTIN_TYPES, EXTENSION_OBJECT, Extension
from app.drivers.opcua.session_browse import DISPLAY_NAME
from app.drivers.opcua.session_nodes import Nodes, ns0
from app.drivers.opcua.session_services import Services
from app.drivers.opcua.session_types import DataTypes
from app.drivers.opcua.structures import Structure
from app.model.values import Value

_PLAIN: Final = {f"nsu={UA_NAMESPACE};i={number}": BUILTIN_TYPES[number] for number in range(1, 16)}
_OPEN: Final = {
    f"nsu={UA_NAMESPACE};i={number}": word
    for number, word in {22: "structure", 24: "any", 26: "number", 27: "integer", 28: "unsigned integer", 29: "enum"}.items()
}
_WORDS: Final = {**_PLAIN, **_OPEN}


class TypeWords:
    """Lives as long as one question; ``DataTypes`` remembers what was learned. Keeps ``app.drivers.opcua.trees.TypesKnown``."""

    def __init__(self, services: Services, nodes: Nodes, types: DataTypes) -> None:
        self._services, self._nodes, self._types = services, nodes, types
        self._names: dict[str, str] = {}

    async def learn(self, data_types: Iterable[str]) -> None:
        """Definitions and names of these data types, and of all that they are made of."""
        wanted = {data_type for data_type in data_types if data_type}
        await self._types.explain(wanted)
        self._names |= await self.display_names(self._types.reached(wanted) - _WORDS.keys())

    async def display_names(self, ids: Iterable[str]) -> dict[str, str]:
        """Id → name of any nodes, "" for one that tells none."""
        targets = [target for target in await self._nodes.resolve(sorted(ids)) if target.node is not None]
        answers = await self._services.read([(target.node or ns0(84), DISPLAY_NAME) for target in targets])
        return {target.id: answer.value if isinstance(answer.value, str) else "" for target, answer in zip(targets, answers, strict=True)}

    def words(self, data_type: str, rank: int, dimensions: Sequence[int] = ()) -> str:
        """``float64``, ``Recipe (struct)``, ``State (enum)[3]``, ``Duration (float64)``."""
        return f"{self._word(data_type)}{words.rank_text(rank, dimensions)}" if data_type else ""

    def _word(self, data_type: str) -> str:
        if data_type in _WORDS:
            return _WORDS[data_type]
        base, name = self._types.base(data_type), self._names.get(data_type) or data_type
        if base.enum:
            return f"{name} (enum)"
        if base.option_set or (base.builtin != EXTENSION_OBJECT and self._types.names(data_type)):
            return f"{name} (option set)"
        word = BUILTIN_TYPES.get(base.builtin, "")
        return f"{name} ({word})" if word and name != word else name

    def structure(self, data_type: str) -> Structure | None:
        return self._types.structure(data_type)

    def names(self, data_type: str) -> Mapping[str, str]:
        return self._types.names(data_type)

    def owner(self, encoding: str) -> str:
        return self._types.owner(encoding)

    def opened(self, extension: Extension) -> Value:
        return self._types.opened(extension)

    def is_enum(self, data_type: str) -> bool:
        return self._types.base(data_type).enum

    def is_structure(self, data_type: str) -> bool:
        return data_type not in _WORDS and self._types.base(data_type).builtin == EXTENSION_OBJECT
