"""Value types and qualities, one set of words for source, model and files."""

from __future__ import annotations

from enum import IntEnum
from typing import Final, Literal

import msgspec

ScalarType = Literal[
    "bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64",
    "float32", "float64", "string", "datetime", "bytes", "guid", "enum", "struct",
]  # fmt: skip

SCALAR_TYPES: Final[tuple[str, ...]] = (
    "bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64",
    "float32", "float64", "string", "datetime", "bytes", "guid", "enum", "struct",
)  # fmt: skip
"""A type is one of these words, or one with ``[]`` behind it for an array (any number of dimensions); ``""`` is unknown."""

INTEGER_LIMITS: Final[dict[str, tuple[int, int]]] = {
    f"{sign}{bits}": ((0, 2**bits - 1) if sign == "uint" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1))
    for sign in ("int", "uint")
    for bits in (8, 16, 32, 64)
}
NUMERIC_TYPES: Final = frozenset(INTEGER_LIMITS) | {"float32", "float64"}

SAFE_INTEGER: Final = 2**53
"""Largest magnitude that float64, and so JavaScript and most JSON readers, holds exactly."""


class Quality(IntEnum):
    """Ordered so that ``max()`` gives the worst. OPC 10000-4 §7.39: the top two bits of a StatusCode."""

    GOOD = 0
    UNCERTAIN = 1
    BAD = 2


Value = object
"""What one sample holds: None, bool, int, float, str, bytes, list (arrays; nested for matrices), dict (structures)."""


class Sample(msgspec.Struct, frozen=True):
    """One observed value of one tag, as the endpoint reported it, with the tag's own gain and offset applied.

    Times are ns since 1970-01-01 UTC; None where the protocol has none. ``status`` is the protocol's own code.
    ``value`` is None exactly when the quality is BAD and none was sent.
    """

    value: Value
    type: str
    quality: Quality
    status: int
    source_ns: int | None
    server_ns: int | None
    receive_ns: int
