"""Gateway targets: one file per product, found because it ends in ``EXPORTER``."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from app.gateways.base import Exporter, Loss, Options, Rendered
from app.gateways.write import write_export

__all__ = ["Exporter", "Loss", "Options", "Rendered", "exporters", "write_export"]


@cache
def exporters() -> dict[str, Exporter]:
    """Every gateway target by key."""
    modules = (import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__))
    found: list[Exporter] = [module.EXPORTER for module in modules if hasattr(module, "EXPORTER")]
    return {exporter.key: exporter for exporter in sorted(found, key=lambda exporter: exporter.title)}
