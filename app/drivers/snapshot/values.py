"""Values as JSON and back, exactly. Pure.

JSON has no bytes and no NaN, so these, and structures, are objects of one key that says what stands there::

    {"float":"NaN"}   {"bytes":"AQI="}   {"struct":{"speed":1.5}}

Everything else is itself: 1 is an integer, 1.0 is not, arrays are arrays.
"""

from __future__ import annotations

import base64
import binascii
import math
from typing import Final

from app.model.values import Value

Json = object
DEPTH_LIMIT: Final = 32
"""As of the frames that values come in."""
_INTEGERS: Final = range(-(2**63), 2**64)
"""No driver has more: frames could not carry it."""
_WORDS: Final = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


class ValueFormError(ValueError):
    """Not a value as it is written here; the message says what."""


def as_json(value: Value, depth: int = DEPTH_LIMIT) -> Json:
    """Raises ``ValueFormError`` for what no driver makes, or what is nested too deeply."""
    if depth == 0:
        raise ValueFormError(f"nested deeper than {DEPTH_LIMIT} levels")
    match value:
        case None | bool() | str():
            return value
        case int() if value in _INTEGERS:
            return value
        case float():
            return value if math.isfinite(value) else {"float": next(word for word, one in _WORDS.items() if repr(one) == repr(value))}
        case bytes():
            return {"bytes": base64.b64encode(value).decode("ascii")}
        case list():
            return [as_json(part, depth - 1) for part in value]
        case dict():
            return {"struct": {str(name): as_json(part, depth - 1) for name, part in value.items()}}
    raise ValueFormError(f"a value of type {type(value).__name__}")


def from_json(written: Json, depth: int = DEPTH_LIMIT) -> Value:
    """Raises ``ValueFormError``."""
    if depth == 0:
        raise ValueFormError(f"nested deeper than {DEPTH_LIMIT} levels")
    if isinstance(written, list):
        return [from_json(part, depth - 1) for part in written]
    if not isinstance(written, dict):
        return written
    match list(written.items()):
        case [("struct", dict() as fields)]:
            return {str(name): from_json(part, depth - 1) for name, part in fields.items()}
        case [("float", str() as word)] if word in _WORDS:
            return _WORDS[word]
        case [("bytes", str() as text)]:
            return _bytes(text)
    raise ValueFormError("an object that is no value")


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueFormError(f"bytes that are not base64: {error}") from error
