"""Tag lists and register maps: one file per form in which they come, found because it ends in ``FORMAT``.

The way of a list: bytes → ``Table`` (``table``; one module per form) → ``Layout`` (``columns``) → rows with tags or problems
(``reading``) → comparison with what the project has, and one edit (``compare``).
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from app.taglists.table import TableFormat


@cache
def formats() -> dict[str, TableFormat]:
    """Every format by key."""
    modules = (import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__))
    return {module.FORMAT.key: module.FORMAT for module in modules if hasattr(module, "FORMAT")}


def suffixes() -> list[str]:
    """Of the files that are lists, in the order of the formats."""
    return list(dict.fromkeys(suffix for form in formats().values() for suffix in form.suffixes))
