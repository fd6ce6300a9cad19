"""What can be asked of an OPC UA endpoint beyond what every endpoint answers. Plain structs: both ends of the pipe know them."""

from __future__ import annotations

from typing import ClassVar, Final

from app.drivers.base import Wire
from app.drivers.questions import Question

CRAWL_PER_S: Final = 500
"""Nodes per second that a crawl asks about unless told otherwise: a guess at what a busy PLC does not feel; the person can change it."""


class Reference(Wire, frozen=True, kw_only=True):
    """One reference (OPC 10000-3 §5.3) of the node asked about.

    Attributes:
        type: Canonical id of the reference type, ``type_name`` its name, ``inverse_name`` how it reads from the target's side.
        forward: From the node to the target; False is inverse.
        target: Canonical id; one on another server begins with ``svr=`` and cannot be gone to.
        node_class: In words, "" where the server does not say.
        type_definition: Name of the target's type definition, "" for nodes that have none.
    """

    type: str
    type_name: str
    inverse_name: str = ""
    forward: bool = True
    target: str
    name: str
    node_class: str = ""
    type_definition: str = ""


class ReferencePage(Wire, frozen=True, kw_only=True):
    """Some of the references, in the server's order. ``trouble`` says why there will be no more although the server has some."""

    references: tuple[Reference, ...] = ()
    trouble: str = ""


class References(Question, frozen=True, kw_only=True, tag="opcua.references"):
    """Every reference of a node, hierarchical or not, in both directions, page by page as the server gives them."""

    ANSWERS: ClassVar = ReferencePage
    node: str


class Argument(Wire, frozen=True, kw_only=True):
    """One argument of a method (OPC 10000-3 §8.6); ``type`` in words with its dimensions: ``float64``, ``Recipe (struct)[]``."""

    name: str
    type: str
    description: str = ""


class Signature(Wire, frozen=True, kw_only=True):
    """``executable`` and ``user_executable`` are None where the server does not say."""

    inputs: tuple[Argument, ...] = ()
    outputs: tuple[Argument, ...] = ()
    executable: bool | None = None
    user_executable: bool | None = None


class MethodSignature(Question, frozen=True, kw_only=True, tag="opcua.method"):
    """What a method takes and gives. Calling it is no part of reading."""

    ANSWERS: ClassVar = Signature
    node: str


class Step(Wire, frozen=True, kw_only=True):
    id: str
    name: str


class Place(Wire, frozen=True, kw_only=True):
    """Where a node stands.

    Attributes:
        asked: As it was written.
        way: From the child of Root (Objects, Types, Views) down to the node itself; empty when no inverse references lead to Root.
        error: Why there is no such node; all but ``asked`` is empty then.
        gone: The server says that it has no such node, so what was known of it is void.
    """

    asked: str
    id: str = ""
    name: str = ""
    node_class: str = ""
    path: str = ""
    way: tuple[Step, ...] = ()
    error: str = ""
    gone: bool = False


class Places(Wire, frozen=True, kw_only=True):
    """One per text, in order."""

    places: tuple[Place, ...]


class Resolve(Question, frozen=True, kw_only=True, tag="opcua.resolve"):
    """Which nodes are meant.

    By ``nsu=…;s=…``, ``ns=2;s=…``, ``/Objects/2:Line1/2:Speed``, or a path as the window shows it (``Line1/Speed``).
    """

    ANSWERS: ClassVar = Places
    texts: tuple[str, ...]


class Line(Wire, frozen=True, kw_only=True):
    """One line of a tree; the lines that follow with a higher ``level`` are below it."""

    level: int = 0
    name: str = ""
    text: str = ""
    type: str = ""


class NodeContents(Wire, frozen=True, kw_only=True):
    """``value`` is what a variable holds now, ``definition`` what its data type (or the data type asked about) is made of."""

    value: tuple[Line, ...] = ()
    definition: tuple[Line, ...] = ()


class Contents(Question, frozen=True, kw_only=True, tag="opcua.contents"):
    """The value of a variable and the definition of its data type, member by member."""

    ANSWERS: ClassVar = NodeContents
    node: str


class FoundNode(Wire, frozen=True, kw_only=True):
    """Fields as in ``BrowseColumns``."""

    id: str
    name: str
    path: str
    node_class: str
    type: str = ""


class FoundNodes(Wire, frozen=True, kw_only=True):
    """Found since the last answer; ``refused`` nodes could not be browsed."""

    nodes: tuple[FoundNode, ...] = ()
    refused: int = 0


class CrawlBelow(Question, frozen=True, kw_only=True, tag="opcua.crawl"):
    """Everything below a node, at most ``limit`` nodes, asking for the children of at most ``per_s`` nodes a second."""

    ANSWERS: ClassVar = FoundNodes
    node: str
    limit: int = 100_000
    per_s: int = CRAWL_PER_S


QUESTIONS = [References, MethodSignature, Resolve, Contents, CrawlBelow]
