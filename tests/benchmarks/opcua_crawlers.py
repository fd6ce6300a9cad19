"""Python clients that crawl an address space: ``python -m tests.benchmarks.opcua_crawlers NAME URL ROOT``. See ``bench_opcua_crawl``.

Each prints ``ready``, reads ``names`` or ``values`` from standard input, one per line, and answers each with one line of JSON: nodes, CPU
and wall seconds of the crawl alone, and a digest of its content. The same work for all: hierarchical references of every node, then
DataType, ValueRank, Description and Value of every variable.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import sys
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import asyncua.ua
from asyncua.client.client import Client

from app.drivers import open_session
from app.drivers.base import EndpointConfig
from app.drivers.opcua.session import OpcUaSession
from app.drivers.opcua.session_browse import Want

ua: Any = asyncua.ua  # Any: its annotations ask for wrappers that it does not need

TOGETHER = 500
IN_FLIGHT = 6
ATTRIBUTES = ("DataType", "ValueRank", "Description", "Value")
SAMPLE = 2_000
"""Nodes that the way node by node is timed with."""

URI = "nsu=urn:peer:fast;"
_WORDS = {11: "float64", 10: "float32", 6: "int32", 1: "bool", 12: "string", 290: "float64", 5: "uint16"}

Row = tuple[object, ...]
"""Identifier, browse name, display name, node class; of a variable's attributes: type word, description, value."""


def digest(rows: Iterable[Row]) -> str:
    lines = sorted("|".join(_shown(cell) for cell in row) for row in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _shown(cell: object) -> str:
    """As JavaScript writes it."""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float) and cell == int(cell):
        return str(int(cell))
    return "" if cell is None else str(cell)


class Ours:
    """The driver's own crawl, with all its columns."""

    def __init__(self, url: str, root: str) -> None:
        self._session = open_session(EndpointConfig(name="bench", url=url))
        self._root = root

    async def open(self) -> None:
        await self._session.open(20.0)

    async def crawl(self, want: str) -> list[Any]:
        assert isinstance(self._session, OpcUaSession)
        wanted: Want = "names" if want == "names" else "values"
        return [page async for page in self._session.crawl(URI + self._root, 1_000_000, wanted)]

    def rows(self, pages: list[Any], want: str) -> list[Row]:
        rows: list[Row] = []
        classes = {"object": 1, "variable": 2}
        for page in pages:
            assert page.errors == {}
            assert all(path.endswith(name) for path, name in zip(page.path, page.browse_name, strict=True))
            for place in range(len(page)):
                row: Row = (
                    page.id[place].removeprefix(URI), page.browse_name[place], page.name[place], classes[page.node_class[place]],
                )  # fmt: skip
                if want == "values" and page.node_class[place] == "variable":
                    assert page.status[place] == 0
                    row += (page.type[place], page.description[place], page.value[place])
                rows.append(row)
        return rows

    async def close(self) -> None:
        await self._session.close()


class Library:
    """asyncua's client: in batches by its own structures, or node by node as opcua-client-gui does."""

    def __init__(self, url: str, root: str, *, node_by_node: bool) -> None:
        self._client = Client(url)
        self._root = ua.NodeId(root.removeprefix("s="), 2)
        self._node_by_node = node_by_node

    async def open(self) -> None:
        await self._client.connect()

    async def close(self) -> None:
        await self._client.disconnect()

    async def crawl(self, want: str) -> list[Any]:
        return await (self._one_by_one(want) if self._node_by_node else self._batched(want))

    async def _one_by_one(self, want: str) -> list[Any]:
        """Children of each node, then the attributes of each; depth first, until ``SAMPLE`` nodes were visited: mostly variables."""
        rows: list[Any] = []
        left = [self._client.get_node(self._root)]
        seen = {self._root}
        wanted = [ua.AttributeIds.NodeClass, ua.AttributeIds.BrowseName, ua.AttributeIds.DisplayName]
        wanted += [ua.AttributeIds[name] for name in ATTRIBUTES] if want == "values" else []
        while left:
            node = left.pop()
            for child in await node.get_children():
                if child.nodeid not in seen:
                    seen.add(child.nodeid)
                    left.append(child)
            if node.nodeid != self._root:
                rows.append((node, await node.read_attributes(wanted)))
            if len(rows) == SAMPLE:
                break
        return rows

    async def _batched(self, want: str) -> list[Any]:
        seen = {self._root}
        found: list[Any] = []
        level = [self._root]
        while level:
            following = []
            for result in await self._pipelined(level, self._browse):
                for reference in result.References:
                    if reference.NodeId not in seen:
                        seen.add(reference.NodeId)
                        following.append(reference.NodeId)
                        found.append(reference)
            level = following
        if want == "names":
            return found
        variables = [reference.NodeId for reference in found if reference.NodeClass == ua.NodeClass.Variable]
        columns = [await self._pipelined(variables, self._reader(name)) for name in ATTRIBUTES]
        return [found, dict(zip(variables, zip(*columns, strict=True), strict=True))]

    async def _pipelined(self, items: list[Any], ask: Callable[[list[Any]], Awaitable[list[Any]]]) -> list[Any]:
        gate = asyncio.Semaphore(IN_FLIGHT)

        async def part(some: list[Any]) -> list[Any]:
            async with gate:
                return await ask(some)

        parts = await asyncio.gather(*(part(items[start : start + TOGETHER]) for start in range(0, len(items), TOGETHER)))
        return [answer for answers in parts for answer in answers]

    async def _browse(self, nodes: list[Any]) -> list[Any]:
        parameters = ua.BrowseParameters()
        parameters.NodesToBrowse = [
            ua.BrowseDescription(
                NodeId=node, BrowseDirection=ua.BrowseDirection.Forward, ReferenceTypeId=ua.NodeId(33), IncludeSubtypes=True,
                NodeClassMask=0, ResultMask=ua.BrowseResultMask.All,
            )
            for node in nodes
        ]  # fmt: skip
        results = list(await self._client.uaclient.browse(parameters))
        assert not any(result.ContinuationPoint for result in results)
        return results

    def _reader(self, name: str) -> Callable[[list[Any]], Awaitable[list[Any]]]:
        async def read(nodes: list[Any]) -> list[Any]:
            parameters = ua.ReadParameters()
            parameters.TimestampsToReturn = ua.TimestampsToReturn.Both if name == "Value" else ua.TimestampsToReturn.Neither
            parameters.NodesToRead = [ua.ReadValueId(node, ua.AttributeIds[name]) for node in nodes]
            return list(await self._client.uaclient.read(parameters))

        return read

    def rows(self, found: list[Any], want: str) -> list[Row]:
        if self._node_by_node:
            return [self._visited(node, values, want) for node, values in found]
        if want == "names":
            return [_reference(reference) for reference in found]
        references, values = found
        return [_reference(one) + (_attributes(*values[one.NodeId]) if one.NodeId in values else ()) for one in references]

    def _visited(self, node: Any, values: Any, want: str) -> Row:
        node_class, name, display, *more = values
        row: Row = (f"s={node.nodeid.Identifier}", name.Value.Value.Name, display.Value.Value.Text, int(node_class.Value.Value))
        return row + (_attributes(*more) if want == "values" and row[3] == 2 else ())


def _reference(reference: Any) -> Row:
    return (f"s={reference.NodeId.Identifier}", reference.BrowseName.Name, reference.DisplayName.Text, int(reference.NodeClass))


def _attributes(data_type: Any, rank: Any, description: Any, value: Any) -> Row:
    assert rank.Value.Value == -1
    return (_WORDS[data_type.Value.Value.Identifier], description.Value.Value.Text, value.Value.Value)


CONTENDERS: dict[str, Callable[[str, str], Any]] = {
    "ours": Ours,
    "asyncua": lambda url, root: Library(url, root, node_by_node=False),
    "node by node": lambda url, root: Library(url, root, node_by_node=True),
}


async def main(name: str, url: str, root: str) -> None:
    contender = CONTENDERS[name](url, root)
    await contender.open()
    print("ready", flush=True)
    loop = asyncio.get_running_loop()
    while line := (await loop.run_in_executor(None, sys.stdin.readline)).strip():
        cpu_s, wall_s = time.process_time(), time.perf_counter()
        found = await contender.crawl(line)
        cpu_s, wall_s = time.process_time() - cpu_s, time.perf_counter() - wall_s
        rows = contender.rows(found, line)
        print(json.dumps({"nodes": len(rows), "cpu_s": cpu_s, "wall_s": wall_s, "digest": digest(rows)}), flush=True)
        del found, rows
    await contender.close()


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    asyncio.run(main(*sys.argv[1:]))
