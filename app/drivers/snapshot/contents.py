"""A whole snapshot in memory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.drivers.snapshot.lines import ChildrenLine, End, Header, NodeLine, RegistersLine
from app.drivers.snapshot.reading import Entry, Scan, bad_line
from app.drivers.snapshot.registers import Registers
from app.drivers.snapshot.tree import Tree, TreeError
from app.errors import UserError


@dataclass(slots=True)
class Contents:
    """What has been read so far. ``header`` is there after the first line, ``end`` after the last."""

    path: Path
    header: Header | None = None
    tree: Tree | None = None
    registers: Registers | None = None
    end: End | None = None

    def add(self, entry: Entry) -> None:
        """Raises ``UserError``: the line contradicts those before."""
        match entry.line:
            case Header() as header:
                self.begin(header)
            case NodeLine() | ChildrenLine() if self.tree is not None:
                self._add_to(self.tree, entry)
            case RegistersLine() as line if self.registers is not None:
                self.registers.add(line)
            case End() as end:
                self.end = end
            case _:
                raise bad_line(self.path, entry.number, "a line that does not belong into a snapshot of this kind")

    def begin(self, header: Header) -> None:
        self.header = header
        self.tree = None if header.driver == "modbus" else Tree()
        self.registers = Registers() if header.driver == "modbus" else None

    def _add_to(self, tree: Tree, entry: Entry) -> None:
        try:
            if isinstance(entry.line, NodeLine):
                tree.add_node(entry.line, entry.data)
            elif isinstance(entry.line, ChildrenLine):
                tree.add_children(entry.line)
        except TreeError as error:
            raise bad_line(self.path, entry.number, str(error)) from error


def read_contents(path: Path) -> Contents:
    """A finished snapshot.

    Raises:
        UserError: It cannot be read, is damaged, or unfinished (``UnfinishedError``).
    """
    contents, scan = Contents(path), Scan(path)
    for entry in scan.entries():
        contents.add(entry)
    scan.check_finished()
    if contents.tree is not None and not len(contents.tree):
        raise UserError("Cannot open the snapshot", where=str(path), why="there is no node in it", fix="Take it again")
    return contents
