"""Answers to ``app.drivers.opcua.questions`` over one connection."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from time import monotonic
from typing import Final

from asyncua import ua

from app.drivers.base import Wire
from app.drivers.opcua import browsed, words
from app.drivers.opcua.address import UA_NAMESPACE
from app.drivers.opcua.binary import NO_VALUE, DataValue, Extension, Reader, decoded
from app.drivers.opcua.browsed import Found
from app.drivers.opcua.listing import NODE_CLASSES, OBJECTS, ROOT
from app.drivers.opcua.questions import (
    Argument,
    Contents,
    CrawlBelow,
    FoundNode,
    FoundNodes,
    MethodSignature,
    NodeContents,
    Place,
    Places,
    Reference,
    ReferencePage,
    References,
    Resolve,
    Signature,
    Step,
)
from app.drivers.opcua.requests import numeric
from app.drivers.opcua.samples import extensions_in
from app.drivers.opcua.session_browse import DISPLAY_NAME, Browser
from app.drivers.opcua.session_nodes import Nodes, Target, is_unknown, node_of, ns0, split_path
from app.drivers.opcua.session_services import VALUE, Services
from app.drivers.opcua.session_type_words import TypeWords
from app.drivers.opcua.session_types import DATA_TYPE, VALUE_RANK, DataTypes
from app.drivers.opcua.status import status_text
from app.drivers.opcua.trees import definition_lines, value_lines
from app.drivers.questions import Question, unanswered
from app.errors import EndpointError
from app.model.values import Value

NODE_CLASS: Final = 2
INVERSE_NAME: Final = 10
ARRAY_DIMENSIONS: Final = 16
EXECUTABLE: Final = 21
USER_EXECUTABLE: Final = 22

_HAS_PROPERTY: Final = numeric(46)
_METHOD: Final = 4
_VARIABLES: Final = (2, 16)
_DATA_TYPE_CLASS: Final = 64
_NULL: Final = f"nsu={UA_NAMESPACE};i=0"

CRAWLED_TOGETHER: Final = 20
"""Nodes whose children are asked for in one request of a crawl: few, so that its rate is even."""

MOST_WAYS: Final = 8
"""Nodes that are followed at once where several have the name that a path says."""


class Answers:
    """One question at a time or several: nothing is kept here."""

    def __init__(self, services: Services, nodes: Nodes, types: DataTypes, browser: Browser) -> None:
        self._services, self._nodes, self._types, self._browser = services, nodes, types, browser
        self._words = TypeWords(services, nodes, types)

    def answer(self, question: Question) -> AsyncIterator[Wire]:
        match question:
            case References(node=node):
                return self._references(node)
            case MethodSignature(node=node):
                return self._signature(node)
            case Resolve(texts=texts):
                return self._places(texts)
            case Contents(node=node):
                return self._contents(node)
            case CrawlBelow():
                return self._crawl(question)
        return unanswered(question)

    async def _node(self, text: str, what: str) -> tuple[Target, ua.NodeId]:
        (target,) = await self._nodes.resolve([text])
        if target.node is None:
            raise EndpointError(what, where=text, why=target.why)
        return target, target.node

    # References

    async def _references(self, text: str) -> AsyncIterator[Wire]:
        _, node = await self._node(text, "Cannot read the references")
        named: dict[str, tuple[str, str]] = {}
        definitions: dict[str, str] = {}
        begun = False
        async for found in self._services.pages(node):
            if found.status >> 30 and not begun:
                raise EndpointError(
                    "Cannot read the references", where=text, why=status_text(found.status), fix="Refresh the address space"
                )
            begun = True
            await self._name_reference_types(found, named)
            asked = {self._text_of(definition) for definition in {reference.type_definition for reference in found.references}}
            asked -= definitions.keys() | {_NULL}
            definitions |= await self._words.display_names(asked)
            yield ReferencePage(
                references=tuple(self._reference(reference, named, definitions) for reference in found.references),
                trouble=status_text(found.status) if found.status >> 30 else "",
            )

    async def _name_reference_types(self, found: Found, named: dict[str, tuple[str, str]]) -> None:
        """Name and inverse name of every reference type that is new; symmetric ones have no inverse name."""
        types = {text: node for node in {reference.type for reference in found.references} if (text := self._text_of(node)) not in named}
        wanted = [(node, attribute) for attribute in (DISPLAY_NAME, INVERSE_NAME) for node in types.values()]
        answers = [_text(answer.value) for answer in await self._services.read(wanted)] if wanted else []
        for place, text in enumerate(types):
            named[text] = (answers[place] or text, answers[len(types) + place])

    def _text_of(self, node: bytes) -> str:
        return decoded(Reader.node_id, node, self._services.namespaces)

    def _reference(self, reference: browsed.Reference, named: dict[str, tuple[str, str]], definitions: dict[str, str]) -> Reference:
        type_ = self._text_of(reference.type)
        return Reference(
            type=type_,
            type_name=named[type_][0],
            inverse_name=named[type_][1],
            forward=reference.forward,
            target=reference.id,
            name=reference.display or reference.name,
            node_class=NODE_CLASSES.get(reference.node_class, ""),
            type_definition=definitions.get(self._text_of(reference.type_definition), ""),
        )

    # Methods

    async def _signature(self, text: str) -> AsyncIterator[Wire]:
        _, node = await self._node(text, "Cannot read the arguments")
        wanted = [(node, number) for number in (NODE_CLASS, EXECUTABLE, USER_EXECUTABLE)]
        node_class, executable, user_executable = (answer.value for answer in await self._services.read(wanted))
        if node_class != _METHOD:
            why = (
                f"it is no method but of node class {NODE_CLASSES.get(node_class, 'unknown') if isinstance(node_class, int) else 'unknown'}"
            )
            raise EndpointError("Cannot read the arguments", where=text, why=why)
        (found,) = await self._services.browse([node], reference=_HAS_PROPERTY)
        if found.status >> 30:
            raise EndpointError("Cannot read the arguments", where=text, why=status_text(found.status))
        lists = {reference.name: reference.node for reference in found.references if reference.node}
        names = [name for name in ("InputArguments", "OutputArguments") if name in lists]
        answers = await self._services.read([(lists[name], VALUE) for name in names]) if names else []
        for name, value in zip(names, answers, strict=True):
            if value.status >> 30:
                raise EndpointError("Cannot read the arguments", where=text, why=f"{name}: {status_text(value.status)}")
        described = dict(zip(names, (value.value for value in await self._types.finished(answers)), strict=True))
        rows = {name: [row for row in value if isinstance(row, dict)] for name, value in described.items() if isinstance(value, list)}
        await self._words.learn(_text(row.get("DataType")) for some in rows.values() for row in some)
        yield Signature(
            inputs=tuple(self._argument(row) for row in rows.get("InputArguments", ())),
            outputs=tuple(self._argument(row) for row in rows.get("OutputArguments", ())),
            executable=executable if isinstance(executable, bool) else None,
            user_executable=user_executable if isinstance(user_executable, bool) else None,
        )

    def _argument(self, row: dict[str, Value]) -> Argument:
        if "Name" not in row:
            return Argument(name="?", type="not readable", description=words.value_text(row))
        rank, lengths = row.get("ValueRank"), row.get("ArrayDimensions")
        dimensions = [length for length in lengths if isinstance(length, int)] if isinstance(lengths, list) else []
        type_ = self._words.words(_text(row.get("DataType")), rank if isinstance(rank, int) else -1, dimensions)
        return Argument(name=_text(row.get("Name")), type=type_, description=_text(row.get("Description")))

    # Where nodes stand

    async def _places(self, texts: Sequence[str]) -> AsyncIterator[Wire]:
        targets = await self._nodes.resolve(texts)
        for place, target in enumerate(targets):
            if target.node is None and "=" not in texts[place]:
                chain, why = await self._walk(texts[place].strip())
                targets[place] = chain[-1] if chain else target._replace(why=why or target.why)
        known = [target for target in targets if target.node is not None]
        wanted = [(target.node, attribute) for attribute in (NODE_CLASS, DISPLAY_NAME) for target in known if target.node is not None]
        answers = await self._services.read(wanted) if wanted else []
        classes = {target.id: answer for target, answer in zip(known, answers, strict=False)}
        names = {target.id: _text(answer.value) for target, answer in zip(known, answers[len(known) :], strict=True)}
        await self._nodes.load_ancestors(target for target in known if not classes[target.id].status >> 30)
        places = [
            await self._place(text, target, classes.get(target.id, NO_VALUE), names.get(target.id, ""))
            for text, target in zip(texts, targets, strict=True)
        ]
        yield Places(places=tuple(places))

    async def _place(self, text: str, target: Target, node_class: DataValue, name: str) -> Place:
        if target.node is None or not isinstance(node_class.value, int):
            gone = is_unknown(target.status or node_class.status)
            return Place(asked=text, error=target.why or status_text(node_class.status), gone=gone)
        return Place(
            asked=text,
            id=target.id,
            name=name or self._nodes.browse_name(target.id).name,
            node_class=NODE_CLASSES.get(node_class.value, ""),
            path=self._nodes.path(target.id),
            way=tuple(Step(id=node_id, name=self._nodes.browse_name(node_id).name) for node_id in await self._way(text, target.id)),
        )

    async def _way(self, text: str, node_id: str) -> list[str]:
        """Up the inverse references; where the server has none, down the names that the person or an earlier browsing gave."""
        if way := self._nodes.way(node_id):
            return way
        for path in (self._nodes.path(node_id), text.strip() if "=" not in text else ""):
            chain, _ = await self._walk(path) if path else ([], "")
            if chain and chain[-1].id == node_id:
                await self._nodes.load_ancestors(chain[:-1])
                return [target.id for target in chain]
        return []

    async def _walk(self, path: str) -> tuple[list[Target], str]:
        """Down a path as ``Nodes.path`` writes it: names without namespaces, from Objects on, or with a leading "/" from Root on.

        Returns:
            The nodes from below Root to the last one, or none, and why.
        """
        if path.startswith("/"):
            above, chains = "Root", [[Target(ROOT, ns0(84))]]
        else:
            above, chains = "Objects", [[Target(ROOT, ns0(84)), Target(OBJECTS, ns0(85))]]
        for step in split_path(path) if path.strip("/") else ():
            name = re.sub(r"&(.)", r"\1", step)
            longer = await self._below(chains, name)
            if not longer:
                return [], f"nothing below {above} is called {name}"
            above, chains = name, longer[:MOST_WAYS]
        return (chains[0][1:], "") if path else ([], "")

    async def _below(self, chains: Sequence[list[Target]], name: str) -> list[list[Target]]:
        found = await self._services.browse([target.node for chain in chains if (target := chain[-1]).node is not None])
        longer: list[list[Target]] = []
        for chain, answer in zip(chains, found, strict=True):
            longer += [
                [*chain, Target(reference.id, node_of(reference.node))]
                for reference in answer.references
                if reference.name == name and reference.node
            ]
        return longer

    # What a variable holds

    async def _contents(self, text: str) -> AsyncIterator[Wire]:
        target, node = await self._node(text, "Cannot read what it holds")
        wanted = [(node, number) for number in (NODE_CLASS, DATA_TYPE, VALUE_RANK, ARRAY_DIMENSIONS, VALUE)]
        node_class, data_type, rank, dimensions, value = await self._services.read(wanted)
        if node_class.value == _DATA_TYPE_CLASS:
            await self._words.learn([target.id])
            yield NodeContents(definition=definition_lines(target.id, self._words))
            return
        if node_class.value not in _VARIABLES:
            yield NodeContents()
            return
        declared = _text(data_type.value)
        await self._types.finished([value])  # so that every structure inside it is known
        owners = {self._types.owner(encoding) for encoding in self._encodings_in(value.value)}
        await self._words.learn({declared, *owners})
        lengths = [length for length in dimensions.value if isinstance(length, int)] if isinstance(dimensions.value, list) else []
        shown = self._words.words(declared, rank.value if isinstance(rank.value, int) else -1, lengths)
        described = definition_lines(declared, self._words)
        if len(described) <= 1 and len(owners) == 1:  # declared as an open type: what came says more
            described = definition_lines(next(iter(owners)), self._words) or described
        held = value_lines(value.value, declared, shown, self._words) if value.builtin else ()
        yield NodeContents(value=held, definition=described)

    def _encodings_in(self, value: Value) -> set[str]:
        """Of all structures inside, down to the innermost."""
        found: set[str] = set()
        level = list(extensions_in(value))
        while level:
            found |= {extension.encoding for extension in level}
            level = [inner for extension in level for inner in _inside(self._types.opened(extension))]
        return found

    # Everything below

    async def _crawl(self, question: CrawlBelow) -> AsyncIterator[Wire]:
        begin = monotonic()
        rounds = 0
        async for columns in self._browser.crawl(question.node, question.limit, parents=CRAWLED_TOGETHER, ahead=1):
            nodes = zip(columns.id, columns.name, columns.path, columns.node_class, columns.type, strict=True)
            yield FoundNodes(
                nodes=tuple(FoundNode(id=id_, name=name, path=path, node_class=kind, type=type_) for id_, name, path, kind, type_ in nodes),
                refused=len(columns.errors),
            )
            rounds += 1
            due_s = begin + rounds * CRAWLED_TOGETHER / max(1, question.per_s)
            await asyncio.sleep(max(0.0, due_s - monotonic()))


def _inside(value: Value) -> list[Extension]:
    return list(extensions_in(value))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
