"""Ids of elements: readable, stable, and the same on every machine for the same first name and address."""

from __future__ import annotations

import base64
import hashlib
import re
import unicodedata
from collections.abc import Container
from typing import Final

ID_FORM: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
"""What an id may be made of: it stands in paths, URLs and environment variables. ``make_id`` makes narrower ones."""
ID_LENGTH: Final = 80

_FOLD = str.maketrans({"ß": "ss", "æ": "ae", "ø": "o", "đ": "d", "ł": "l", "µ": "u", "°": ""})


def slug(name: str) -> str:
    """Lower-case ASCII words joined by ``-``, at most 40 characters; ``x`` when nothing is left."""
    folded = unicodedata.normalize("NFKD", name.lower().translate(_FOLD)).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", folded).strip("-")[:40].strip("-") or "x"


def make_id(kind: str, parent: str, name: str, address: str = "", *, taken: Container[str] = ()) -> str:
    """Make the id of a new element.

    The hash keeps two elements of one name apart; when the id is taken all the same (a second element with equal kind,
    parent, name and address), a counter goes into the hash, so that the result depends only on what exists already.
    """
    for attempt in range(1_000_000):
        text = "\0".join((kind, parent, name, address)) + (f"\0{attempt}" if attempt else "")
        digest = base64.b32encode(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())[:6].decode().lower()
        candidate = f"{slug(name)}-{digest}"
        if candidate not in taken:
            return candidate
    raise AssertionError("a million elements of one name at one place")
