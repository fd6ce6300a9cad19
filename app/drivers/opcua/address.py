"""OPC UA addresses as text. Pure: nothing here knows a server.

Two forms exist. A *node address* is the ExpandedNodeId text of OPC 10000-6 §5.1.12 with the namespace always written as URI, also for
namespace 0, because an index is only valid until the server's next restart::

    nsu=http://opcfoundation.org/UA/;i=85      nsu=urn:line%3B1;s=Line1.Speed

'%' and ';' of the URI are escaped, the identifier goes verbatim to the end and may hold anything. A *browse path* begins at the Root
folder, in the text form of OPC 10000-4 Annex A.2 with URIs for indexes; only a server can say which node it leads to, so a browse path
stays a browse path until a session resolves it (``details`` then reports the node address)::

    /Objects/nsu=urn:line;Line1/nsu=urn:line;Speed
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Final, Literal, NoReturn, TypeGuard, get_args
from uuid import UUID

import msgspec

from app.errors import UserError

UA_NAMESPACE: Final = "http://opcfoundation.org/UA/"
"""URI of namespace 0, OPC 10000-3 §8.2.3."""

EXAMPLE: Final = 'For example "nsu=urn:example:line;s=Line1.Speed", "ns=2;i=1003" or "/Objects/2:Line1/2:Speed"'

IdentifierKind = Literal["i", "s", "g", "b"]
KIND_TITLES: Final[dict[IdentifierKind, str]] = {"i": "Numeric", "s": "String", "g": "GUID", "b": "Opaque"}

_SEPARATORS: Final = "/."
_RESERVED: Final = "/.<>:#!&"
"""OPC 10000-4 §A.2: these are written with a leading '&' inside a name."""

_ESCAPED = re.compile("%25|%3[Bb]")
_INDEX = re.compile("[0-9]{1,5}")
_NUMERIC = re.compile("0*[0-9]{1,10}")
_STEP_INDEX = re.compile("[0-9]+:")


class NodeAddress(msgspec.Struct, frozen=True):
    """A node by namespace URI, kind of identifier, and identifier in its canonical text."""

    uri: str
    kind: IdentifierKind
    identifier: str

    def __str__(self) -> str:
        return f"nsu={escape_uri(self.uri)};{self.kind}={self.identifier}"


class PathStep(msgspec.Struct, frozen=True):
    """One element of a browse path: "/" follows hierarchical references, "." aggregating ones, subtypes included."""

    separator: str
    uri: str
    name: str

    def __str__(self) -> str:
        prefix = "" if self.uri == UA_NAMESPACE else f"nsu={escape_uri(self.uri)};"
        return f"{self.separator}{prefix}{escape_name(self.name)}"


class PathAddress(msgspec.Struct, frozen=True):
    """A node by browse names from the Root folder (i=84) on."""

    steps: tuple[PathStep, ...]

    def __str__(self) -> str:
        return "".join(str(step) for step in self.steps)


Address = NodeAddress | PathAddress


def escape_uri(uri: str) -> str:
    return uri.replace("%", "%25").replace(";", "%3B")


def unescape_uri(text: str) -> str:
    """Only '%25' and '%3B' are escapes; any other '%' is taken as it stands, so that a URI pasted unescaped still reads."""
    return _ESCAPED.sub(lambda match: "%" if match[0] == "%25" else ";", text)


def escape_name(name: str) -> str:
    """``A&/B``. Escaping a letter that needs it not is allowed, which keeps a name "nsu=…" apart from a namespace."""
    escaped = "".join(f"&{letter}" if letter in _RESERVED else letter for letter in name)
    return f"&{escaped}" if name.startswith("nsu=") else escaped


def parse(text: str, namespaces: Sequence[str] = ()) -> Address:
    """Read any accepted form.

    Args:
        text: Node address, ``ns=<index>;…``, bare ``i=85`` (namespace 0), or browse path.
        namespaces: URIs by index; without them index forms other than 0 are refused.

    Raises:
        UserError: What is wrong, at which character, and an example of a right one.
    """
    start = len(text) - len(text.lstrip())
    if start == len(text):
        _refuse(text, start, "the address is empty")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        _refuse(ascii(text), error.start, "half a surrogate pair, which no server can be sent")
    if text[start] == "/":
        return _parse_path(text, start, namespaces)
    return _parse_node(text, start, namespaces)


def _refuse(text: str, position: int, why: str, fix: str = EXAMPLE) -> NoReturn:
    raise UserError("Not an OPC UA address", where=text, why=f"at character {position + 1}: {why}", fix=fix)


def _parse_node(text: str, start: int, namespaces: Sequence[str]) -> NodeAddress:
    position = start
    uri = UA_NAMESPACE
    if text.startswith("svr=", position):
        _refuse(text, position, "the node is on another server (svr=)", "Connect to that server and address its node there")
    if text.startswith("nsu=", position):
        uri, position = _read_uri(text, position)
    elif text.startswith("ns=", position):
        uri, position = _read_index(text, position + 3, ";", namespaces)
    kind = text[position : position + 1]
    if not _is_kind(kind) or text[position + 1 : position + 2] != "=":
        _refuse(text, position, 'expected "i=", "s=", "g=" or "b="')
    return NodeAddress(uri, kind, _identifier(text, position + 2, kind, uri))


def _is_kind(letter: str) -> TypeGuard[IdentifierKind]:
    return letter in get_args(IdentifierKind)


def _read_uri(text: str, position: int) -> tuple[str, int]:
    """The URI after ``nsu=`` at ``position``, and where the text goes on."""
    begin = position + 4
    end = text.find(";", begin)
    if end < 0:
        _refuse(text, len(text), 'expected ";" behind the namespace URI (a ";" inside it is written %3B)')
    if end == begin:
        _refuse(text, begin, "the namespace URI is empty")
    return unescape_uri(text[begin:end]), end + 1


def _read_index(text: str, position: int, end_mark: str, namespaces: Sequence[str]) -> tuple[str, int]:
    end = text.find(end_mark, position)
    digits = text[position : end if end >= 0 else len(text)]
    if not _INDEX.fullmatch(digits):
        _refuse(text, position, "expected a namespace index")
    if end < 0:
        _refuse(text, len(text), f'expected "{end_mark}" behind the namespace index')
    index = int(digits)
    if index == 0:
        return UA_NAMESPACE, end + 1
    if not namespaces:
        why = f"namespace index {index} means nothing without the server's namespace list"
        _refuse(text, position, why, "Connect once, so that the list is known, or write the URI: nsu=<uri>;…")
    if index >= len(namespaces):
        known = ", ".join(f"{number} {uri}" for number, uri in enumerate(namespaces))
        _refuse(text, position, f"namespace index {index} does not exist; the server has {known}")
    return namespaces[index], end + 1


def _identifier(text: str, begin: int, kind: str, uri: str) -> str:
    """Canonical text of the identifier that begins at ``begin``."""
    raw = text[begin:]
    if kind == "s":
        if not raw and uri == UA_NAMESPACE:
            _refuse(text, begin, "the identifier is empty")
        return raw
    raw = raw.strip()
    if kind == "i":
        if not _NUMERIC.fullmatch(raw) or int(raw) > 2**32 - 1:
            _refuse(text, begin, "a numeric identifier is a whole number from 0 to 4294967295")
        if int(raw) == 0 and uri == UA_NAMESPACE:
            _refuse(text, begin, "i=0 is the null node")
        return str(int(raw))
    if kind == "g":
        try:
            return str(UUID(raw))
        except ValueError:
            _refuse(text, begin, "not a GUID", "For example g=09087e75-8e5e-499b-954f-f2a9603db28a")
    try:
        return base64.b64encode(base64.b64decode(raw, validate=True)).decode("ascii")
    except (binascii.Error, ValueError):
        _refuse(text, begin, "an opaque identifier is written in base64", "For example b=M/RbKBsRVkePCePcx24oRA==")


def _parse_path(text: str, start: int, namespaces: Sequence[str]) -> PathAddress:
    steps: list[PathStep] = []
    position = start
    while position < len(text):
        separator = text[position]
        if separator == "<":
            why = "a reference type in angle brackets is not supported in a browse path"
            _refuse(text, position, why, 'Use "/" (hierarchical) or "." (aggregates)')
        position += 1
        uri = UA_NAMESPACE
        if text.startswith("nsu=", position):
            uri, position = _read_uri(text, position)
        elif _STEP_INDEX.match(text, position):
            uri, position = _read_index(text, position, ":", namespaces)
        name, position = _read_name(text, position)
        steps.append(PathStep(separator, uri, name))
    return PathAddress(tuple(steps))


def _read_name(text: str, position: int) -> tuple[str, int]:
    letters: list[str] = []
    begin = position
    while position < len(text) and text[position] not in _SEPARATORS + "<":
        if text[position] == "&":
            position += 1
            if position == len(text):
                _refuse(text, position, 'a name cannot end in a single "&"', 'Write "&&" for "&"')
        elif text[position] in _RESERVED:
            _refuse(text, position, f'"{text[position]}" inside a name is written "&{text[position]}"')
        letters.append(text[position])
        position += 1
    if not letters:
        _refuse(text, begin, "a name is missing")
    return "".join(letters), position
