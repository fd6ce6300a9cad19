"""``python -m tests.peers.crawl_connector``: a connector process like the real one, with a very large address space that costs nothing.

``Many`` has ``MANY`` children; a crawl gives nodes at the rate that is asked for, ``PART`` in a reply. For ``bench_crawl_window``.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Sequence

import msgspec

from app.connector.pipes import claim_stdout
from app.drivers.base import BrowseColumns, EndpointConfig, EndpointReport, Wire
from app.drivers.opcua.questions import CrawlBelow, FoundNode, FoundNodes
from app.drivers.questions import Question
from tests.peers.sim_session import SimSession

MANY = 100_000
PART = 500
PAGE = 10_000
MACHINES = ("Filler", "Labeller", "Capper", "Packer", "Conveyor", "Drive", "Meter", "Tank")


class CrawlSession(SimSession):
    def __init__(self, config: EndpointConfig) -> None:
        super().__init__(config)
        self._crawls = 0

    async def ask(self, question: Question) -> AsyncIterator[Wire]:
        if not isinstance(question, CrawlBelow):
            return
        self._crawls += 1
        begun_s = time.monotonic()
        for start in range(0, question.limit, PART):
            due_s = begun_s + start / question.per_s
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))
            numbers = range(start, min(start + PART, question.limit))
            yield FoundNodes(nodes=tuple(self._found(number) for number in numbers))

    def _found(self, number: int) -> FoundNode:
        name = f"{MACHINES[number % 8]}{number}"
        id_ = f"nsu=urn:example:plant;s=Crawl{self._crawls}.Line{number // 1000}.{name}"
        return FoundNode(id=id_, name=name, path=f"Objects/Line{number // 1000}/{name}", node_class="variable", type="float32")

    async def browse(self, nodes: Sequence[str], resume: bytes | None = None) -> BrowseColumns:
        if nodes[0] != "many":
            return _columns(["many"], expandable=True)
        first = int(resume or b"0")
        last = min(first + PAGE, MANY)
        columns = _columns([f"nsu=urn:example:plant;i={number}" for number in range(first, last)], expandable=False)
        return msgspec.structs.replace(columns, resume=str(last).encode() if last < MANY else None)


def _columns(ids: list[str], *, expandable: bool) -> BrowseColumns:
    rows = len(ids)
    names = tuple(id_.rsplit("=", 1)[-1] for id_ in ids)
    return BrowseColumns(
        parent=(0,) * rows,
        id=tuple(ids),
        name=names,
        browse_name=names,
        path=names,
        node_class=("object" if expandable else "variable",) * rows,
        type=("" if expandable else "float32",) * rows,
        has_children=(expandable,) * rows,
        description=("",) * rows,
    )


async def discover(url: str, timeout_s: float) -> EndpointReport:
    return EndpointReport(title="Crawl 1.0", url=url)


def main() -> int:
    descriptor = claim_stdout()
    from app.connector.main import run

    return run(descriptor, CrawlSession, discover)


if __name__ == "__main__":
    sys.exit(main())
