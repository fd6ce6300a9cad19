"""Tag list formats: one file per format, found because it ends in ``FORMAT``."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from app.taglists.base import TagListFormat


@cache
def formats() -> dict[str, TagListFormat]:
    """Every format by key."""
    modules = (import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__))
    return {module.FORMAT.key: module.FORMAT for module in modules if hasattr(module, "FORMAT")}
