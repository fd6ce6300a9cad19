"""One element as one line of JSON: the only place where elements become bytes, and bytes become elements.

The project file, the journal and the editor's checks share it. It also says what an element may not hold although its
types would allow it, so that whatever is in a project can be written and read again.
"""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeVar, cast, get_args

import msgspec

from app.model.element import Element
from app.model.ids import ID_FORM, ID_LENGTH
from app.model.itmodel import Attribute
from app.model.mapping import Cast, EnumNames, Transform
from app.model.mapping import Mapping as TagMapping
from app.model.plant import Endpoint, Identity, Security, Tag
from app.model.project import KINDS
from app.model.values import SCALAR_TYPES

S = TypeVar("S", bound=msgspec.Struct)

DEPTH_LIMIT: Final = 32
"""Nesting of ``extensions``; deeper than any format we import, and far from where JSON readers give up."""

INTEGER_RANGE: Final = (-(2**63), 2**64 - 1)
"""What 64-bit readers of the file (DuckDB, pandas, Go, C++) can hold, signed or unsigned."""


class End(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="end"):
    """The last line of a project file; without it the file was cut off."""


_ANY_LINE = functools.reduce(operator.or_, KINDS.values(), cast("Any", End))  # Any: a union built at run time has no static type
DECODER: Final = msgspec.json.Decoder(cast("type[Element | End]", _ANY_LINE))
ENCODER: Final = msgspec.json.Encoder()

_ID: Final = ID_FORM.fullmatch
_TYPE_WORDS: Final = frozenset(SCALAR_TYPES) | {f"{word}[]" for word in SCALAR_TYPES}
_ENUM_NUMBER: Final = re.compile(r"0|-?[1-9][0-9]{0,18}")
_SECRET_NAME: Final = re.compile(r"passw|passphrase|secret|token|api_?key|private_?key", re.IGNORECASE)
_URL_PASSWORD: Final = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://[^/?#@]*:[^/?#@]+@")


class _Shape(NamedTuple):
    """What ``canonical`` looks at in one kind of struct.

    Attributes:
        defaults: Fields whose default msgspec does not recognise by itself: it compares by identity, so a 1.0 from a file is
            not its 1.0.
        structs: Those of them that hold a struct.
    """

    defaults: tuple[tuple[str, object], ...]
    structs: tuple[str, ...]


def _shape(kind: type[msgspec.Struct]) -> _Shape:
    """Of the struct as it was declared: ``msgspec.structs.fields`` would take the types to pieces too, at every start."""
    same_by_identity = (None, True, False, "", msgspec.NODEFAULT)
    with_default = kind.__struct_fields__[len(kind.__struct_fields__) - len(kind.__struct_defaults__) :]
    fields = [
        (name, default)
        for name, default in zip(with_default, kind.__struct_defaults__, strict=True)
        if type(default).__name__ != "Factory" and not any(default is one for one in same_by_identity)
    ]
    return _Shape(tuple(fields), tuple(name for name, default in fields if isinstance(default, msgspec.Struct)))


_SHAPES: Final[dict[type[msgspec.Struct], _Shape]] = {
    kind: _shape(kind) for kind in (*KINDS.values(), *get_args(Transform), Security, Identity)
}


def canonical(struct: S) -> S:
    """The same struct with every field that equals its default holding the default itself, so that it is left out of the line."""
    defaults, structs = _SHAPES[type(struct)]
    other: dict[str, object] = {}
    if isinstance(struct, TagMapping):
        for place, step in enumerate(struct.transform):
            if (plain := canonical(step)) is not step:
                steps = cast("tuple[Transform, ...]", other.get("transform", struct.transform))
                other["transform"] = (*steps[:place], plain, *steps[place + 1 :])
    for name in structs:
        held = getattr(struct, name)
        if (inner := canonical(held)) is not held:
            other[name] = inner
    for name, default in defaults:
        held = getattr(struct, name)
        if held is not default and other.get(name, held) == default:
            other[name] = default
    return msgspec.structs.replace(struct, **other) if other else struct


def line_of(element: Element) -> bytes:
    """The element's line, without the line feed: UTF-8, "kind" first, then "id", then the other fields as declared."""
    return ENCODER.encode(canonical(element))


def element_of(line: bytes | str) -> Element:
    """Raises ``msgspec.DecodeError`` (or its ``ValidationError``, ``UnicodeDecodeError``, ``RecursionError``) for what is none."""
    found = DECODER.decode(line)
    if isinstance(found, End):
        raise msgspec.ValidationError("the end line is not an element")
    return found


def faults(element: Element) -> list[str]:
    """What the element may not hold although its types allow it, as sentences; empty when all is well.

    Cheap enough for every element of every file that is read.
    """
    wrong: list[str] = []
    if not _ID(element.id) or len(element.id) > ID_LENGTH:
        wrong.append(f"id must be lower-case letters, digits and single hyphens, at most {ID_LENGTH} characters")
    if extensions := getattr(element, "extensions", None):
        wrong += _json_faults("extensions", extensions)
    if check := _FAULTS.get(type(element)):
        wrong += check(element)
    return wrong


def unwritable(element: Element) -> str:
    """Why the element's line would not give the element back ("" when it does): NaN, infinity, a wrong type, half a character."""
    try:
        line = line_of(element)
        if element_of(line) == element:
            return ""
    except UnicodeEncodeError:
        return "a text in it has a lone surrogate, which is no character"
    except (msgspec.MsgspecError, RecursionError, TypeError) as error:
        return f"{error}"
    return "it holds NaN, an infinity, or a value that JSON does not have"


def first_fault(element: Element) -> str:
    """Why no project file could hold the element; "" when one can."""
    return next(iter(faults(element)), "") or unwritable(element)


def _json_faults(name: str, value: object) -> list[str]:
    """Faults of a value of any shape, without recursion, so that its depth cannot hurt."""
    wrong: dict[str, None] = {}
    level: list[object] = [value]
    for _ in range(DEPTH_LIMIT):
        below: list[object] = []
        for one in level:
            if isinstance(one, dict):
                below += one.values()
            elif isinstance(one, list):
                below += one
            elif isinstance(one, int) and not INTEGER_RANGE[0] <= one <= INTEGER_RANGE[1]:
                wrong[f"{name} holds an integer beyond 64 bits"] = None
        level = below
        if not level:
            return list(wrong)
    return [*wrong, f"{name} is nested deeper than {DEPTH_LIMIT} levels"]


def _enum_faults(name: str, enum: dict[str, str]) -> list[str]:
    return [f'{name} has "{number}" where a number must stand' for number in enum if not _ENUM_NUMBER.fullmatch(number)]


def _type_faults(name: str, word: str) -> list[str]:
    return [] if word in _TYPE_WORDS else [f'{name} is "{word}"; types are {", ".join(SCALAR_TYPES)}, with "[]" behind for arrays']


def _is_secret_value(text: object) -> bool:
    return isinstance(text, str) and text != "" and not text.startswith("secret://")


def _endpoint_faults(endpoint: Endpoint) -> list[str]:
    wrong = [] if "default" in endpoint.addresses else ["addresses has no default"]
    if _is_secret_value(endpoint.security.secret):
        wrong.append("security.secret holds a secret itself; a project file holds only references (secret://…)")
    for name, url in endpoint.addresses.items():
        if _URL_PASSWORD.match(url):
            wrong.append(f'addresses has a password in the URL "{name}"; a project file holds only references (secret://…)')
    for name, value in endpoint.settings.items():
        if _SECRET_NAME.search(name) and _is_secret_value(value):
            wrong.append(f"settings.{name} holds a secret itself; a project file holds only references (secret://…)")
    return wrong + _json_faults("settings", endpoint.settings)


def _tag_faults(tag: Tag) -> list[str]:
    if not tag.enum and (not tag.type or tag.type in _TYPE_WORDS):
        return []
    return _enum_faults("enum", tag.enum) + (_type_faults("type", tag.type) if tag.type else [])


def _attribute_faults(attribute: Attribute) -> list[str]:
    return _enum_faults("enum", attribute.enum) + _type_faults("data_type", attribute.data_type)


def _mapping_faults(mapping: TagMapping) -> list[str]:
    wrong: list[str] = []
    for step in mapping.transform:
        if type(step) is EnumNames:
            wrong += _enum_faults(f"transform[{mapping.transform.index(step)}].names", step.names)
        elif type(step) is Cast:
            wrong += _type_faults(f"transform[{mapping.transform.index(step)}].type", step.type)
    return wrong


_FAULTS: Final = cast(
    "dict[type[Element], Callable[[Element], list[str]]]",
    {Endpoint: _endpoint_faults, Tag: _tag_faults, Attribute: _attribute_faults, TagMapping: _mapping_faults},
)
