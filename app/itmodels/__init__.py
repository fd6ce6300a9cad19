"""IT model formats: one file per format, found because it ends in ``FORMAT``."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from app.itmodels.base import Format


@cache
def formats() -> dict[str, Format]:
    """Every format by key."""
    modules = (import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__))
    found = [module.FORMAT for module in modules if hasattr(module, "FORMAT")]
    return {format_.key: format_ for format_ in found}
