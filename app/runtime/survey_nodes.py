"""What a snapshot takes of an address space: nodes level by level, each with its attributes and its value."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator, Sequence
from typing import Final, TypeVar

import msgspec

from app.drivers.base import BrowseColumns, Item, NodeDetails
from app.drivers.opcua.questions import Contents as ContentsOf
from app.drivers.opcua.questions import MethodSignature, NodeContents, Signature
from app.drivers.snapshot.contents import Contents
from app.drivers.snapshot.lines import AnyLine, Child, ChildrenLine, LineFormError, NodeLine, SampleLine, details_line, line_of
from app.drivers.snapshot.of_nodes import OBJECTS
from app.drivers.snapshot.tree import Tree
from app.drivers.snapshot.values import ValueFormError
from app.drivers.snapshot.writing import SnapshotFile
from app.errors import UserError
from app.model.columns import SampleColumns
from app.runtime.answers import joined
from app.runtime.live import LiveProject
from app.runtime.survey_steps import Answer, Asking, Progress, Taking, Wish

AT_ONCE: Final = 50
"""Nodes in one request, at most; fewer where the rate is low, so that a device is never asked for much at once."""
CHUNK_S: Final = 0.5
T = TypeVar("T")
Step = Generator[Asking | None, Answer, T]


class NodeTaker:
    """``contents`` holds what is in the file already; every line that is written goes there too."""

    def __init__(self, live: LiveProject, endpoint_id: str, wish: Wish, contents: Contents, file: SnapshotFile, progress: Progress) -> None:
        self._live, self._id, self._wish, self._file, self._progress = live, endpoint_id, wish, file, progress
        assert contents.tree is not None
        self._tree: Tree = contents.tree
        self._chunk = max(1, min(AT_ONCE, int(wish.per_s * CHUNK_S)))
        self._open: deque[str] = deque(id_ for id_ in self._tree.ids() if self._tree.is_open(id_))

    def take(self) -> Taking:
        self._tell()
        if not len(self._tree):
            yield from self._take_root()
        while self._open:
            parents = [self._open[place] for place in range(min(self._chunk, len(self._open)))]
            yield from self._take_below(parents)
            for _ in parents:
                self._open.popleft()
            self._tell()

    def _tell(self, found: int = 0) -> None:
        self._progress.taken = len(self._tree)
        self._progress.found = len(self._tree) + found
        self._progress.open = len(self._open) + found

    # Browsing

    def _take_root(self) -> Step[None]:
        """The node at which the snapshot begins.

        Raises:
            UserError: There is none.
        """
        root = self._wish.root or OBJECTS
        answer = yield Asking(lambda: self._live.details(self._id, [root]), 1)
        if isinstance(answer, UserError):
            raise answer
        details = answer[-1]
        assert isinstance(details, list)
        found = details[0]
        if found.error:
            raise UserError("Cannot take the snapshot", where=root, why=found.error, fix="Check the node id")
        name = next((one.text for one in found.attributes if one.name == "BrowseName"), found.name)
        row = NodeLine(
            id=found.id, name=found.name, browse_name=name, path=found.path, node_class=found.node_class,
            type=found.type, description=found.description,
        )  # fmt: skip
        yield from self._take_nodes([row])

    def _take_below(self, parents: Sequence[str]) -> Step[None]:
        """Everything directly below these nodes, and that it is complete."""
        answer = yield Asking(lambda: self._live.browse(self._id, parents), len(parents))
        if isinstance(answer, UserError):
            if len(parents) == 1:
                self._write([ChildrenLine(of=parents[0], error=answer.why)])
                return
            for part in _halves(parents):
                yield from self._take_below(part)
            return
        page = joined(answer)
        assert isinstance(page, BrowseColumns)
        fresh: dict[str, NodeLine] = {}
        for row in (_row(page, place) for place in range(len(page))):
            if row.id not in self._tree:
                fresh.setdefault(row.id, row)
        rows = list(fresh.values())
        for start in range(0, len(rows), self._chunk):
            self._tell(len(rows) - start)
            yield from self._take_nodes(rows[start : start + self._chunk])
        self._write(self._children(parents, page))

    def _children(self, parents: Sequence[str], page: BrowseColumns) -> Iterator[ChildrenLine]:
        below: list[list[Child]] = [[] for _ in parents]
        for place, parent in enumerate(page.parent):
            row = self._tree.node(page.id[place])
            assert row is not None
            path, name = page.path[place], page.browse_name[place]
            below[parent].append(Child(row.id, None if path == row.path else path, None if name == row.browse_name else name))
        for place, of in enumerate(parents):
            yield ChildrenLine(of=of, nodes=tuple(below[place]), error=page.errors.get(place, ""))

    # Nodes

    def _take_nodes(self, rows: Sequence[NodeLine]) -> Step[None]:
        """Their details and values; where one of them cannot be asked for, the others are taken without it."""
        ids = [row.id for row in rows]
        answer = yield Asking(lambda: self._live.details(self._id, ids), len(ids))
        variables = [row.id for row in rows if row.node_class == "variable"]
        values: Answer = []
        if variables and not isinstance(answer, UserError):
            values = yield Asking(lambda: self._live.read(self._id, [Item(address=id_) for id_ in variables]), len(variables))
        failed = answer if isinstance(answer, UserError) else values if isinstance(values, UserError) else None
        if failed is not None:
            if len(rows) == 1:
                self._write([msgspec.structs.replace(rows[0], missing=failed.why)])
                return
            for part in _halves(rows):
                yield from self._take_nodes(part)
            return
        assert not isinstance(answer, UserError)
        assert not isinstance(values, UserError)
        samples = values[-1] if values else None
        assert samples is None or isinstance(samples, SampleColumns)
        details = answer[-1]
        assert isinstance(details, list)
        sampled = _with_samples(rows, details, variables, samples)
        whole: list[NodeLine] = []
        for row in sampled:
            more = yield from self._with_more(row)
            whole.append(more)
        self._write(whole)

    def _with_more(self, row: NodeLine) -> Step[NodeLine]:
        """What a method takes, what a structure is made of: asked for one by one, and rare."""
        if row.node_class == "method":
            answer = yield Asking(lambda: self._live.ask(self._id, MethodSignature(node=row.id)), 1)
            found = None if isinstance(answer, UserError) else answer[-1]
            return msgspec.structs.replace(row, method=found) if isinstance(found, Signature) else row
        if row.type.startswith("struct"):
            answer = yield Asking(lambda: self._live.ask(self._id, ContentsOf(node=row.id)), 1)
            held = None if isinstance(answer, UserError) else answer[-1]
            return msgspec.structs.replace(row, contents=held) if isinstance(held, NodeContents) else row
        return row

    def _write(self, added: Sequence[AnyLine] | Iterator[AnyLine]) -> None:
        lines = [_writable(line) for line in added]
        self._file.append(lines)
        for line in lines:
            if isinstance(line, NodeLine):
                self._tree.add_node(line, line_of(line)[:-1])
                if self._tree.is_open(line.id):
                    self._open.append(line.id)
            elif isinstance(line, ChildrenLine):
                self._tree.add_children(line)
        self._progress.taken = len(self._tree)


def _row(page: BrowseColumns, place: int) -> NodeLine:
    return NodeLine(
        id=page.id[place], name=page.name[place], browse_name=page.browse_name[place], path=page.path[place],
        node_class=page.node_class[place], type=page.type[place], has_children=page.has_children[place],
        description=page.description[place],
    )  # fmt: skip


def _with_samples(
    rows: Sequence[NodeLine], details: Sequence[NodeDetails], variables: Sequence[str], samples: SampleColumns | None
) -> Iterator[NodeLine]:
    places = {id_: place for place, id_ in enumerate(variables)}
    for row, said in zip(rows, details, strict=True):
        line = msgspec.structs.replace(row, details=details_line(row, said))
        if samples is not None and row.id in places:
            try:
                line = msgspec.structs.replace(line, sample=SampleLine.of(samples.sample(places[row.id])))
            except ValueFormError as error:
                line = msgspec.structs.replace(line, missing=f"the value cannot be kept: {error}")
        yield line


def _writable(line: AnyLine) -> AnyLine:
    """A node whose line would be too long is kept without its value and without what it is made of, and says so."""
    if not isinstance(line, NodeLine):
        return line
    try:
        line_of(line)
    except LineFormError as error:
        return msgspec.structs.replace(line, sample=None, contents=None, details=None, missing=f"the value cannot be kept: {error}")
    return line


def _halves(parts: Sequence[T]) -> tuple[Sequence[T], Sequence[T]]:
    middle = len(parts) // 2
    return parts[:middle], parts[middle:]
